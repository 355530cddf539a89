using System.Net;
using System.Net.Sockets;

namespace DR.Tests.Platform.Http;

/// <summary>
/// Between a client and a server: passes bytes on until the script for a connection says that it drops, or falls silent.
/// </summary>
internal sealed class FaultProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _server;
    private readonly Func<int, Fault> _script;
    private readonly List<TcpClient> _open = [];
    private readonly CancellationTokenSource _end = new();
    private int _connections;

    /// <param name="server">Port on this host.</param>
    /// <param name="script">What happens to a connection; they are numbered from 1.</param>
    public FaultProxy(int server, Func<int, Fault> script)
    {
        (_server, _script) = (server, script);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = Accept();
    }

    public int Port { get; }

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Set when a connection has fallen silent.</summary>
    public ManualResetEventSlim Silent { get; } = new();

    /// <summary>Nobody can connect any more, and nothing comes on what is open.</summary>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
        lock (_open)
        {
            _open.ForEach(c => c.Dispose());
        }
    }

    private async Task Accept()
    {
        while (!_end.IsCancellationRequested)
        {
            var client = await _listener.AcceptTcpClientAsync(_end.Token);
            _ = Serve(client, Interlocked.Increment(ref _connections));
        }
    }

    private async Task Serve(TcpClient client, int number)
    {
        var server = new TcpClient();
        lock (_open)
        {
            _open.AddRange([client, server]);
        }

        var fault = _script(number);
        if (fault.Closes)
        {
            _listener.Stop();
        }

        await server.ConnectAsync(IPAddress.Loopback, _server, _end.Token);
        var upwards = client.GetStream().CopyToAsync(server.GetStream(), _end.Token);
        await Pass(server.GetStream(), client, fault);
        if (!fault.Silent)
        {
            client.Dispose();
            server.Dispose();
            await upwards.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private async Task Pass(NetworkStream server, TcpClient client, Fault fault)
    {
        var buffer = new byte[64 << 10];
        for (long left = fault.After; left > 0;)
        {
            int read = await server.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), _end.Token);
            if (read == 0)
            {
                return;
            }

            await client.GetStream().WriteAsync(buffer.AsMemory(0, read), _end.Token);
            left -= read;
        }

        if (fault.Silent)
        {
            Silent.Set();
        }
        else if (fault.Resets)
        {
            client.LingerState = new LingerOption(true, 0);
        }
    }
}

/// <summary>What becomes of a connection.</summary>
/// <param name="After">Bytes of the server's answers that come through.</param>
internal sealed record Fault(long After)
{
    public static Fault None { get; } = new(long.MaxValue);

    /// <summary>Then nothing comes, and the connection stays.</summary>
    public bool Silent { get; init; }

    /// <summary>It ends by a reset and not by an orderly end.</summary>
    public bool Resets { get; init; }

    /// <summary>It is the last that is accepted.</summary>
    public bool Closes { get; init; }
}
