using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Image;
using DR.Core.Primitives;

namespace DR.Engine.Capture;

/// <summary>A step of a capture: a map to write, or blocks to read.</summary>
internal abstract record CaptureStep(Space Space);

internal sealed record MapStep(Space Space, BlockMap Map) : CaptureStep(Space);

/// <summary>Blocks of one frame.</summary>
/// <param name="Device">The space's own bytes.</param>
/// <param name="Runs">In order of their blocks.</param>
/// <param name="Used">Bytes of the blocks that the filesystem uses, in order; null if it uses them all.</param>
internal sealed record BlockStep(Space Space, IBlockDevice Device, IReadOnlyList<BlockRun> Runs, IReadOnlyList<Extent>? Used) : CaptureStep(Space);

/// <summary>
/// Divides a space into frames: its control set first, so that an image can be mounted with one seek, then the rest, both
/// in device order.
/// </summary>
internal static class BlockReads
{
    public static IEnumerable<CaptureStep> OfRegion(Space space, IBlockDevice device) =>
        Frames(space, device, BlockMap.Full(space.Length, space.BlockSize).Runs().Select(r => (r.First, r.Count)), null);

    /// <param name="reader">Null where the volume is saved whole.</param>
    /// <param name="unreadable">Told when the filesystem's own map cannot be read, so that all of the volume is saved.</param>
    public static IEnumerable<CaptureStep> OfVolume(
        Space space, IBlockDevice device, IFileSystemReader? reader, CaptureRequest request, Action<DeviceFaultException> unreadable)
    {
        var mapped = request.AllBlocks || reader is not { Facts.Mapped: true } ? null : MapOf(space, reader, request.KeepPagefiles, unreadable);
        var map = mapped ?? BlockMap.Full(space.Length, space.BlockSize);
        yield return new MapStep(space, map);
        var content = mapped is null ? device : reader!.Replayed ?? device;
        var control = ControlOf(space, reader);
        foreach (bool wanted in (bool[])[true, false])
        {
            using var cursor = mapped is null ? null : new AllocationCursor(Used(reader!, request.KeepPagefiles));
            foreach (var step in Frames(space, content, Select(map, control, wanted), cursor))
            {
                yield return step;
            }
        }
    }

    private static BlockMap? MapOf(Space space, IFileSystemReader reader, bool keepExcluded, Action<DeviceFaultException> unreadable)
    {
        var map = new BlockMap(space.Length, space.BlockSize);
        try
        {
            foreach (var extent in keepExcluded ? [] : reader.Excluded().AsEnumerable())
            {
                map.Mark(extent, MapState.Excluded);
            }

            foreach (var extent in Used(reader, keepExcluded))
            {
                map.Mark(extent, MapState.Allocated);
            }

            return map;
        }
        catch (DeviceFaultException e) when (SectorReader.IsOfMedium(e))
        {
            unreadable(e);
            return null;
        }
    }

    /// <summary>Empty where it cannot be read: it only decides what comes first.</summary>
    private static BlockMap ControlOf(Space space, IFileSystemReader? reader)
    {
        var control = new BlockMap(space.Length, space.BlockSize);
        try
        {
            foreach (var extent in reader?.ControlSet().AsEnumerable() ?? [])
            {
                control.Mark(extent, MapState.Allocated);
            }

            return control;
        }
        catch (DeviceFaultException e) when (SectorReader.IsOfMedium(e))
        {
            return new BlockMap(space.Length, space.BlockSize);
        }
    }

    private static IEnumerable<Extent> Used(IFileSystemReader reader, bool keepExcluded)
    {
        var all = new Extent(0, long.MaxValue);
        return keepExcluded && !reader.Excluded().IsEmpty
            ? ExtentSet.From(reader.Allocated(all).Concat(reader.Excluded().AsEnumerable())).AsEnumerable()
            : reader.Allocated(all);
    }

    /// <summary>Runs of allocated blocks that are, or are not, in the control set.</summary>
    private static IEnumerable<(long First, long Count)> Select(BlockMap map, BlockMap control, bool wanted)
    {
        foreach (var (first, count, _) in map.Runs().Where(r => r.State == MapState.Allocated))
        {
            for (long at = first; at < first + count;)
            {
                bool inside = control[at] == MapState.Allocated;
                long end = Math.Min(first + count, control.Find(at, inside ? MapState.Free : MapState.Allocated));
                if (inside == wanted)
                {
                    yield return (at, end - at);
                }

                at = end;
            }
        }
    }

    private static IEnumerable<CaptureStep> Frames(Space space, IBlockDevice device, IEnumerable<(long First, long Count)> runs, AllocationCursor? cursor)
    {
        int room = ImageFormat.MaxFrameBytes / space.BlockSize;
        var frame = new List<BlockRun>();
        int filled = 0;
        foreach (var (first, count) in runs)
        {
            for (long at = first; at < first + count;)
            {
                int take = (int)Math.Min(room - filled, first + count - at);
                frame.Add(new BlockRun(at, take, Disposition.Stored));
                filled += take;
                at += take;
                if (filled == room)
                {
                    yield return Step(space, device, frame, cursor);
                    (frame, filled) = ([], 0);
                }
            }
        }

        if (filled > 0)
        {
            yield return Step(space, device, frame, cursor);
        }
    }

    private static BlockStep Step(Space space, IBlockDevice device, List<BlockRun> runs, AllocationCursor? cursor)
    {
        if (cursor is null)
        {
            return new BlockStep(space, device, runs, null);
        }

        var used = new List<Extent>();
        long wanted = 0;
        foreach (var run in runs)
        {
            var extent = Extent.Between(run.First * space.BlockSize, Math.Min(space.Length, (run.First + run.Count) * space.BlockSize));
            wanted += extent.Length;
            cursor.Collect(extent, used);
        }

        return new BlockStep(space, device, runs, used.Sum(e => e.Length) == wanted ? null : used);
    }
}
