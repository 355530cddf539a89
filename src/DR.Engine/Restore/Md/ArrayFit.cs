using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;
using DR.Engine.Restore.Packing;

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

    /// <exception cref="DrException">An array cannot be written as it was.</exception>
    public void RequireWritable()
    {
        if (_arrays.FindIndex(a => a.Shape.Array.Level is 4 or 5 or 6 && a.Devices.Contains(null)) is >= 0 and var degraded)
        {
            throw new DrException(Failure.DoesNotFit, $"array {_manifest.Arrays[degraded].Name} was saved without one of its devices: a {_arrays[degraded].Super.LevelName} cannot be written so; nothing was changed. Save it with all of them");
        }
    }

    /// <summary>The disks that get a target, by their indexes: all, or so many that each array still has all its bytes.</summary>
    /// <exception cref="DrException">There are not enough targets (<see cref="Failure.DoesNotFit"/>).</exception>
    public IReadOnlyList<int> Kept(int targets)
    {
        int count = _manifest.Disks.Count;
        if (targets >= count)
        {
            return [.. Enumerable.Range(0, count)];
        }

        return (count <= PartitionFold.MaxDisks ? Choices(count, targets) : []).Take(MaxChoices).FirstOrDefault(c => CanDoWith([.. c]))
            ?? throw new DrException(Failure.DoesNotFit,
                $"the image has {count} disks, {targets} target(s) are named, and without {count - targets} of the disks something would be lost that no array has twice; nothing was changed. Name one target for each: {string.Join(", ", _manifest.Disks.Select(d => $"{d.Identity.Path} with {d.Layout.Length} bytes"))}");
    }

    /// <summary>What is not as it was, in sentences.</summary>
    /// <param name="targets">What the disks of the plan are called.</param>
    public IEnumerable<string> Remarks(PlaceMap map, Func<int, string> targets)
    {
        foreach (var (array, source) in _arrays.Zip(_manifest.Arrays))
        {
            var places = Places(source, map);
            var gone = source.Members.Where((_, m) => places[m] is null).Select(m => _manifest.Disks[m.Disk].Identity.Path).Distinct().ToList();
            if (gone.Count > 0)
            {
                yield return $"array {source.Name} ({array.Super.LevelName}) comes back without its member on {string.Join(", ", gone)}: it is not redundant until a disk is added (mdadm {source.Path} --add)";
            }

            if (array.Shape.IsRedundant && places.OfType<TargetSegment>().GroupBy(p => p.Target).FirstOrDefault(g => g.Count() > 1) is { } together)
            {
                yield return $"array {source.Name} ({array.Super.LevelName}) gets {together.Count()} members on {targets(together.Key)}, because there are not enough disks: it may not survive the loss of that one";
            }
        }
    }

    /// <summary>Volumes that are left out with their disk, in sentences.</summary>
    public IEnumerable<string> LeftOutRemarks(IReadOnlyList<int> kept) =>
        _manifest.Volumes.Where(v => LeftOut(kept).Contains(v.Space)).Select(v => $"{_manifest.NameOf(v)} ({v.Title}) is left out with its disk");

    /// <summary>Members on other disks than these that their arrays can do without: spares, and copies of which there is another.</summary>
    public IReadOnlySet<(int Disk, int Partition)> Spare(IReadOnlyCollection<int> kept)
    {
        var spare = new HashSet<(int, int)>();
        foreach (var (array, source) in _arrays.Zip(_manifest.Arrays))
        {
            bool mirrored = array.Shape.Array.Level is 1 or 10;
            var there = Enumerable.Range(0, array.Devices.Count).Where(r => array.Devices[r] is { } m && (!mirrored || kept.Contains(source.Members[m].Disk))).ToHashSet();
            foreach (int role in Enumerable.Range(0, array.Devices.Count).Where(r => array.Devices[r] is not null && !there.Contains(r)))
            {
                // One that is needed fills a gap that nobody else fills: not those before it, and not those that were never saved.
                if (!array.Shape.Survives([.. Enumerable.Range(0, array.Devices.Count).Where(r => !there.Contains(r) && (r <= role || array.Devices[r] is null))]))
                {
                    there.Add(role);
                }
            }

            spare.UnionWith(source.Members.Where((m, i) => !kept.Contains(m.Disk) && !there.Any(r => array.Devices[r] == i)).Select(m => (m.Disk, m.Partition)));
        }

        return spare;
    }

    /// <summary>Whether an array has one member here and another on that disk.</summary>
    public bool ShareOne((int Disk, int Partition) member, int disk) =>
        _manifest.Arrays.Any(a => a.Members.Any(m => (m.Disk, m.Partition) == member) && a.Members.Any(m => m.Disk == disk));

    /// <summary>Spaces of volumes on disks that get no target.</summary>
    public IReadOnlyList<int> LeftOut(IReadOnlyCollection<int> kept) =>
        [.. _manifest.Volumes.Where(v => v.IsPlain && v.Segments[0].Disk < _manifest.Disks.Count && !kept.Contains(v.Segments[0].Disk)).Select(v => v.Space)];

    /// <summary>Where each member of an array goes; null for one whose disk gets no target.</summary>
    public static IReadOnlyList<TargetSegment?> Places(ManifestArray array, PlaceMap map) =>
        [.. array.Members.Select(m => map.Of(m.Disk, m.Partition) is { } place ? new TargetSegment(place.Disk, place.Partition, map.ExtentOf(place)) : null)];

    /// <summary>An array as its members will be on the targets: as long as the shortest of them allows, where they have grown.</summary>
    /// <param name="index">Of the array in the manifest.</param>
    /// <exception cref="DrException">It cannot be on members of such lengths (<see cref="Failure.DoesNotFit"/>).</exception>
    public ManifestArray After(int index, PlaceMap map)
    {
        var (source, found) = (_manifest.Arrays[index], _arrays[index]);
        var places = Places(source, map);
        var supers = source.Superblocks(source.Path);
        var there = Enumerable.Range(0, places.Count).Where(m => places[m] is not null).ToList();
        RequireOrder(source, found, there.Select(m => (m, places[m]!.Extent.Length)).ToList());
        bool grows = MdResizer.CanGrow(found.Super) && there.Any(m => map.GrownTo((places[m]!.Target, places[m]!.Partition)) is not null);
        long room = grows ? there.Min(m => MdResizer.RoomOn(supers[m].Superblock!, source.Members[m].Extent.Length, places[m]!.Extent.Length)) : 0;
        long size = Math.Max(found.Super.Size, room / Unit(found.Super) * Unit(found.Super));
        var resized = there.Select(m => Resized(source.Members[m], supers[m], places[m]!, size, found)).ToList();
        if (resized.Where((m, i) => m.Bitmap is null && source.Members[there[i]].Bitmap is not null).Any())
        {
            // All members have one, or none.
            resized = [.. resized.Select(m => m with { Bitmap = null })];
        }

        var after = source with { Members = resized };
        return after with { Layout = source.Layout with { Length = after.Read(source.Path).Shape.Length } };
    }

    /// <summary>Bytes in which an array grows.</summary>
    private static long Unit(MdSuperblock array) => Math.Max(array.Chunk, 64 << 10);

    /// <summary>
    /// Version 0.90 does not say how much of a member a RAID-0 or linear array uses: all that there is. Only where all members of a RAID-0 are equally
    /// long, and stay so, do its bytes lie where they were.
    /// </summary>
    private static void RequireOrder(ManifestArray source, MdFoundArray found, List<(int Member, long Length)> there)
    {
        bool equal = found.Super.Level == 0 && found.Shape.Columns.Distinct().Count() == 1 && there.Select(m => MdSuperblock.OffsetIn("0.90", m.Length)).Distinct().Count() == 1;
        int longer = there.FindIndex(m => m.Length != source.Members[m.Member].Extent.Length);
        if (found.Super is { Version: "0.90", Size: 0 } && !equal && longer >= 0)
        {
            throw new DrException(Failure.DoesNotFit,
                $"array {source.Name} is a {found.Super.LevelName} of version 0.90 on whole disks, whose bytes lie elsewhere where these are longer: its member {there[longer].Member} needs a target of {source.Members[there[longer].Member].Extent.Length} bytes; nothing was changed");
        }
    }

    private static ManifestArrayMember Resized(ManifestArrayMember member, MdMember read, TargetSegment place, long size, MdFoundArray found)
    {
        var resized = MdResizer.Resize(read, member.Extent.Length, place.Extent.Length, size == found.Super.Size ? 0 : size);
        var bitmap = size == found.Super.Size ? member.Bitmap
            : member.Bitmap is { } header ? MdWriter.LongerBitmap(header, Synced(found, found.Super.Size), Synced(found, size)) : null;
        return new ManifestArrayMember(place.Target, place.Partition, place.Extent, resized.Superblock!.Offset, resized.Bytes)
        {
            Bitmap = bitmap is not null && MdWriter.IsSound(bitmap, resized.Superblock, place.Extent.Length) ? bitmap : null,
        };
    }

    /// <summary>Bytes that the kernel goes through to make copies equal: of a RAID-10 those of the array, otherwise the whole chunks of a member.</summary>
    private static long Synced(MdFoundArray found, long size) => found.Super.Level switch
    {
        10 => (found.Shape with { Array = found.Super with { Size = size } }).Length,
        1 => size,
        _ => size / found.Super.Chunk * found.Super.Chunk,
    };

    /// <summary>The first disks are kept before the others.</summary>
    internal static IEnumerable<IReadOnlyList<int>> Choices(int count, int kept)
    {
        return From([], 0);

        IEnumerable<IReadOnlyList<int>> From(int[] chosen, int next) => chosen.Length == kept
            ? [chosen]
            : Enumerable.Range(next, Math.Max(0, count - next - (kept - chosen.Length) + 1)).SelectMany(d => From([.. chosen, d], d + 1));
    }

    private bool CanDoWith(HashSet<int> kept) =>
        LeftOut(kept).ToHashSet() is var leftOut && _manifest.Volumes.Where(v => leftOut.Contains(v.Space)).All(v => IsSpare(v, kept))
        && !_manifest.Groups.SelectMany(g => g.PhysicalVolumes).Any(p => p.Disk < _manifest.Disks.Count && !kept.Contains(p.Disk))
        && _manifest.Dynamics.Count == 0
        && _arrays.Zip(_manifest.Arrays).All(a => Survives(a.First, a.Second, kept));

    /// <summary>An EFI system partition, of which another disk has one, or swap space.</summary>
    private bool IsSpare(ManifestVolume volume, HashSet<int> kept)
    {
        var segment = volume.Segments[0];
        bool esp = IsEsp(_manifest.Disks[segment.Disk].Layout, segment.Partition);
        return volume.Kind == "swap" || esp && kept.Any(d => _manifest.Disks[d].Layout.Partitions.Any(p => p.Role == PartitionRole.Esp));
    }

    private static bool IsEsp(DiskLayout layout, int partition) => layout.Partitions.Any(p => p.Number == partition && p.Role == PartitionRole.Esp);

    /// <summary>Parity cannot be written without all columns.</summary>
    private static bool Survives(MdFoundArray array, ManifestArray source, HashSet<int> kept)
    {
        var missing = Enumerable.Range(0, array.Devices.Count).Where(r => array.Devices[r] is not { } m || !kept.Contains(source.Members[m].Disk)).ToList();
        bool loses = source.Members.Any(m => !kept.Contains(m.Disk));
        return !loses || array.Shape.Array.Level is 1 or 10 && array.Shape.Survives(missing);
    }
}
