using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Restore.Lvm;

namespace DR.Engine.Restore.Md;

/// <summary>Which disks of an image with arrays need a target, and where the members of its arrays go.</summary>
internal sealed class ArrayFit
{
    /// <summary>So many ways to leave disks out are looked at; all there are for up to twelve disks.</summary>
    private const int MaxChoices = 4096;

    private readonly Manifest _manifest;
    private readonly List<MdFoundArray> _arrays;

    public ArrayFit(Manifest manifest)
    {
        _manifest = manifest;
        _arrays = [.. manifest.Arrays.Select(a => a.Read(a.Path))];
    }

    /// <summary>The disks that get a target, by their indexes: all, or so many that each array still has all its bytes.</summary>
    /// <exception cref="DrException">There are not enough targets (<see cref="Failure.DoesNotFit"/>), or an array cannot be written as it was.</exception>
    public IReadOnlyList<int> Kept(int targets)
    {
        if (_arrays.FindIndex(a => a.Shape.Array.Level is 4 or 5 or 6 && a.Devices.Contains(null)) is >= 0 and var degraded)
        {
            throw new DrException(Failure.DoesNotFit, $"array {_manifest.Arrays[degraded].Name} was saved without one of its devices: a {_arrays[degraded].Super.LevelName} cannot be written so; nothing was changed. Save it with all of them");
        }

        int count = _manifest.Disks.Count;
        if (targets >= count)
        {
            return [.. Enumerable.Range(0, count)];
        }

        return Choices(count, targets).Take(MaxChoices).FirstOrDefault(CanDoWith)
            ?? throw new DrException(Failure.DoesNotFit,
                $"the image has {count} disks, {targets} target(s) are named, and without {count - targets} of the disks something would be lost that no array has twice; nothing was changed. Name one target for each: {string.Join(", ", _manifest.Disks.Select(d => $"{d.Identity.Path} with {d.Layout.Length} bytes"))}");
    }

    /// <summary>What is not as it was, in sentences.</summary>
    public IEnumerable<string> Remarks(IReadOnlyList<int> kept)
    {
        foreach (var (array, source) in _arrays.Zip(_manifest.Arrays))
        {
            var gone = source.Members.Where(m => !kept.Contains(m.Disk)).Select(m => _manifest.Disks[m.Disk].Identity.Path).Distinct().ToList();
            if (gone.Count > 0)
            {
                yield return $"array {source.Name} ({array.Super.LevelName}) comes back without its member on {string.Join(", ", gone)}: it is not redundant until a disk is added (mdadm {source.Path} --add)";
            }
        }

        foreach (var volume in _manifest.Volumes.Where(v => LeftOut(kept).Contains(v.Space)))
        {
            yield return $"{_manifest.NameOf(volume)} ({volume.Title}) is left out with its disk";
        }
    }

    /// <summary>Spaces of volumes on disks that get no target.</summary>
    public IReadOnlyList<int> LeftOut(IReadOnlyList<int> kept) =>
        [.. _manifest.Volumes.Where(v => v.IsPlain && v.Segments[0].Disk < _manifest.Disks.Count && !kept.Contains(v.Segments[0].Disk)).Select(v => v.Space)];

    /// <summary>Where each member of an array goes; null for one whose disk gets no target.</summary>
    public static IReadOnlyList<TargetSegment?> Places(ManifestArray array, IReadOnlyList<FittedDisk> disks) =>
        [.. array.Members.Select(m => disks.Select((d, i) => (Disk: d, Index: i)).Where(d => d.Disk.Source == m.Disk).Select(d => PlaceOn(d.Disk, d.Index, m)).FirstOrDefault())];

    private static TargetSegment PlaceOn(FittedDisk disk, int index, ManifestArrayMember member) => new(index, member.Partition,
        member.Extent with { Start = member.Partition == 0 ? 0 : disk.Layout.Partitions.First(p => p.Number == member.Partition).Extent.Start });

    /// <summary>The first disks are kept before the others.</summary>
    private static IEnumerable<IReadOnlyList<int>> Choices(int count, int kept)
    {
        return From([], 0);

        IEnumerable<IReadOnlyList<int>> From(int[] chosen, int next) => chosen.Length == kept
            ? [chosen]
            : Enumerable.Range(next, count - next).SelectMany(d => From([.. chosen, d], d + 1));
    }

    private bool CanDoWith(IReadOnlyList<int> kept) =>
        _manifest.Volumes.Where(v => LeftOut(kept).Contains(v.Space)).All(v => IsSpare(v, kept))
        && !_manifest.Groups.SelectMany(g => g.PhysicalVolumes).Any(p => p.Disk < _manifest.Disks.Count && !kept.Contains(p.Disk))
        && _manifest.Dynamics.Count == 0
        && _arrays.Zip(_manifest.Arrays).All(a => Survives(a.First, a.Second, kept));

    /// <summary>An EFI system partition, of which another disk has one, or swap space.</summary>
    private bool IsSpare(ManifestVolume volume, IReadOnlyList<int> kept)
    {
        var segment = volume.Segments[0];
        bool esp = IsEsp(_manifest.Disks[segment.Disk].Layout, segment.Partition);
        return volume.Kind == "swap" || esp && kept.Any(d => _manifest.Disks[d].Layout.Partitions.Any(p => p.Role == PartitionRole.Esp));
    }

    private static bool IsEsp(DiskLayout layout, int partition) => layout.Partitions.Any(p => p.Number == partition && p.Role == PartitionRole.Esp);

    /// <summary>Parity cannot be written without all columns.</summary>
    private static bool Survives(MdFoundArray array, ManifestArray source, IReadOnlyList<int> kept)
    {
        var missing = Enumerable.Range(0, array.Devices.Count).Where(r => array.Devices[r] is not { } m || !kept.Contains(source.Members[m].Disk)).ToList();
        bool loses = source.Members.Any(m => !kept.Contains(m.Disk));
        return !loses || array.Shape.Array.Level is 1 or 10 && array.Shape.Survives(missing);
    }
}
