using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Sources;

namespace DR.Tests.Sources;

public sealed class ImageLocationTests
{
    [Theory]
    [InlineData("server.drimg")]
    [InlineData("/mnt/a b/server.drimg")]
    [InlineData("labels/x.drimg")]
    public void What_has_no_scheme_is_a_path(string location)
    {
        Assert.Equal(new ImageLocation.File(location), ImageLocation.Parse(location));
        Assert.False(ImageLocation.HasScheme(location));
    }

    [Theory]
    [InlineData("smb://nas/backup/dir/a b%20.drimg", "nas", null, "backup", "dir/a b%20.drimg")]
    [InlineData("smb://10.0.2.2:4450/backup/x.drimg", "10.0.2.2", 4450, "backup", "x.drimg")]
    [InlineData("smb://[fe80::1]:445/s/x.drimg", "[fe80::1]", 445, "s", "x.drimg")]
    public void An_smb_location_has_a_share(string location, string server, int? port, string share, string path) =>
        Assert.Equal(new ImageLocation.Share(new NetworkShare("smb", server, port, share), path), ImageLocation.Parse(location));

    [Theory]
    [InlineData("nfs://nas/srv/backup/x.drimg", "nas", null, "/srv/backup", "x.drimg")]
    [InlineData("nfs://nas:2050/srv/x.drimg", "nas", 2050, "/srv", "x.drimg")]
    public void An_nfs_location_has_the_folder_of_the_image(string location, string server, int? port, string export, string path) =>
        Assert.Equal(new ImageLocation.Share(new NetworkShare("nfs", server, port, export), path), ImageLocation.Parse(location));

    [Fact]
    public void A_volume_is_named_by_its_label_or_uuid()
    {
        Assert.Equal(new ImageLocation.Volume("label", "MY DISK", "dr/images/x.drimg"), ImageLocation.Parse("label:MY DISK/dr/images/x.drimg"));
        Assert.Equal(new ImageLocation.Volume("uuid", "1234-ABCD", "x.drimg"), ImageLocation.Parse("uuid:1234-ABCD/x.drimg"));
    }

    [Fact]
    public void A_web_address_is_taken_as_it_is() =>
        Assert.Equal(new ImageLocation.Web(new Uri("https://srv:8443/a/x.drimg?sig=1")), ImageLocation.Parse("https://srv:8443/a/x.drimg?sig=1"));

    [Theory]
    [InlineData("tape:", "tape:/dev/nst0 is wanted")]
    [InlineData("vtape:dir#x", "vtape:DIR is wanted")]
    [InlineData("tape:/dev/nst0#0", "tape:/dev/nst0#2 for the second image")]
    [InlineData("smb://nas/x.drimg", "smb://server/share/path is wanted")]
    [InlineData("smb:///share/x.drimg", "no name or address of a server")]
    [InlineData("smb://nas:0/share/x.drimg", "no name or address of a server")]
    [InlineData("smb://na,s/share/x.drimg", "no name or address of a server")]
    [InlineData("smb://nas/share/../x.drimg", "has . or .. in it")]
    [InlineData("smb://nas/share/", "the path of the image is missing")]
    [InlineData("nfs://nas/x.drimg", "nfs://server/export/path is wanted")]
    [InlineData("nfs://nas", "nfs://server/export/path is wanted")]
    [InlineData("label:/x.drimg", "label:LABEL/path is wanted")]
    [InlineData("uuid:1234", "uuid:UUID/path is wanted")]
    [InlineData("label:X/a/../../etc/x", "has . or .. in it")]
    [InlineData("http://", "an address such as")]
    [InlineData("https:///x", "an address such as")]
    public void What_cannot_be_understood_is_wrong_usage(string location, string words)
    {
        var e = Assert.Throws<DrException>(() => ImageLocation.Parse(location));
        Assert.Equal(Failure.Usage, e.Failure);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("smb://me:hush@nas/share/x.drimg")]
    [InlineData("https://me:hush@srv/x.drimg")]
    [InlineData("http://hush@srv/x.drimg")]
    [InlineData("nfs://me:hush@nas/e/x.drimg")]
    public void A_password_in_a_location_is_refused_and_not_repeated(string location)
    {
        var e = Assert.Throws<DrException>(() => ImageLocation.Parse(location));
        Assert.Contains("does not belong into a location", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", e.Message, StringComparison.Ordinal);
    }
}
