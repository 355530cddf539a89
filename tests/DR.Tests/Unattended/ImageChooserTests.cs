using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Sources;
using DR.Engine.Unattended;

namespace DR.Tests.Unattended;

/// <summary>Which of the images that are found an answer means.</summary>
public class ImageChooserTests
{
    private static readonly FoundImage Old = Image(1, "nightly", "web01", 1);
    private static readonly FoundImage New = Image(2, "nightly", "web01", 2);
    private static readonly FoundImage Other = Image(3, "golden", "db01", 3);

    [Fact]
    public void All_that_is_given_has_to_match()
    {
        Assert.Equal(Other, Choose(new ImageCriteria("golden", null, null, false)));
        Assert.Equal(Other, Choose(new ImageCriteria(null, "DB01", null, false)));
        Assert.Equal(Old, Choose(new ImageCriteria("nightly", "web01", Old.Header.ImageId, false)));
        Assert.Equal(New, Choose(new ImageCriteria("nightly", null, null, true)));
        Assert.Equal(Other, Choose(new ImageCriteria(null, null, null, true)));
        Refused(() => Choose(new ImageCriteria("golden", "web01", null, true)), "no image is what the answer asks for (name \"golden\", host name \"web01\")", "/images/1", "/images/3 (\"golden\", db01, 1970-01-04 00:00 UTC, id ");
    }

    [Fact]
    public void Several_are_ambiguous_unless_the_newest_is_asked_for()
    {
        Refused(() => Choose(new ImageCriteria(null, "web01", null, false)), "2 images are what the answer asks for (host name \"web01\")", "/images/1", "/images/2", "\"newest\": true");
        Refused(() => Choose(new ImageCriteria(null, null, null, false)), "3 images", "(any image)");
    }

    [Fact]
    public void One_image_in_two_places_is_one_image() =>
        Assert.Equal(Old.Header.ImageId, ImageChooser.Choose(new ImageCriteria(null, null, null, false), [Old, Old with { Location = "/copy" }]).Header.ImageId);

    [Fact]
    public void None_at_all_is_told_as_such() =>
        Refused(() => ImageChooser.Choose(new ImageCriteria(null, null, null, true), []), "no image was found on any attached disk or on the medium");

    private static FoundImage Choose(ImageCriteria criteria) => ImageChooser.Choose(criteria, [Old, Other, New]);

    private static void Refused(Func<object> choose, params string[] words)
    {
        var error = Assert.Throws<DrException>(() => choose());
        Assert.Equal(Failure.Refused, error.Failure);
        Assert.All(words.Append("nothing was changed"), w => Assert.Contains(w, error.Message, StringComparison.Ordinal));
    }

    private static FoundImage Image(int number, string name, string host, int day) => new(
        $"/images/{number}", "here", new ImageHeader(new Guid(number, 0, 0, new byte[8]), Guid.Empty, Guid.Empty, DateTimeOffset.UnixEpoch.AddDays(day)),
        new Manifest(name, "dr", false, new MachineFacts(host, "Debian", "uefi", null, null, null, null, [], new Dictionary<string, byte[]>()), [], [], []), 1);
}
