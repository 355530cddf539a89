using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Drills.Hosts;
using DR.Engine.Capture;
using DR.Engine.Sources;
using DR.Platform.ImageFiles;
using DR.Platform.Volumes;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.Platform.Volumes;

/// <summary>
/// Shares. Not every kernel mounts CIFS or NFS, so that mount and umount are replaced here: what they are told is held to
/// mount.cifs(8) and nfs(5), and for SMB a real client fetches the share from a real server by the very same arguments.
/// </summary>
public sealed class ShareTests : IDisposable
{
    private const string Password = "pass word, \"quoted\"";

    private readonly TempFolder _folder = new();
    private readonly FakeTools _tools = new();
    private readonly List<string> _arguments = [];

    public ShareTests()
    {
        _tools.Behaviour["umount"] = a =>
        {
            Directory.Delete(a[^1], recursive: true);
            Directory.CreateDirectory(a[^1]);
            return new ToolResult(0, "", "");
        };
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string RunFolder => _folder.File("run");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_image_on_a_real_samba_is_opened_with_the_credentials_for_its_host()
    {
        Requires.Root();
        Requires.Tools("smbd", "smbpasswd", "smbclient");
        string served = Directory.CreateDirectory(_folder.File("served/dir")).FullName;
        byte[] image = new Workbench().With("/dev/source", SmallDisks.Gpt()).Capture("/dev/source").Pieces[1]!;
        File.WriteAllBytes(Path.Combine(served, "a b.drimg"), image);
        using var samba = new SambaHost(_folder.File("served"), Password);
        _tools.Behaviour["mount"] = Fetch;
        var right = Credentials.None.With(new Credential("127.0.0.1", SambaHost.User, Password));
        string location = samba.LocationOf("dir/a b.drimg");
        using (var opened = Library(right).Open(location, Stop))
        {
            Assert.Equal(location, opened.Input.Name);
            using var source = opened.Input.OpenPiece(1)!;
            Assert.Equal(image.LongLength, source.Length);
        }

        Assert.Equal(["-t", "cifs", "-o"], _arguments[..3]);
        Assert.Matches($@"^ro,nosuid,nodev,noexec,port={samba.Port},credentials=\S+\.secret$", _arguments[3]);
        Assert.Equal("//127.0.0.1/backup", _arguments[4]);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));

