using System.Globalization;
using System.Text.RegularExpressions;
using DR.Drills.Hosts;

namespace DR.Drills.Machines;

/// <summary>
/// tgt's tape drive, which a machine has on its SCSI bus, and a robot beside it: whenever the machine puts a cartridge out, the
/// next one of the row comes in, and behind the last one the first.
/// </summary>
internal sealed class TapeHost : HostProcess
{
    private const string Target = "iqn.2026-11.dr:tape";
    private const string Control = "7";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly string[] _cartridges;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _robot;
    private readonly Lock _moving = new();
    private int _loaded;

    /// <param name="mebibytes">Of each cartridge, up to the warning: tgt has no end behind it.</param>
    public TapeHost(int cartridges, int mebibytes)
    {
        _cartridges = [.. Enumerable.Range(1, cartridges).Select(i => PathOf($"DR{i:0000}"))];
        foreach (string cartridge in _cartridges)
        {
            Tool.Run("tgtimg", "--op", "new", "--device-type", "tape", "--barcode", Path.GetFileName(cartridge) + "L5",
                "--size", mebibytes.ToString(CultureInfo.InvariantCulture), "--type", "data", "--file", cartridge);
        }

        Start("env", port => [Socket, "tgtd", "-f", "-C", Control, "--iscsi", $"portal=127.0.0.1:{port}"]);
        Admin("target", "new", "-T", Target);
        Admin("logicalunit", "new", "--lun", "1", "-b", _cartridges[0], "--device-type=tape");
        Admin("target", "bind", "-I", "ALL");
        _robot = Task.Run(Serve);
    }

    /// <summary>What QEMU opens.</summary>
    public string Address => $"iscsi://127.0.0.1:{Port}/{Target}/1";

    /// <summary>How often the robot was at work.</summary>
    public int Changes { get; private set; }

    private string Socket => "TGT_IPC_SOCKET=" + PathOf("ipc");

    /// <summary>The first cartridge, whatever the machine left in the drive.</summary>
    public void InsertFirst() => Insert(0);

    protected override void Stopping()
    {
        _end.Cancel();
        _robot.Wait();
        _end.Dispose();
    }

    private void Serve()
    {
        while (!_end.Token.WaitHandle.WaitOne(Look))
        {
            string unit = Admin("target", "show").Split("LUN: 1")[^1];
            if (Regex.IsMatch(unit, @"Online:\s+No"))
            {
                Insert((_loaded + 1) % _cartridges.Length);
                Changes++;
            }
        }
    }

    private void Insert(int cartridge)
    {
        lock (_moving)
        {
            _loaded = cartridge;
            foreach (string parameter in (string[])["online=0", "path=" + _cartridges[cartridge], "online=1"])
            {
                Admin("logicalunit", "update", "--lun", "1", "--params", parameter);
            }
        }
    }

    private string Admin(string mode, string operation, params string[] more) =>
        Tool.Run("env", [Socket, "tgtadm", "-C", Control, "--lld", "iscsi", "--mode", mode, "--op", operation, .. operation == "show" ? [] : (string[])["--tid", "1"], .. more]);
}
