using System.Globalization;
using DR.Drills.Hosts;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>A machine that runs the recovery medium, with an operator in it over SSH.</summary>
internal sealed class LiveSession : IDisposable
{
    private const int SshPort = 22;
    private const int Attempts = 60;

    private readonly Qemu _machine;
    private readonly string _key;
    private readonly int _port = HostProcess.FreePort();

    /// <param name="machine">Starts from a medium that was built with <see cref="KeyOptions"/> of this workplace.</param>
    public LiveSession(Machine machine, Workplace workplace)
    {
        _key = workplace.PathOf("operator");
        _machine = new Qemu(machine with { Forwards = [new Forward(_port, SshPort)] }, workplace.Folder);
        try
        {
            _machine.WaitFor("What will be done");
            WaitForSsh();
        }
        catch
        {
            _machine.Dispose();
            throw;
        }
    }

    /// <summary>Options of dr media build that let the operator in.</summary>
    public static string[] KeyOptions(Workplace workplace)
    {
        string key = workplace.PathOf("operator");
        Tool.Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key);
        return ["--ssh-key", key + ".pub"];
    }

    /// <summary>What a script prints; it ends with the first command that fails.</summary>
    public string Run(string script) => Ssh(script).Expect(0).Output;

    /// <summary>The emulator takes a connection before the machine does, and then breaks it.</summary>
    private void WaitForSsh()
    {
        for (int attempt = 1; Ssh("true").ExitCode != 0; attempt++)
        {
            Assert.True(attempt < Attempts, "nobody answers at the SSH port of the medium");
            Thread.Sleep(TimeSpan.FromSeconds(2));
        }
    }

    private ToolResult Ssh(string script) => Tool.Try("ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
        "-o", "ConnectTimeout=60", "-i", _key, "-p", _port.ToString(CultureInfo.InvariantCulture), "root@127.0.0.1",
        "set -e; PATH=/opt/dr:$PATH; " + script);

    /// <summary>Keeps what its first console shows, where somebody has asked for pictures (DR_PICTURES, a folder).</summary>
    public void Picture(string name)
    {
        if (Environment.GetEnvironmentVariable("DR_PICTURES") is { Length: > 0 } folder)
        {
            _machine.Screenshot(Path.Combine(folder, name));
        }
    }

    /// <summary>Pulls the plug.</summary>
    public void Dispose() => _machine.Dispose();
}