        var wrong = Credentials.None.With(new Credential("127.0.0.1", SambaHost.User, "Wr0ng"));
        string refused = Assert.Throws<LoginNeededException>(() => Library(wrong).Open(location, Stop)).Message;
        Assert.Contains("look at the name of the share, and at the name and password for 127.0.0.1", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("Wr0ng", refused, StringComparison.Ordinal);
        Assert.Contains("tried as a guest", Assert.Throws<LoginNeededException>(() => Library(Credentials.None).Open(location, Stop)).Message, StringComparison.Ordinal);
        Assert.Contains("there is no such image", Assert.Throws<DrException>(() => Library(right).Open(samba.LocationOf("other.drimg"), Stop)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
        Assert.DoesNotContain(_arguments, a => a.Contains("pass word", StringComparison.Ordinal) || a.Contains("Wr0ng", StringComparison.Ordinal));
    }

    [Fact]
    public void The_password_is_in_a_file_that_only_its_owner_reads_and_that_is_gone_afterwards()
    {
        string? secret = null;
        _tools.Behaviour["mount"] = a =>
        {
            secret = a[3][(a[3].IndexOf("credentials=", StringComparison.Ordinal) + 12)..];
            Assert.Equal("username=me\npassword=hush\ndomain=WORK\n", File.ReadAllText(secret));
            Assert.Equal("600 700", Doubles.Tools.Run("stat", "-c", "%a", secret).Trim() + " " + Doubles.Tools.Run("stat", "-c", "%a", RunFolder).Trim());
            return new ToolResult(32, "", "mount error(13): Permission denied\nRefer to the mount.cifs(8) manual page (e.g. man mount.cifs) and kernel log messages (dmesg)");
        };
        var share = new NetworkShare("smb", "nas", null, "backup");
        var e = Assert.Throws<LoginNeededException>(() => new VolumeMounter(_tools, RunFolder).Mount(share, new Credential("nas", "me", "hush", "WORK"), writable: true, Stop));
        Assert.Contains("mount error(13): Permission denied", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(secret));
        Assert.Throws<DrException>(() => new VolumeMounter(_tools, RunFolder).Mount(share, new Credential("nas", "me", "hu\nsh"), writable: true, Stop));
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
    }

    [Theory]
    [InlineData("nfs://nas/srv/backup/x.drimg", false, "-t|nfs|-o|ro,nosuid,nodev,noexec,soft,nolock,timeo=150,retrans=3,retry=0|nas:/srv/backup")]
    [InlineData("nfs://10.0.2.2:2050/srv/x.drimg", false, "-t|nfs|-o|ro,nosuid,nodev,noexec,port=2050,soft,nolock,timeo=150,retrans=3,retry=0|10.0.2.2:/srv")]
    [InlineData("smb://nas/back up/x.drimg", true, "-t|cifs|-o|rw,nosuid,nodev,noexec,guest|//nas/back up")]
    public void What_mount_is_told(string location, bool writable, string arguments)
    {
        _tools.Behaviour["mount"] = a =>
        {
            _arguments.AddRange(a);
            return new ToolResult(0, "", "");
        };
        using (var mount = new VolumeMounter(_tools, RunFolder).Mount(((ImageLocation.Share)ImageLocation.Parse(location)).Where, null, writable, Stop))
        {
            Assert.Equal(arguments + "|" + mount.Path, string.Join('|', _arguments));
        }

        Assert.Equal(["mount", "umount"], _tools.Runs);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
    }

    [Fact]
    public void A_folder_that_is_not_there_on_nfs_is_named()
    {
        _tools.Behaviour["mount"] = _ => new ToolResult(32, "", "mount.nfs: mounting nas:/srv/new failed, reason given by server: No such file or directory");
        var destinations = new ImageDestinations(new VolumeMounter(_tools, RunFolder), new ImageOpener(Credentials.None, null, null), Credentials.None);
        string words = Assert.Throws<DrException>(() => destinations.LookAt("nfs://nas/srv/new/x.drimg", Stop)).Message;
        Assert.Contains("whether the folder /srv/new is there: on NFS the folder of an image has to exist", words, StringComparison.Ordinal);
    }

    /// <summary>What is written is on the server once the image is closed; before that nothing is mounted but to look.</summary>
    [Fact]
    public void A_new_image_goes_to_a_real_samba()
    {
        Requires.Root();
        Requires.Tools("smbd", "smbpasswd", "smbclient");
        string served = Directory.CreateDirectory(_folder.File("served")).FullName;
        using var samba = new SambaHost(served, Password, writable: true);
        var mounts = new List<string>();
        _tools.Behaviour["mount"] = a =>
        {
            mounts.Add(a[3].Split(',')[0]);
            return Fetch(a);
        };
        var fetched = _tools.Behaviour["umount"];
        _tools.Behaviour["umount"] = a => Send() is { ExitCode: not 0 } failed ? failed : fetched(a);
        var credentials = Credentials.None;
        var destinations = new ImageDestinations(new VolumeMounter(_tools, RunFolder), new ImageOpener(credentials, null, null), credentials);
        string location = samba.LocationOf("new folder/server.drimg");
        var denied = Assert.Throws<LoginNeededException>(() => destinations.LookAt(location, Stop));
        Assert.Equal("127.0.0.1", denied.Host);
        credentials.Learn(new Credential("127.0.0.1", SambaHost.User, Password));
        mounts.Clear();
        var to = destinations.LookAt(location, Stop);
        Assert.Equal("smb://127.0.0.1/backup", to.Words);
        Assert.Null(to.Carrier);
        Assert.Empty(Directory.GetFileSystemEntries(served));

        var bench = new Workbench().With("/dev/source", SmallDisks.Gpt());
        using (var image = destinations.Create(to, long.MaxValue, overwrite: false, Stop))
        {
            Assert.Equal(location, image.Output.Name);
            bench.Capture(new CaptureRequest(["/dev/source"], location, "test"), image.Output);
        }

        Assert.Equal(["ro", "rw"], mounts);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
        using (var opened = Library(credentials).Open(location, Stop))
        using (var reader = new ImageStreamReader(opened.Input, Workbench.Compressor))
        {
            ImageVerifier.Verify(reader, Workbench.Compressor, 1, new SilentReport(), Stop);
        }

        Assert.Contains("exists already", Assert.Throws<DrException>(() => destinations.Create(to, long.MaxValue, overwrite: false, Stop)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(RunFolder));
        Assert.True(File.Exists(Path.Combine(served, "new folder/server.drimg")));
    }

    private ImageLibrary Library(Credentials credentials) =>
        new(new VolumeMounter(_tools, RunFolder), new ImageOpener(credentials, null, null), Workbench.Compressor, credentials);

    /// <summary>In place of mount -t cifs: everything in the share, by smbclient.</summary>
    private ToolResult Fetch(IReadOnlyList<string> arguments)
    {
        _arguments.Clear();
        _arguments.AddRange(arguments);
        var options = arguments[3].Split(',').Select(o => o.Split('=', 2)).ToDictionary(o => o[0], o => o[^1]);
        string[] who = options.TryGetValue("credentials", out string? secret) ? ["--authentication-file", secret] : ["--no-pass"];
        var (code, output, error) = Doubles.Tools.Try("smbclient",
            [arguments[4], "--port", options["port"], .. who, "--configfile", "/dev/null", "--command", $"prompt off; recurse on; lcd {arguments[5]}; mget *"]);
        return new ToolResult(code == 0 ? 0 : 32, output, error);
    }

    /// <summary>In place of umount: what has been written into a share that was mounted for it.</summary>
    private ToolResult Send()
    {
        if (!_arguments[3].StartsWith("rw,", StringComparison.Ordinal))
        {
            return new ToolResult(0, "", "");
        }

        string secret = _folder.File("again");
        File.WriteAllText(secret, $"username={SambaHost.User}\npassword={Password}\n");
        string port = _arguments[3].Split(',').First(o => o.StartsWith("port=", StringComparison.Ordinal))[5..];
        var (code, output, error) = Doubles.Tools.Try("smbclient",
            [_arguments[4], "--port", port, "--authentication-file", secret, "--configfile", "/dev/null", "--command", $"prompt off; recurse on; lcd {_arguments[5]}; mput *"]);
        return new ToolResult(code, output, error);
    }
}
