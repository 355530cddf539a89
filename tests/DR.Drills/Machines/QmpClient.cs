using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace DR.Drills.Machines;

/// <summary>QEMU's control socket (https://www.qemu.org/docs/master/interop/qmp-spec.html).</summary>
internal sealed class QmpClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;

    public QmpClient(string socketPath)
    {
        _socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        _stream = new NetworkStream(_socket);
        _reader = new StreamReader(_stream);
        _ = Read();    // the greeting
        Execute("qmp_capabilities");
    }

    /// <summary>Runs a command and gives its result; throws when QEMU refuses it.</summary>
    public JsonNode? Execute(string command, JsonObject? arguments = null)
    {
        var request = new JsonObject { ["execute"] = command };
        if (arguments is not null)
        {
            request["arguments"] = arguments;
        }

        _stream.Write(Encoding.UTF8.GetBytes(request.ToJsonString()));
        JsonNode answer;
        do
        {
            answer = Read();    // events may come in between
        }
        while (answer["return"] is null && answer["error"] is null);
        return answer["error"] is { } error
            ? throw new InvalidOperationException($"QEMU refused {command}: {error}")
            : answer["return"];
    }

    public void Dispose()
    {
        _reader.Dispose();
        _stream.Dispose();
        _socket.Dispose();
    }

    private JsonNode Read() =>
        JsonNode.Parse(_reader.ReadLine() ?? throw new EndOfStreamException("QEMU closed its control socket"))!;
}
