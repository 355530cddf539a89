using DR.Core.Primitives;
using DR.Engine.Media;
using DR.Tests.Architecture;
using DR.Tests.Doubles;

namespace DR.Tests.Media;

public sealed class MediaPlannerTests : IDisposable
{
    private static readonly string Live = Path.Combine(SourceTree.Root, "live");

    private readonly string _folder = Directory.CreateTempSubdirectory("dr-media").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_same_inputs_give_the_same_plan()
    {
        var one = MediaPlanner.Plan(Request());
        var other = MediaPlanner.Plan(Request());

        Assert.Equal((one.RootKey, one.Label), (other.RootKey, other.Label));
        Assert.Equal(one.Packages, other.Packages);
        Assert.Contains("live-boot", one.Packages);
        Assert.Matches("^DR_[0-9A-F]{12}$", one.Label);
    }

    [Fact]
    public void What_is_on_the_medium_decides_its_label_and_the_packages_decide_the_root()
    {
        var plain = MediaPlanner.Plan(Request());
        var image = MediaPlanner.Plan(Request() with { Images = [Write("server.drimg", "content")] });
        var firmware = MediaPlanner.Plan(Request() with { Firmware = true });

        Assert.NotEqual(plain.Label, image.Label);
        Assert.Equal(plain.RootKey, image.RootKey);
        Assert.NotEqual(plain.RootKey, firmware.RootKey);
        Assert.Equal("main,non-free-firmware", firmware.Components);
        Assert.Contains("firmware-bnx2", firmware.Packages);
        Assert.DoesNotContain("firmware-bnx2", plain.Packages);
    }

    [Fact]
    public void Files_are_put_where_the_medium_looks_for_them()
    {
        Write("split.drimg.001", "1");
        Write("split.drimg.002", "2");

        var plan = MediaPlanner.Plan(Request() with { Images = [Write("a.drimg", "a"), Path.Combine(_folder, "split.drimg")] });

        Assert.Equal(
            ["/dr/images/a.drimg", "/dr/images/split.drimg.001", "/dr/images/split.drimg.002"],
            plan.Files.Select(f => f.Target));
    }

    [Fact]
    public void Two_images_of_one_name_are_refused()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "other"));
        string[] images = [Write("a.drimg", "a"), Write("other/a.drimg", "b")];

        Refused(Failure.Usage, "two images", Request() with { Images = images });
    }

    [Fact]
    public void A_missing_image_is_named() =>
        Refused(Failure.Usage, "nowhere.drimg", Request() with { Images = [Path.Combine(_folder, "nowhere.drimg")] });

    [Fact]
    public void A_private_key_is_not_put_on_a_medium() =>
        Refused(Failure.Usage, "public keys", Request() with { SshKey = Write("id", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n") });

    [Fact]
    public void A_public_key_is_accepted() =>
        Assert.NotNull(MediaPlanner.Plan(Request() with { SshKey = Write("id.pub", "ssh-ed25519 AAAA operator\n") }).Request.SshKey);

    [Fact]
    public void A_program_without_its_runtime_is_refused_with_the_command_that_makes_one()
    {
        var request = Request();
        File.Delete(Path.Combine(request.Program, "libcoreclr.so"));

        Refused(Failure.Missing, "scripts/publish.sh", request);
    }

    [Fact]
    public void An_iso_that_exists_is_not_replaced_unasked()
    {
        var request = Request();
        File.WriteAllText(request.Output, "kept");

        Refused(Failure.Refused, "exists", request);
        Assert.NotNull(MediaPlanner.Plan(request with { Overwrite = true }));
    }

    [Fact]
    public void Answer_authorities_and_credentials_have_their_places()
    {
        string credentials = Write("credentials", "server user password\n");
        Tools.Run("chmod", "600", credentials);

        var plan = MediaPlanner.Plan(Request() with { Answer = Write("a.json", "{ // how\n \"image\": \"x\", }"), Authorities = Certificate(), Credentials = credentials });

        Assert.Equal(["/dr/answer.json", "/dr/ca.pem", "/dr/credentials"], plan.Files.Select(f => f.Target));
        Assert.NotEqual(plan.Label, MediaPlanner.Plan(plan.Request with { Answer = Write("a.json", "{}") }).Label);
    }

    [Fact]
    public void An_answer_that_is_no_json_is_refused_with_its_line() =>
        Refused(Failure.Usage, "line 2", Request() with { Answer = Write("a.json", "{\n oops }") });

    [Fact]
    public void A_private_key_among_the_authorities_is_refused() =>
        Refused(Failure.Usage, "certificates", Request() with { Authorities = Write("ca.pem", File.ReadAllText(Certificate()) + "-----BEGIN PRIVATE KEY-----\n") });

    [Fact]
    public void Authorities_that_are_none_are_refused() =>
        Refused(Failure.Usage, "certificates", Request() with { Authorities = Write("ca.pem", "hello") });

    [Fact]
    public void Credentials_that_others_can_read_are_refused()
    {
        string file = Write("credentials", "secret");
        Tools.Run("chmod", "640", file);
        Refused(Failure.Refused, "chmod 600", Request() with { Credentials = file });
    }

    [Fact]
    public void Drivers_decide_the_root_and_modules_that_nobody_signed_are_told()
    {
        string drivers = Directory.CreateDirectory(Path.Combine(_folder, "drivers")).FullName;
        Refused(Failure.Usage, "empty", Request() with { Drivers = drivers });
        Write("drivers/plain.ko", "code");
        Write("drivers/signed.ko", "code~Module signature appended~\n");
        var plan = MediaPlanner.Plan(Request() with { Drivers = drivers });

        Assert.Equal(["plain.ko"], plan.Drivers!.WithoutSignature.Select(Path.GetFileName));
        Assert.NotEqual(MediaPlanner.Plan(Request()).RootKey, plan.RootKey);
        Write("drivers/plain.ko", "other code");
        Assert.NotEqual(plan.RootKey, MediaPlanner.Plan(Request() with { Drivers = drivers }).RootKey);
    }

    [Fact]
    public void Package_lists_have_comments() =>
        Assert.Equal(["a", "b", "c"], MediaPlanner.PackageList("# x\na b # y\n\n\tc\n"));

    private string Certificate()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=drill", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        var day = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var certificate = request.CreateSelfSigned(day, day.AddYears(9));
        return Write("authority.pem", certificate.ExportCertificatePem());
    }

    private static void Refused(Failure failure, string words, MediaRequest request)
    {
        var e = Assert.Throws<DrException>(() => MediaPlanner.Plan(request));
        Assert.Equal(failure, e.Failure);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
    }

    private MediaRequest Request()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "program"));
        Write("program/dr", "program");
        Write("program/libcoreclr.so", "runtime");
        return new MediaRequest(Path.Combine(_folder, "out.iso"), Path.Combine(_folder, "program"), Live, Path.Combine(_folder, "cache"));
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
