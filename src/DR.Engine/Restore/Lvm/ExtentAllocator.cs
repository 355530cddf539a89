using DR.Core.Layout.Lvm;

namespace DR.Engine.Restore.Lvm;

/// <summary>Room for extents on a target.</summary>
/// <param name="Key">Of the physical volume.</param>
/// <param name="Disk">The target that it is on; stripes go to different ones.</param>
public sealed record ExtentRoom(string Key, int Disk, long Extents);

/// <param name="Volumes">The logical volumes, in the order of the group, with their new segments.</param>
/// <param name="Remarks">What is not as it was, in sentences.</param>
public sealed record ExtentAllocation(IReadOnlyList<LvmLogicalVolume> Volumes, IReadOnlyList<string> Remarks);

/// <summary>
/// Places logical volumes on physical volumes, from the front of each: those that have to go to certain disks first, then the sides of mirrors
/// and striped ones, on different disks, then the largest first, each on the physical volume that it fills best, and in as few pieces as possible where none holds it. Finds a
/// place whenever there are enough extents. The same input has the same result.
/// </summary>
public sealed class ExtentAllocator
{
    private readonly IReadOnlyList<ExtentRoom> _rooms;
    private readonly long[] _used;
    private readonly List<string> _remarks = [];
    private IReadOnlySet<int>? _allowed;

    private ExtentAllocator(IReadOnlyList<ExtentRoom> rooms)
    {
        _rooms = rooms;
        _used = new long[rooms.Count];
    }

    /// <param name="allowed">The disks that a logical volume, by its name, has to go to; null for any.</param>
    /// <returns>Null where there are not enough extents.</returns>
    public static ExtentAllocation? Allocate(LvmGroup group, IReadOnlyList<ExtentRoom> rooms, Func<string, IReadOnlySet<int>?>? allowed = null)
    {
        var mirrors = group.Volumes.Where(v => v.Mirror is not null).OrderByDescending(v => v.Extents).ToList();
        for (int single = 0; single <= mirrors.Count; single++)
        {
            var given = mirrors.Take(single).Select(v => v.Name).ToHashSet();
            if (Allocate(group, rooms, allowed, given) is { } allocation)
            {
                return allocation;
            }
        }

        return null;
    }

    /// <param name="given">Mirrors that become linear, because there is no room for their sides.</param>
    private static ExtentAllocation? Allocate(LvmGroup group, IReadOnlyList<ExtentRoom> rooms, Func<string, IReadOnlySet<int>?>? allowed, HashSet<string> given)
    {
        var allocator = new ExtentAllocator(rooms);
        var placed = new Dictionary<string, LvmLogicalVolume>();
        foreach (var volume in group.Volumes.OrderBy(v => allowed?.Invoke(v.Name)?.Count ?? int.MaxValue)
            .ThenBy(v => v.Mirror is not null ? 0 : IsStriped(v) ? 1 : 2).ThenByDescending(v => v.Extents))
        {
            allocator._allowed = allowed?.Invoke(volume.Name);
            if (volume.Mirror is { } mirror && !given.Contains(volume.Name) && allocator.Mirrored(group, mirror) is { } parts)
            {
                parts.ForEach(p => placed[p.Name] = p);
                placed[volume.Name] = volume;
                continue;
            }

            if (allocator.Place(group, volume) is not { } segments)
            {
                return null;
            }

            placed[volume.Name] = volume with { Segments = segments, Mirror = null };
        }

        return new ExtentAllocation([.. group.LogicalVolumes.Where(v => placed.ContainsKey(v.Name)).Select(v => placed[v.Name])], allocator._remarks);
    }

    private static bool IsStriped(LvmLogicalVolume volume) => volume.Segments.Any(s => s.Stripes.Count > 1);

    /// <summary>Each side in one run with its log, and no two on one disk; null where that cannot be, with nothing taken.</summary>
    private List<LvmLogicalVolume>? Mirrored(LvmGroup group, LvmMirror mirror)
    {
        long[] before = [.. _used];
        var parts = new List<LvmLogicalVolume>();
        var disks = new HashSet<int>();
        for (int side = 0; side < mirror.Images.Count; side++)
        {
            string?[] names = [mirror.Images[side], mirror.Logs.ElementAtOrDefault(side)];
            var own = names.OfType<string>().Select(group.LogicalVolume).ToList();
            long extents = own.Sum(v => v.Extents);
            int room = Enumerable.Range(0, _rooms.Count).Where(i => Free(i) >= extents && !disks.Contains(_rooms[i].Disk)).OrderByDescending(Free).ThenBy(i => i).FirstOrDefault(-1);
            if (room < 0)
            {
                before.CopyTo(_used, 0);
                return null;
            }

            disks.Add(_rooms[room].Disk);
            parts.AddRange(own.Select(v => v with { Segments = [new LvmSegment(0, v.Extents, 0, [Take(room, v.Extents)])] }));
        }

        return parts;
    }

    private List<LvmSegment>? Place(LvmGroup group, LvmLogicalVolume volume)
    {
        if (volume.Mirror is { } mirror)
        {
            _remarks.Add($"{group.Name}/{volume.Name} was there {mirror.Images.Count} times and comes back once, not redundant any more: there are not {mirror.Images.Count} disks with room for it; lvconvert --mirrors 1 makes it redundant again");
        }

        if (IsStriped(volume))
        {
            long[] before = [.. _used];
            if (Striped(volume) is { } segments)
            {
                return segments;
            }

            before.CopyTo(_used, 0);
            int most = volume.Segments.Max(s => s.Stripes.Count);
            _remarks.Add($"{group.Name}/{volume.Name} was striped over {most} disks and becomes linear: there are not {most} disks with room for its stripes");
        }

        return Linear(volume.Extents);
    }

    private List<LvmSegment>? Striped(LvmLogicalVolume volume)
    {
        var segments = new List<LvmSegment>();
        foreach (var segment in volume.Segments)
        {
            var chosen = Enumerable.Range(0, _rooms.Count).Where(i => Free(i) >= segment.StripeExtents)
                .OrderByDescending(Free).ThenBy(i => i).DistinctBy(i => _rooms[i].Disk).Take(segment.Stripes.Count).Order().ToList();
            if (chosen.Count < segment.Stripes.Count)
            {
                return null;
            }

            segments.Add(segment with { Stripes = [.. chosen.Select(i => Take(i, segment.StripeExtents))] });
        }

        return segments;
    }

    private List<LvmSegment>? Linear(long extents)
    {
        var segments = new List<LvmSegment>();
        for (long first = 0; first < extents;)
        {
            long left = extents - first;
            int room = Enumerable.Range(0, _rooms.Count).Where(i => Free(i) > 0)
                .OrderBy(i => Free(i) >= left ? 0 : 1).ThenBy(i => Free(i) >= left ? Free(i) : -Free(i)).ThenBy(i => i).FirstOrDefault(-1);
            if (room < 0)
            {
                return null;
            }

            long count = Math.Min(left, Free(room));
            segments.Add(new LvmSegment(first, count, 0, [Take(room, count)]));
            first += count;
        }

        return segments;
    }

    /// <summary>Extents that the volume which is placed now may have there.</summary>
    private long Free(int room) => _allowed?.Contains(_rooms[room].Disk) == false ? 0 : _rooms[room].Extents - _used[room];

    private LvmStripe Take(int room, long extents)
    {
        var stripe = new LvmStripe(_rooms[room].Key, _used[room]);
        _used[room] += extents;
        return stripe;
    }
}
