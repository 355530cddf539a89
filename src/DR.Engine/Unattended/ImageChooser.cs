using DR.Core.Primitives;
using DR.Engine.Sources;

namespace DR.Engine.Unattended;

/// <summary>Which of the images that were found an answer means. Pure.</summary>
public static class ImageChooser
{
    /// <exception cref="DrException">None matches, or several do and the newest is not asked for (<see cref="Failure.Refused"/>).</exception>
    public static FoundImage Choose(ImageCriteria criteria, IReadOnlyList<FoundImage> images)
    {
        // One image can be found in two places: the same id is the same content.
        var matching = images.Where(i => Matches(criteria, i)).DistinctBy(i => i.Header.ImageId).OrderByDescending(i => i.Header.Created).ToList();
        return matching.Count == 0
            ? throw new DrException(Failure.Refused, images.Count == 0
                ? "no image was found on any attached disk or on the medium; nothing was changed. Is the disk with the image attached?"
                : $"no image is what the answer asks for ({Words(criteria)}); nothing was changed. There are: {string.Join("; ", images.Select(Title))}")
            : matching.Count > 1 && !criteria.Newest
                ? throw new DrException(Failure.Refused,
                    $"{matching.Count} images are what the answer asks for ({Words(criteria)}); nothing was changed. Let it say \"newest\": true, or the id of one of them: {string.Join("; ", matching.Select(Title))}")
                : matching[0];
    }

    private static bool Matches(ImageCriteria criteria, FoundImage image) =>
        (criteria.Name is null || criteria.Name == image.Manifest.Name)
        && (criteria.HostName is null || string.Equals(criteria.HostName, image.Manifest.Machine.HostName, StringComparison.OrdinalIgnoreCase))
        && (criteria.Id is null || criteria.Id == image.Header.ImageId);

    private static string Words(ImageCriteria criteria)
    {
        string words = string.Join(", ", ((string?[])
        [
            criteria.Name is null ? null : $"name \"{criteria.Name}\"",
            criteria.HostName is null ? null : $"host name \"{criteria.HostName}\"",
            criteria.Id is null ? null : $"id {criteria.Id}",
        ]).OfType<string>());
        return words.Length == 0 ? "any image" : words;
    }

    private static string Title(FoundImage image) =>
        $"{image.Location} (\"{image.Manifest.Name}\", {image.Manifest.Machine.HostName}, {image.Header.Created:yyyy-MM-dd HH:mm} UTC, id {image.Header.ImageId})";
}
