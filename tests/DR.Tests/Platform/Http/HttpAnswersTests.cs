using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Http;

namespace DR.Tests.Platform.Http;

/// <summary>Servers that answer wrongly: each ends in words that say what, and none in a mixture or a hang.</summary>
public sealed class HttpAnswersTests
{
    private static readonly HttpPatience Brief = new(TimeSpan.FromSeconds(20), 2, 3, TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>The first answer is right; the second is the one that is looked at.</summary>
    [Theory]
    [InlineData("HTTP/1.1 206 Partial Content\nContent-Range: bytes 7-99/100\nContent-Length: 93\nETag: \"1\"\n\n", "was asked for offset 0 and answered with bytes 7-99/100")]
    [InlineData("HTTP/1.1 206 Partial Content\nContent-Length: 100\nETag: \"1\"\n\n", "without saying which")]
    [InlineData("HTTP/1.1 206 Partial Content\nContent-Range: bytes 0-99/101\nContent-Length: 100\nETag: \"1\"\n\n", "changed while it was read: it has 101 bytes and had 100")]
    [InlineData("HTTP/1.1 206 Partial Content\nContent-Range: bytes 0-99/100\nContent-Length: 100\nETag: \"2\"\n\n", "changed while it was read: its tag is \"2\" and was \"1\"")]
    [InlineData("HTTP/1.1 206 Partial Content\nContent-Range: bytes 0-99/100\nContent-Length: 100\n\n", "changed while it was read")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 100\nETag: \"1\"\n\n", "with the whole file")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 90\nETag: \"3\"\n\n", "changed while it was read")]
    [InlineData("HTTP/1.1 206 Partial Content\nContent-Range: bytes 0-99/100\nContent-Length: 100\nETag: \"1\"\nContent-Encoding: gzip\n\n", "sends it coded (gzip)")]
    [InlineData("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n", "not there any more")]
    [InlineData("HTTP/1.1 416 Range Not Satisfiable\nContent-Range: bytes */5\nContent-Length: 0\n\n", "changed while it was read")]
    [InlineData("HTTP/1.1 403 Forbidden\nContent-Length: 0\n\n", "refuses to give it (403 Forbidden)")]
    [InlineData("HTTP/1.1 418 Teapot\nContent-Length: 0\n\n", "answered 418 Teapot")]
    [InlineData("HTTP/1.1 302 Found\nContent-Length: 0\n\n", "without saying where to")]
    [InlineData("HTTP/1.1 302 Found\nLocation: ftp://elsewhere/x\nContent-Length: 0\n\n", "not followed because it is less safe")]
    [InlineData("HTTP/1.1 302 Found\nLocation: http://a:pw@elsewhere/x\nContent-Length: 0\n\n", "http://elsewhere/x, which is not followed")]
    [InlineData("HTTP/1.1 302 Found\nLocation: /server.drimg\nContent-Length: 0\n\n", "redirects more than 5 times")]
    [InlineData("HTTP/1.1 503 Busy\nContent-Length: 0\n\n", "in trouble (503 ServiceUnavailable) (3 attempts")]
    [InlineData("no HTTP at all\n\n", "(3 attempts")]
    [InlineData("HTTP/1.1 206 Partial Content\nContent-Range: bytes 0-99/100\nContent-Length: 100\nETag: \"1\"\n\nnothing", "was asked for offset 7 and answered with bytes 0-99/100")]
    public void A_wrong_answer_is_named(string answer, string words)
    {
        using var server = new ScriptedServer((number, _) => number == 1 ? ScriptedServer.Part(0, "x") : answer);
        using var input = Open(server);
        var e = Assert.ThrowsAny<DrException>(() => input.OpenForward(1)!.CopyTo(Stream.Null));
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pw", e.Message, StringComparison.Ordinal);
        Assert.Equal(Failure.Failed, e.Failure);
    }

    [Theory]
    [InlineData("HTTP/1.1 206 Partial Content\nContent-Range: bytes 0-0/*\nContent-Length: 1\n\nx", "does not say how long")]
    [InlineData("HTTP/1.1 416 Range Not Satisfiable\nContent-Length: 0\n\n", "answered 416")]
    [InlineData("HTTP/1.1 500 Oops\nContent-Length: 0\n\n", "(2 attempts")]
    public void A_wrong_first_answer_too(string answer, string words)
    {
        using var server = new ScriptedServer((_, _) => answer);
        Assert.Contains(words, Assert.ThrowsAny<DrException>(() => Open(server)).Message, StringComparison.Ordinal);
    }

    /// <summary>A server that promises 100 bytes and gives ten of them at a time.</summary>
    [Fact]
    public void Short_bodies_are_asked_on_as_long_as_they_bring_something()
    {
        string content = string.Concat(Enumerable.Range(0, 100).Select(n => (char)('a' + n % 26)));
        using var server = new ScriptedServer((number, head) =>
        {
            int from = FirstOf(head);
            return number == 1 ? ScriptedServer.Part(0, "a")
                : $"HTTP/1.1 206 Partial Content\nContent-Range: bytes {from}-99/100\nContent-Length: {100 - from}\nETag: \"1\"\n\n{content.AsSpan(from, Math.Min(50, 100 - from))}";
        });
        using var input = Open(server);
        using var reader = new StreamReader(input.OpenForward(1)!);
        Assert.Equal(content, reader.ReadToEnd());
        string second = server.Requests.ElementAt(2);
        Assert.Contains("Range: bytes=50-", second, StringComparison.Ordinal);
        Assert.Contains("If-Range: \"1\"", second, StringComparison.Ordinal);
        Assert.All(server.Requests, r => Assert.Contains("Accept-Encoding: identity", r, StringComparison.Ordinal));
    }

    [Fact]
    public void A_weak_tag_is_compared_but_not_sent()
    {
        const string Weak = "ETag: W/\"1\"\n";
        using var server = new ScriptedServer((number, _) => ScriptedServer.Part(number == 1 ? 0 : 5, "xyz", headers: number == 3 ? "ETag: W/\"2\"\n" : Weak));
        using var input = Open(server);
        using var source = input.OpenPiece(1)!;
        source.Read(new byte[3], 5);
        Assert.DoesNotContain("If-Range", server.Requests.Last(), StringComparison.Ordinal);
        Assert.Contains("changed", Assert.Throws<DrException>(() => source.Read(new byte[3], 5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_tag_the_time_of_change_counts()
    {
        const string Then = "Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT\n";
        using var server = new ScriptedServer((number, _) =>
            ScriptedServer.Part(number == 1 ? 0 : 5, "xyz", headers: number == 3 ? Then.Replace("10:", "11:", StringComparison.Ordinal) : Then));
        using var input = Open(server);
        using var source = input.OpenPiece(1)!;
        source.Read(new byte[3], 5);
        Assert.Contains("If-Range: Sat, 21 Nov 2026 10:00:00 GMT", server.Requests.Last(), StringComparison.Ordinal);
        Assert.Contains("it was modified at", Assert.Throws<DrException>(() => source.Read(new byte[3], 5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_redirect_is_followed()
    {
        using var server = new ScriptedServer((number, head) => head.Contains("/server.drimg", StringComparison.Ordinal)
            ? "HTTP/1.1 307 Elsewhere\nLocation: /moved?x=1\nContent-Length: 0\n\n" : ScriptedServer.Part(FirstOf(head), "xyz"));
        using var input = Open(server);
        var three = new byte[3];
        input.OpenPiece(1)!.Read(three, 5);
        Assert.Equal("xyz"u8.ToArray(), three);
    }

    [Fact]
    public void An_empty_file_is_empty()
    {
        using var server = new ScriptedServer((_, _) => "HTTP/1.1 416 Range Not Satisfiable\nContent-Range: bytes */0\nContent-Length: 0\n\n");
        using var input = Open(server);
        Assert.Equal(0, input.OpenPiece(1)!.Length);
        Assert.Equal(0, input.OpenForward(1)!.ReadAtLeast(new byte[1], 1, throwOnEndOfStream: false));
    }

    private static int FirstOf(string head)
    {
        int start = head.IndexOf("bytes=", StringComparison.Ordinal) + 6;
        return int.Parse(head[start..head.IndexOf('-', start)], CultureInfo.InvariantCulture);
    }

    private static HttpImageInput Open(ScriptedServer server) => new(server.Address, Credentials.None, null, Brief, null, TestContext.Current.CancellationToken);
}
