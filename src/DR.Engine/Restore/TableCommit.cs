using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>Makes a disk valid: what was held back, the tables, LBA 0 as the single last write; then removes the mark.</summary>
internal static class TableCommit
{
    public static void Run(HeldBlockDevice disk, TargetDisk target)
    {
        int sector = disk.SectorSize;
        var bootSector = disk.Head[..sector].ToArray();
        var writes = LayoutWriter.Build(target.Layout, bootSector);
        var lba0 = writes.Count > 0 && writes[^1].Offset == 0 ? writes[^1] : new TableWrite(0, bootSector, "first sector");
        foreach (var write in writes.Where(w => w.Offset != 0))
        {
            Place(disk, write);
        }

        disk.Release();
        disk.Inner.Flush();
        disk.Inner.Write(lba0.Bytes, 0);
        lba0.Bytes.CopyTo(disk.Head);
        disk.Inner.Flush();
        RemoveMarker(disk, target);
        Verify(disk, target, writes);
    }

    /// <summary>Into memory where the bytes are held back, so that they are not overwritten by older ones.</summary>
    private static void Place(HeldBlockDevice disk, TableWrite write) => disk.Write(write.Bytes, write.Offset);

    private static void RemoveMarker(HeldBlockDevice disk, TargetDisk target)
    {
        if (target.MarkerOffset is { } offset && offset >= disk.Head.Length)
        {
            disk.Inner.Zero(new Extent(offset, RestoreMarker.Length));
            disk.Inner.Flush();
        }
    }

    private static void Verify(HeldBlockDevice disk, TargetDisk target, IReadOnlyList<TableWrite> writes)
    {
        Require(disk, 0, disk.Head, "first bytes");
        foreach (var write in writes)
        {
            Require(disk, write.Offset, write.Bytes, write.What);
        }

        var actual = LayoutReader.Read(disk.Inner);
        var expected = target.Layout;
        if (actual.Table != expected.Table || actual.Id != expected.Id
            || !actual.Partitions.Select(p => (p.Number, p.Extent, p.Type, p.Id)).SequenceEqual(expected.Partitions.Select(p => (p.Number, p.Extent, p.Type, p.Id))))
        {
            throw new DrException(Failure.ReadBackDiffers, $"{disk.Name}: the partition table reads back differently from the plan");
        }
    }

    private static void Require(HeldBlockDevice disk, long offset, ReadOnlySpan<byte> expected, string what)
    {
        if (!disk.Inner.ReadBytes(offset, expected.Length).AsSpan().SequenceEqual(expected))
        {
            throw new DrException(Failure.ReadBackDiffers, $"{disk.Name}: the {what} at offset {offset} read back differently from what was written");
        }
    }
}
