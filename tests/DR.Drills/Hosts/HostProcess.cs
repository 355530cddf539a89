using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace DR.Drills.Hosts;

/// <summary>A real server as a child in the foreground, with a folder and a port of its own on all addresses of this host. Gone when disposed.</summary>
internal abstract class HostProcess : IDisposable
{
    private const int Attempts = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<string> _words = [];
    private Process? _process;
    private string _program = "";
    private string[] _arguments = [];

    protected HostProcess() =>
        Folder = Directory.CreateDirectory(Path.Combine(Environment.GetEnvironmentVariable("DR_TEST_TEMP") ?? "/var/tmp", "dr-host-" + Path.GetRandomFileName())).FullName;

    /// <summary>Configuration, logs, and what the server needs; readable by every account.</summary>
    public string Folder { get; }

    public int Port { get; private set; }

    public void Dispose()
    {
        Stopping();
        Stop();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>What else has to end before the server does.</summary>
    protected virtual void Stopping()
    {
    }

    /// <summary>As if its machine had lost power, but for the connections, which the kernel closes.</summary>
    public void Stop()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }
    }

    /// <summary>Back again at its old port, with the settings that it had.</summary>
    public void Resume()
    {
        if (!Runs(_program, _arguments))
        {
            throw new InvalidOperationException($"{_program} does not start again at port {Port}: {string.Join('\n', _words)}");
        }
    }

    protected string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Starts it on a free port, and returns when it takes connections.</summary>
    protected void Start(string program, Func<int, string[]> configure)
    {
        for (int attempt = 1; ; attempt++)
        {
            Port = FreePort();
            (_program, _arguments) = (program, configure(Port));
            if (Runs(_program, _arguments))
            {
                return;
            }

            Stop();
            if (attempt == Attempts)
            {
                throw new InvalidOperationException($"{program} does not start: {string.Join('\n', _words)}");
            }
        }
    }

    /// <summary>Another program may take it in the meantime; then the next is tried.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private bool Runs(string program, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true })!;
        _process = process;
        process.ErrorDataReceived += (_, e) => Note(e.Data);
        process.OutputDataReceived += (_, e) => Note(e.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();

        // Its input stays open: smbd ends with it.
        for (long start = Environment.TickCount64; !process.HasExited && Environment.TickCount64 - start < Patience.TotalMilliseconds; Thread.Sleep(20))
        {
            try
            {
                using var client = new TcpClient();
                client.Connect(IPAddress.Loopback, Port);
                return true;
            }
            catch (SocketException)
            {
                // Not yet.
            }
        }

        return false;
    }

    private void Note(string? line)
    {
        lock (_words)
        {
            _words.Add(line ?? "");
        }
    }
}
