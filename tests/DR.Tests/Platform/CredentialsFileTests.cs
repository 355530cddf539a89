using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Platform;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class CredentialsFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Lines_give_names_and_passwords_for_hosts()
    {
        var all = CredentialsFile.Parse("# for the night\n\nnas  restore\tS3cret#1\r\nNAS:4450 other \"with \\\"blanks\\\" \\\\\" WORK\nfile.example.com me \"\"\n[fe80::1] u p\n", "f");
        Assert.Equal(("restore", "S3cret#1", null), Of(all.For("Nas", 445)));
        Assert.Equal(("other", "with \"blanks\" \\", "WORK"), Of(all.For("nas", 4450)));
        Assert.Equal(("me", "", null), Of(all.For("file.example.com", 443)));
        Assert.Equal(("u", "p", null), Of(all.For("fe80::1", 443)));
        Assert.Equal(("u", "p", null), Of(all.For("[fe80::1]", 443)));
        Assert.Null(all.For("example.com", 443));
    }

    /// <summary>The operator is asked for a host, because what the file has for its port did not let us in.</summary>
    [Fact]
    public void What_was_typed_counts_before_every_line()
    {
        var all = CredentialsFile.Parse("nas:445 old wrong\nnas any wrong\nother me right\n", "f");
        all.Learn(new Credential("nas", "first", "typo"));
        all.Learn(new Credential("NAS", "typed", "right", "WORK"));
        Assert.Equal(("typed", "right", "WORK"), Of(all.For("nas", 445)));
        Assert.Equal(("me", "right", null), Of(all.For("other", 445)));
    }

    [Theory]
    [InlineData("nas me")]
    [InlineData("nas me hush WORK more")]
    [InlineData("nas me \"hush")]
    [InlineData("\"\" me hush")]
    public void A_line_that_cannot_be_understood_is_named_and_not_shown(string line)
    {
        var e = Assert.Throws<DrException>(() => CredentialsFile.Parse("ok me pw\n" + line, "/file"));
        Assert.Contains("/file, line 2:", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("me ", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite, true)]
    [InlineData(UnixFileMode.UserRead, true)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, false)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead, false)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupWrite, false)]
    public void Nobody_else_may_read_or_change_it(UnixFileMode mode, bool allowed)
    {
        string path = _folder.File("credentials");
        File.WriteAllText(path, "nas me hush\n");
        File.SetUnixFileMode(path, mode);
        if (allowed)
        {
            Assert.NotNull(CredentialsFile.Read(path).For("nas", 445));
        }
        else
        {
            var e = Assert.Throws<DrException>(() => CredentialsFile.Read(path));
            Assert.Equal(Failure.Refused, e.Failure);
            Assert.Contains("chmod 600 " + path, e.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The medium: FAT and ISO 9660 have no modes.</summary>
    [Theory]
    [InlineData("vfat", true)]
    [InlineData("iso9660", true)]
    [InlineData("ext4", false)]
    public void Where_files_have_no_modes_none_is_asked_for(string type, bool allowed)
    {
        string path = _folder.File("credentials");
        File.WriteAllText(path, "nas me hush\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var mounts = new MountTable([new Mount("0:1", "/", "ext4", "/dev/x", true, "rw"), new Mount("0:2", _folder.Root, type, "/dev/y", false, "ro")], []);
        Assert.Equal(allowed, Record.Exception(() => CredentialsFile.Read(path, mounts)) is null);
    }

    [Fact]
    public void What_cannot_be_read_is_said()
    {
        Assert.Contains("cannot be read", Assert.Throws<DrException>(() => CredentialsFile.Read(_folder.File("none"))).Message, StringComparison.Ordinal);
        string big = _folder.Sparse("big", 1 << 20);
        File.SetUnixFileMode(big, UnixFileMode.UserRead);
        Assert.Contains("65536 bytes at most", Assert.Throws<DrException>(() => CredentialsFile.Read(big)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_credential_does_not_print_itself() =>
        Assert.DoesNotContain("hush", $"{new Credential("nas", "me", "hush")} {Credentials.None.With(new Credential("nas", "me", "hush"))}", StringComparison.Ordinal);

    private static (string?, string?, string?) Of(Credential? c) => (c?.User, c?.Password, c?.Domain);
}
