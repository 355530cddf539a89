using System.Globalization;
using System.Text.RegularExpressions;
using DR.Drills.Hosts;

namespace DR.Drills.Machines;

/// <summary>
/// tgt's tape drive, which a machine has on its SCSI bus, and somebody beside it who puts in the cartridge that the machine asks
/// for. tgt takes a cartridge that was put out in again by itself.
/// </summary>
internal sealed class TapeHost : HostProcess
{
    private const string Target = "iqn.2026-11.dr:tape";
    private const string Control = "7";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly string[] _cartridges;

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
    }

    /// <summary>What QEMU opens.</summary>
    public string Address => $"iscsi://127.0.0.1:{Port}/{Target}/1";

    /// <summary>How often another cartridge was put in.</summary>
    public int Changes { get; private set; }

    /// <summary>Index of the cartridge in the drive, from 0.</summary>
    public int Loaded { get; private set; }

    private string Socket => "TGT_IPC_SOCKET=" + PathOf("ipc");

    /// <summary>The first cartridge, whatever the machine left in the drive.</summary>
    public void InsertFirst() => Insert(0);

    /// <summary>Until something is over, puts in what the machine asks for.</summary>
    /// <param name="says">All that the machine has said.</param>
    public void ServeUntil(Func<bool> over, Func<string> says)
    {
        for (long start = Environment.TickCount64; !over(); Thread.Sleep(Look))
        {
            Assert.True(Environment.TickCount64 - start < Qemu.Patience.TotalMilliseconds, $"not over after {Qemu.Patience}: {says()}");
            var asked = Regex.Matches(says(), @"Wanted is (?:the first cartridge|(?:a blank cartridge, as number|cartridge) (\d+) of set)").LastOrDefault();
            int wanted = asked is null ? Loaded : asked.Groups[1].Success ? int.Parse(asked.Groups[1].Value, CultureInfo.InvariantCulture) - 1 : 0;
            if (wanted != Loaded)
            {
                Insert(wanted);
                Changes++;
            }
        }
    }

    private void Insert(int cartridge)
    {
        Loaded = cartridge;
        foreach (string parameter in (string[])["online=0", "path=" + _cartridges[cartridge], "online=1"])
        {
            Admin("logicalunit", "update", "--lun", "1", "--params", parameter);
        }
    }

    private string Admin(string mode, string operation, params string[] more) =>
        Tool.Run("env", [Socket, "tgtadm", "-C", Control, "--lld", "iscsi", "--mode", mode, "--op", operation, "--tid", "1", .. more]);
}
