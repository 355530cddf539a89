using System.Security.Cryptography;
using System.Text;
using DR.Drills.Hosts;
using DR.Tests.Engine;

namespace DR.Tests.App;

/// <summary>The program with images that lie elsewhere.</summary>
[Trait("Category", "Slow")]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class SourceTests : IDisposable
{
    private const long MiB = 1 << 20;
    private const string Password = "Op3n-Sesame";

    private readonly RealDisks _real = new();

    public SourceTests()
    {
        Requires.Tools("nginx", "openssl");
        string disk = _real.Disk("source.raw", 30 * MiB, "label: gpt\nstart=2048,size=24M,type=linux,name=root\n", _real.Ext4("root", 24 * MiB));
        DrProcess.Run("capture", disk, "--to", At("server.drimg"), "--split", "4M").Is(0);
        File.WriteAllText(At("users"), $"restore:{{PLAIN}}{Password}\n");
    }

    public void Dispose() => _real.Dispose();

    /// <summary>And nowhere is the password: not in what is printed, not in the log, not in the arguments of any process.</summary>
    [Fact]
    public void An_image_on_https_with_a_password_is_shown_verified_and_restored()
    {
        using var web = new WebHost(_real.Folder, tls: true, $"auth_basic dr; auth_basic_user_file {At("users")};");
        string address = web.AddressOf("server.drimg");
        File.WriteAllText(At("credentials"), $"localhost restore {Password}\n");
        DrProcess.Run("info", address, "--ca", web.CaFile, "--credentials", At("credentials")).Is(3).Says("chmod 600");
        File.SetUnixFileMode(At("credentials"), UnixFileMode.UserRead | UnixFileMode.UserWrite);

        string[] source = [address, "--ca", web.CaFile, "--credentials", At("credentials"), "--verbose", "--log", At("log.txt")];
        var said = new StringBuilder();
        var info = DrProcess.Run(["info", .. source, "--json"]).Is(0);
        Assert.True(info.Json.GetProperty("image").GetProperty("complete").GetBoolean());
        said.Append(info.Output + info.Error);
        var verify = DrProcess.Run(["verify", .. source]).Is(0);
        Assert.StartsWith(address + ": whole.", verify.Output, StringComparison.Ordinal);
        said.Append(verify.Output + verify.Error);
        string target = _real.Blank("target.raw", 60 * MiB);
        var restore = DrProcess.Run(["restore", .. source, "--to", target, "--yes"]).Is(0);
        _real.AssertSound(_real.Extract(target, 1));
        said.Append(restore.Output + restore.Error);

        string[] stranger = [address, "--ca", web.CaFile, "--log", At("log.txt")];
        said.Append(DrProcess.Run(["info", .. stranger]).Is(1).Says("Put a name and password for localhost into the credentials file").Error);
        said.Append(DrProcess.Run("info", address).Is(1).Says("certificate is not trusted").Error);
        said.Append(File.ReadAllText(At("log.txt")));
        Assert.DoesNotContain(Password, said.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes("restore:" + Password)), said.ToString(), StringComparison.Ordinal);
        var inLocation = DrProcess.Run("restore", $"https://restore:{Password}@localhost/x.drimg", "--to", target, "--yes").Is(2);
        Assert.DoesNotContain(Password, inLocation.Output + inLocation.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_reached_leaves_every_byte_and_has_its_exit_code()
    {
        string target = _real.Blank("target.raw", 60 * MiB);
        string before = Hash(target);
        using var web = new WebHost(_real.Folder);
        DrProcess.Run("restore", web.AddressOf("none.drimg"), "--to", target, "--yes").Is(1).Says("there is no such image on the server");
        DrProcess.Run("restore", "label:NO-SUCH-VOLUME/x.drimg", "--to", target, "--yes").Is(1).Says("has the label NO-SUCH-VOLUME");
        DrProcess.Run("restore", "smb://nas/x.drimg", "--to", target, "--yes").Is(2).Says("smb://server/share/path is wanted");
        DrProcess.Run("restore", "tape:/dev/nst99", "--to", target, "--yes").Is(7).Says("/dev/nst99");
        DrProcess.Run("capture", At("source.raw"), "--to", web.AddressOf("new.drimg")).Is(2).Says("images are only read from web servers");
        DrProcess.Run("capture", At("source.raw"), "--to", "label:NO-SUCH-VOLUME/new.drimg").Is(1).Says("has the label NO-SUCH-VOLUME");
        File.Delete(At("server.drimg.002"));
        DrProcess.Run("restore", web.AddressOf("server.drimg"), "--to", target, "--yes").Is(4).Says("server.drimg.002", "is missing");
        web.Stop();
        DrProcess.Run("restore", web.AddressOf("server.drimg"), "--to", target, "--yes").Is(1).Says("the server cannot be reached");
        Assert.Equal(before, Hash(target));
    }

    [Fact]
    public void A_server_without_ranges_restores_all_the_same()
    {
        using var web = new WebHost(_real.Folder, settings: "max_ranges 0;");
        string target = _real.Blank("target.raw", 60 * MiB);
        Assert.Contains("it can only be read forward", DrProcess.Run("info", web.AddressOf("server.drimg")).Is(0).Output, StringComparison.Ordinal);
        var result = DrProcess.Run("restore", web.AddressOf("server.drimg"), "--to", target, "--yes").Is(0);
        Assert.Contains("The image can only be read forward", result.Output, StringComparison.Ordinal);
        _real.AssertSound(_real.Extract(target, 1));
    }

    private string At(string name) => Path.Combine(_real.Folder, name);

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
