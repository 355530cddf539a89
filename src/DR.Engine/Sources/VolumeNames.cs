using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Sources;

/// <summary>Volumes by the names that they bear themselves, which two of them may share.</summary>
internal static class VolumeNames
{
    /// <summary>Null where no volume has the name.</summary>
    /// <exception cref="DrException">Several have it, or it cannot be looked into.</exception>
    public static AttachedVolume? OnlyOrNone(ImageLocation.Volume wanted, IReadOnlyList<AttachedVolume> all) =>
        all.Any(v => Answers(v, wanted.Tag, wanted.Value)) ? Only(wanted, all) : null;

    /// <exception cref="DrException">None has this name, several have, or it cannot be looked into.</exception>
    public static AttachedVolume Only(ImageLocation.Volume wanted, IReadOnlyList<AttachedVolume> all)
    {
        var found = all.Where(v => Answers(v, wanted.Tag, wanted.Value)).ToList();
        string name = $"{wanted.Tag} {wanted.Value}";
        return found.Count switch
        {
            0 => throw new DrException(Failure.Failed, $"no volume of an attached disk has the {name}. There are: {Names(all)}"),
            1 when found[0].Unusable is { } reason => throw new DrException(Failure.Failed, $"{found[0].Path} with the {name}: {reason}"),
            1 => found[0],
            _ => throw new DrException(Failure.Refused,
                $"{found.Count} volumes have the {name}: {string.Join(", ", found.Select(v => $"{v.Path} ({v.Place})"))}; nothing was changed. Disconnect all but one, or use what tells them apart"),
        };
    }

    /// <summary>The location of the volume's root; null where every name that it has is another's too.</summary>
    public static string? NameOf(AttachedVolume volume, IReadOnlyList<AttachedVolume> all)
    {
        (string Tag, string? Value)[] names = [("uuid", volume.Uuid), ("label", volume.Label)];
        return names.Where(n => n.Value is not null && !n.Value.Contains('/', StringComparison.Ordinal) && all.Count(v => Answers(v, n.Tag, n.Value)) == 1)
            .Select(n => $"{n.Tag}:{n.Value}").FirstOrDefault();
    }

    /// <summary>The location of the volume's root by its label, which people know; null where it has none or shares it.</summary>
    public static string? LabelOf(AttachedVolume volume, IReadOnlyList<AttachedVolume> all) =>
        volume.Label is { Length: > 0 } label && !label.Contains('/', StringComparison.Ordinal) && all.Count(v => v.Label == label) == 1 ? "label:" + label : null;

    /// <summary>Labels are as they are written; digits of UUIDs have no case.</summary>
    private static bool Answers(AttachedVolume volume, string tag, string value) => tag == "label"
        ? volume.Label == value
        : value.Equals(volume.Uuid, StringComparison.OrdinalIgnoreCase);

    private static string Names(IReadOnlyList<AttachedVolume> all) =>
        all.Count == 0 ? "none" : string.Join(", ", all.Select(v => $"{v.Path} {v.Kind} label {v.Label ?? "-"} uuid {v.Uuid ?? "-"}"));
}
