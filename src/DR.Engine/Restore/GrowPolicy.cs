using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;

namespace DR.Engine.Restore;

public enum GrowKind
{
    /// <summary>The growable volume that lies last on the disk.</summary>
    Last,

    /// <summary>All growable volumes, by their sizes.</summary>
    Proportional,

    None,

    /// <summary>The one volume of a given label.</summary>
    Label,
}

/// <summary>Who gets the space that a larger disk has more.</summary>
/// <param name="Label">Only for <see cref="GrowKind.Label"/>.</param>
public sealed record GrowPolicy(GrowKind Kind, string? Label = null)
{
    public static GrowPolicy Default { get; } = new(GrowKind.Last);

    /// <summary>Reads "last", "proportional", "none", or the label of a filesystem or name of a partition.</summary>
    /// <exception cref="DrException">The text is empty.</exception>
    public static GrowPolicy Parse(string text) => text switch
    {
        "last" => Default,
        "proportional" => new GrowPolicy(GrowKind.Proportional),
        "none" => new GrowPolicy(GrowKind.None),
        "" => throw new DrException(Failure.Usage, "--grow needs last, proportional, none, or the label of a volume"),
        _ => new GrowPolicy(GrowKind.Label, text),
    };

    /// <summary>
    /// Whether this policy asks for this volume by its label. Of several disks only the one that holds such a volume can
    /// be fitted under the policy; the others are fitted with <see cref="GrowKind.None"/>.
    /// </summary>
    public bool Names(DiskLayout disk, FitVolume volume) => Kind == GrowKind.Label
        && (volume.Label == Label || disk.Partitions.Any(p => p.Number == volume.PartitionNumber && p.Name == Label));
}
