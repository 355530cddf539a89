using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>
/// Makes a disk valid: what was held back and the tables first, then as the single last write what everything else is
/// found by. That is LBA 0; without a table it is the first 4 KiB, which hold LBA 0 and the filesystem's own header.
/// </summary>
internal static class TableCommit
{
    private const int Header = 4096;

    /// <summary>Filesystems without a table sign within their first 64 KiB and the block behind.</summary>
    private const int Signed = (64 << 10) + Header;

    /// <summary>Returns when all but the last write is on stable media.</summary>
    public static void Prepare(HeldBlockDevice disk, DiskLayout layout)
    {
        foreach (var write in Writes(disk, layout).Where(w => w.Offset != 0))
        {
            // Into memory where bytes are held back, so that older ones do not overwrite them.
            disk.Write(write.Bytes, write.Offset);
        }

        int last = LastLength(disk, layout);
        if (layout.Table == TableKind.None)
        {
            ReleaseFromBack(disk, last);
        }
        else
        {
            disk.Release(last, disk.Head.Length);
        }

        disk.Inner.Flush();
    }

    /// <exception cref="DrException">The table reads back differently.</exception>
    public static void MakeValid(HeldBlockDevice disk, DiskLayout layout)
    {
        var writes = Writes(disk, layout);
        if (writes.Count > 0)
        {
            writes[^1].Bytes.CopyTo(disk.Head);
        }

        disk.Release(0, LastLength(disk, layout));
        disk.Inner.Flush();
        Verify(disk, layout, writes);
    }

    /// <summary>Clears everything that <see cref="Prepare"/> and <see cref="MakeValid"/> write, LBA 0 first.</summary>
    public static void Undo(HeldBlockDevice disk, DiskLayout layout)
    {
        disk.Inner.Zero(new Extent(0, disk.SectorSize));
        disk.Inner.Flush();
        disk.Inner.Zero(new Extent(0, disk.Head.Length));
        foreach (var write in Writes(disk, layout).Where(w => w.Offset >= disk.Head.Length))
        {
            disk.Inner.Zero(new Extent(write.Offset, write.Bytes.Length));
        }

        disk.Inner.Flush();
    }

    /// <summary>LBA 0 is the last of them; none for a disk without a table.</summary>
    private static IReadOnlyList<TableWrite> Writes(HeldBlockDevice disk, DiskLayout layout) =>
        LayoutWriter.Build(layout, disk.Head[..disk.SectorSize]);

    private static int LastLength(HeldBlockDevice disk, DiskLayout layout) =>
        layout.Table == TableKind.None ? Math.Min(Header, disk.Head.Length) : disk.SectorSize;

    /// <summary>A filesystem must not be found before all of it is there, so the places of signatures come late, the first last.</summary>
    private static void ReleaseFromBack(HeldBlockDevice disk, int first)
    {
        int at = Math.Min(Signed, disk.Head.Length);
        disk.Release(at, disk.Head.Length);
        disk.Inner.Flush();
        for (; at > first; at -= Math.Min(Header, at - first))
        {
            disk.Release(Math.Max(first, at - Header), at);
        }
    }

    private static void Verify(HeldBlockDevice disk, DiskLayout expected, IReadOnlyList<TableWrite> writes)
    {
        Require(disk, 0, disk.Head, "first bytes");
        foreach (var write in writes)
        {
            Require(disk, write.Offset, write.Bytes, write.What);
        }

        var actual = LayoutReader.Read(disk.Inner);
        if (expected.Table != TableKind.None && (actual.Table != expected.Table || actual.Id != expected.Id
            || !actual.Partitions.Select(Essence).SequenceEqual(expected.Partitions.Select(Essence))))
        {
            throw new DrException(Failure.ReadBackDiffers, $"{disk.Name}: the partition table reads back differently from the plan");
        }
    }

    private static (int Number, Extent Extent, string Type, string? Id) Essence(PartitionEntry partition) =>
        (partition.Number, partition.Extent, partition.Type, partition.Id);

    private static void Require(HeldBlockDevice disk, long offset, ReadOnlySpan<byte> expected, string what)
    {
        if (!disk.Inner.ReadBytes(offset, expected.Length).AsSpan().SequenceEqual(expected))
        {
            throw new DrException(Failure.ReadBackDiffers, $"{disk.Name}: the {what} at offset {offset} read back differently from what was written");
        }
    }
}
