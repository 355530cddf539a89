using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Drills.Hosts;
using DR.Platform.Http;
using DR.Tests.Doubles;

namespace DR.Tests.Platform.Http;

/// <summary>Images from nginx, over connections that break.</summary>
[Trait("Category", "Slow")]
public sealed class HttpImageInputTests : IDisposable
{
    private static readonly HttpPatience Brief = new(TimeSpan.FromSeconds(20), 2, 3, TimeSpan.Zero, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly byte[] _content = Engine.RealDisks.Noise(3 << 20, 11);
    private readonly List<string> _notes = [];

    public HttpImageInputTests()
    {
        Requires.Tools("nginx", "openssl");
        File.WriteAllBytes(_folder.File("server.drimg"), _content);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_is_read_forward_and_at_any_offset(bool tls)
    {
        using var web = new WebHost(_folder.Root, tls);
        using var input = Open(web.AddressOf("server.drimg"), ca: tls ? web.CaFile : null);
        Assert.True(input.IsRandomAccess);
        Assert.Equal(_content, Forward(input));
        using var source = input.OpenPiece(1)!;
        Assert.Equal(_content.LongLength, source.Length);
        Parallel.ForEach(Enumerable.Range(0, 40), n =>
        {
            int offset = n * 70_001;
            var buffer = new byte[Math.Min(50_000 + n, _content.Length - offset)];
            source.Read(buffer, offset);
            Assert.Equal(_content[offset..(offset + buffer.Length)], buffer);
        });
        Assert.Throws<DeviceFaultException>(() => source.Read(new byte[2], _content.Length - 1));
        Assert.Null(input.OpenPiece(2));
        Assert.Null(input.OpenForward(2));
        Assert.Equal(web.AddressOf("server.drimg"), input.NameOf(1));
        Assert.Empty(_notes);
    }

    [Fact]
    public void Pieces_are_found_by_their_common_name_and_by_the_first()
    {
        for (int i = 0; i < 3; i++)
        {
            File.WriteAllBytes(_folder.File($"set.drimg.00{i + 1}"), _content[(i << 20)..((i + 1) << 20)]);
        }

        using var web = new WebHost(_folder.Root);
        foreach (string name in (string[])["set.drimg", "set.drimg.001"])
        {
            using var input = Open(web.AddressOf(name));
            Assert.Equal(web.AddressOf("set.drimg.002"), input.NameOf(2));
            Assert.Equal(_content, (byte[])[.. Forward(input), .. Forward(input, 2), .. Forward(input, 3)]);
            Assert.Null(input.OpenPiece(4));
        }
    }

    [Fact]
    public void What_is_not_there_is_said_at_once()
    {
        using var web = new WebHost(_folder.Root);
        Assert.Contains("there is no such image on the server", Fails(web.AddressOf("other.drimg")), StringComparison.Ordinal);
        Assert.Empty(_notes);
    }

    /// <summary>Each connection breaks after so many bytes, the head of the answer among them.</summary>
    [Theory]
    [InlineData(1_100_000, false)]
    [InlineData(1_500_000, true)]
    [InlineData(2_999_999, true)]
    public void Dropped_connections_cost_nothing_but_a_new_one(int after, bool resets)
    {
        using var web = new WebHost(_folder.Root);
        using var proxy = new FaultProxy(web.Port, n => n == 1 ? Fault.None : new Fault(after) { Resets = resets });
        // A reset also takes with it what has come and was not read yet.
        using var input = Open($"http://127.0.0.1:{proxy.Port}/server.drimg", patience: Brief with { Attempts = 100 });
        Hog(input);
        Assert.Equal(_content, Forward(input));
        Assert.InRange(proxy.Connections, 3, 50);
        Assert.All(_notes, n => Assert.Contains("asking again from offset", n, StringComparison.Ordinal));
        Assert.NotEmpty(_notes);
    }

    /// <summary>Wherever in head or body the first connection breaks, the bytes are the same.</summary>
    [Fact]
    public void It_carries_on_wherever_the_connection_breaks()
    {
        using var web = new WebHost(_folder.Root);
        var random = new Random(5);
        foreach (int after in Enumerable.Range(0, 30).Select(n => n < 15 ? n * 29 : random.Next(_content.Length)))
        {
            using var proxy = new FaultProxy(web.Port, n => n == 1 ? new Fault(after) { Resets = after % 2 == 0 } : Fault.None);
            using var input = Open($"http://127.0.0.1:{proxy.Port}/server.drimg");
            Assert.Equal(_content, Forward(input));
        }
    }

    [Fact]
    public void A_silent_server_is_left_after_a_while()
    {
        using var web = new WebHost(_folder.Root);
        using var proxy = new FaultProxy(web.Port, n => n == 2 ? new Fault(100_000) { Silent = true } : Fault.None);
        using var input = Open($"http://127.0.0.1:{proxy.Port}/server.drimg", patience: Brief with { Silence = TimeSpan.FromSeconds(1) });
        Hog(input);
        Assert.Equal(_content, Forward(input));
        Assert.Contains("the server does not answer", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_that_is_stopped_does_not_wait_for_the_server()
    {
        using var web = new WebHost(_folder.Root);
        using var stop = new CancellationTokenSource();
        using var proxy = new FaultProxy(web.Port, n => n == 2 ? new Fault(100_000) { Silent = true } : Fault.None);
        using var input = new HttpImageInput(
            new Uri($"http://127.0.0.1:{proxy.Port}/server.drimg"), Credentials.None, null, Brief with { Silence = TimeSpan.FromMinutes(10) }, _notes.Add, stop.Token);
        Hog(input);
        var read = Task.Run(() => Forward(input), Stop);
        Assert.True(proxy.Silent.Wait(TimeSpan.FromMinutes(1), Stop));
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => read.GetAwaiter().GetResult());
    }

    [Fact]
    public void A_server_that_dies_is_given_up_with_the_offset()
    {
        using var web = new WebHost(_folder.Root);
        using var proxy = new FaultProxy(web.Port, n => n == 1 ? Fault.None : new Fault(200_000) { Closes = true });
        using var input = Open($"http://127.0.0.1:{proxy.Port}/server.drimg");
        Hog(input);
        var e = Assert.Throws<DeviceFaultException>(() => Forward(input));
        Assert.Equal((Failure.Failed, FaultKind.Vanished), (e.Failure, e.Kind));
        Assert.InRange(e.Offset, 190_000, 200_000);
        Assert.Contains("3 attempts", e.Message, StringComparison.Ordinal);
        Assert.Equal(2, _notes.Count);
    }

    [Fact]
    public void Nobody_there_is_said_soon()
    {
        using var proxy = new FaultProxy(1, _ => Fault.None);
        proxy.Dispose();
        Assert.Contains("the server cannot be reached", Fails($"http://127.0.0.1:{proxy.Port}/x.drimg"), StringComparison.Ordinal);
        Assert.Single(_notes);
    }

    [Fact]
    public void A_file_that_changes_in_the_meantime_is_no_mixture()
    {
        using var web = new WebHost(_folder.Root);
        using var input = Open(web.AddressOf("server.drimg"));
        using var source = input.OpenPiece(1)!;
        source.Read(new byte[100], 0);
        File.WriteAllBytes(_folder.File("server.drimg"), Engine.RealDisks.Noise(3 << 20, 12));
        File.SetLastWriteTimeUtc(_folder.File("server.drimg"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Contains("was changed while it was read", Assert.Throws<DrException>(() => source.Read(new byte[100], 0)).Message, StringComparison.Ordinal);
        Assert.Contains("was changed while it was read", Assert.Throws<DrException>(() => Forward(input)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder.File("server.drimg"), new byte[50]);
        Assert.Contains("was changed while it was read", Assert.Throws<DrException>(() => source.Read(new byte[100], 1000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_without_ranges_is_read_forward_only()
    {
        using var web = new WebHost(_folder.Root, settings: "max_ranges 0;");
        using var input = Open(web.AddressOf("server.drimg"));
        Assert.False(input.IsRandomAccess);
        Assert.Equal(_content, Forward(input));
        Assert.Throws<NotSupportedException>(() => input.OpenPiece(1));

        using var proxy = new FaultProxy(web.Port, n => new Fault(n == 1 ? long.MaxValue : 1_000_000));
        using var other = Open($"http://127.0.0.1:{proxy.Port}/server.drimg");
        Hog(other);
        Assert.Contains("this server cannot go on there", Assert.Throws<DrException>(() => Forward(other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_has_to_be_of_a_known_authority_and_for_this_name()
    {
        using var web = new WebHost(_folder.Root, tls: true);
        Assert.Contains("certificate is not trusted", Fails(web.AddressOf("server.drimg")), StringComparison.Ordinal);
        Assert.Contains("certificate is not trusted", Fails(web.AddressOf("server.drimg", "127.0.0.1"), ca: web.CaFile), StringComparison.Ordinal);
        Assert.Contains("no certificate in it", Fails(web.AddressOf("server.drimg"), ca: _folder.File("server.drimg")), StringComparison.Ordinal);
        Assert.Contains("cannot be read", Fails(web.AddressOf("server.drimg"), ca: _folder.File("none")), StringComparison.Ordinal);
        Assert.Empty(_notes);
    }

    [Fact]
    public void Name_and_password_go_to_their_host_over_tls_only()
    {
        string users = _folder.File("users");
        File.WriteAllText(users, "restore:{PLAIN}open sesame\n");
        string settings = $"auth_basic dr; auth_basic_user_file {users};";
        using var web = new WebHost(_folder.Root, tls: true, settings);
        var right = Credentials.None.With(new Credential("localhost", "restore", "open sesame"));
        using var input = Open(web.AddressOf("server.drimg"), right, web.CaFile);
        Assert.Equal(_content, Forward(input));

        string wrong = Fails(web.AddressOf("server.drimg"), Credentials.None.With(new Credential($"localhost:{web.Port}", "restore", "Wr0ng")).With(new Credential("other", "a", "b")), web.CaFile);
        Assert.Contains("Look at the name and password for localhost", wrong, StringComparison.Ordinal);
        Assert.DoesNotContain("Wr0ng", wrong, StringComparison.Ordinal);
        Assert.Contains("Put a name and password for localhost", Fails(web.AddressOf("server.drimg"), ca: web.CaFile), StringComparison.Ordinal);
        string inAddress = Fails(web.AddressOf("server.drimg").Replace("://", "://restore:sesame@", StringComparison.Ordinal), ca: web.CaFile);
        Assert.Contains("does not belong into an address", inAddress, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", inAddress, StringComparison.Ordinal);

        using var plain = new WebHost(_folder.Root, settings: settings);
        Assert.Contains("sent by https only", Fails(plain.AddressOf("server.drimg"), right), StringComparison.Ordinal);
    }

    /// <summary>A connection that another request keeps, so that the next one is new.</summary>
    private static void Hog(HttpImageInput input)
    {
        // The first connection went idle with the first request; a long read takes it and keeps it to the end of the test.
        var stream = input.OpenForward(1)!;
        Assert.Equal(1, stream.ReadAtLeast(new byte[1], 1));
    }

    private static byte[] Forward(HttpImageInput input, int piece = 1)
    {
        using var stream = input.OpenForward(piece)!;
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private HttpImageInput Open(string address, Credentials? credentials = null, string? ca = null, HttpPatience? patience = null) =>
        new(new Uri(address), credentials ?? Credentials.None, ca, patience ?? Brief, _notes.Add, Stop);

    private string Fails(string address, Credentials? credentials = null, string? ca = null) =>
        Assert.ThrowsAny<DrException>(() => Open(address, credentials, ca)).Message;
}
