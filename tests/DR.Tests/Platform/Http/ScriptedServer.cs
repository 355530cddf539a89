using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DR.Tests.Platform.Http;

/// <summary>A server that says what real ones do not: one answer for each connection, then it closes.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<int, string, string> _answer;
    private readonly CancellationTokenSource _end = new();

    /// <param name="answer">From the number of the request, from 1, and its head; "\n" becomes the line end of HTTP.</param>
    public ScriptedServer(Func<int, string, string> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = Serve();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/server.drimg?token=secret");

    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Head and body of a part of a file of 100 bytes.</summary>
    public static string Part(long from, string body, int total = 100, string headers = "ETag: \"1\"\n") =>
        $"HTTP/1.1 206 Partial Content\nContent-Range: bytes {from}-{from + body.Length - 1}/{total}\nContent-Length: {body.Length}\n{headers}\n{body}";

    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
    }

    private async Task Serve()
    {
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync(_end.Token);
            var stream = client.GetStream();
            var head = new StringBuilder();
            var one = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _end.Token) == 1)
            {
                head.Append((char)one[0]);
            }

            Requests.Enqueue(head.ToString());
            string answer = _answer(Requests.Count, head.ToString());
            int end = answer.IndexOf("\n\n", StringComparison.Ordinal) + 2;
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer[..end].Replace("\n", "\r\n", StringComparison.Ordinal) + answer[end..]), _end.Token);
        }
    }
}
