using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Btrfs;

/// <summary>Recognises btrfs and decides whether its map can be trusted; where it cannot, the volume is saved whole.</summary>
internal static class BtrfsProbe
{
    private const ulong WrittenFlag = 1;
    private const ulong FirstChunkTree = 256;

    /// <summary>Null where the volume bears no btrfs magic.</summary>
    public static IFileSystemReader? Open(IBlockDevice volume, ProbeDepth depth)
    {
        if (BtrfsSuperblock.Read(volume) is not { } superblock)
        {
            return null;
        }

        if (WhyNotKnown(superblock) is { } unknown)
        {
            return Whole(volume, superblock, true, unknown);
        }

        if ((WhyNotSane(superblock, volume) ?? WhyNotClean(superblock)) is { } reason)
        {
            return Whole(volume, superblock, false, reason);
        }

        if (depth == ProbeDepth.Name)
        {
            return Whole(volume, superblock, true, WholeVolumeReader.NotLookedAt);
        }

        try
        {
            var chunks = ReadChunks(volume, superblock);
            var extents = new BtrfsExtents(volume, superblock, chunks);
            extents.Verify();
            return new BtrfsReader(superblock, chunks, extents);
        }
        catch (CorruptDataException e)
        {
            return Whole(volume, superblock, false, e.Message);
        }
    }

    public static (int Smallest, int Largest) SectorSizes(BtrfsSuperblock superblock) =>
        (512, superblock.SectorSize is 512 or 1024 or 2048 ? (int)superblock.SectorSize : 4096);

    private static BtrfsChunks ReadChunks(IBlockDevice volume, BtrfsSuperblock superblock)
    {
        var chunks = new BtrfsChunks(volume, superblock);
        chunks.AddSystem();
        foreach (var item in new BtrfsTree(volume, superblock, chunks, BtrfsTree.OfChunks).Items(
            superblock.ChunkRoot, superblock.ChunkRootLevel, superblock.ChunkRootGeneration, new BtrfsKey(FirstChunkTree, BtrfsChunks.ItemType, 0)))
        {
            if (item.Key is { ObjectId: FirstChunkTree, Type: BtrfsChunks.ItemType, Offset: <= long.MaxValue })
            {
                chunks.Add((long)item.Key.Offset, item.Data.Span);
            }
        }

        chunks.CheckApart();
        return chunks;
    }

    private static string? WhyNotKnown(BtrfsSuperblock s)
    {
        var incompat = s.Incompat & ~BtrfsIncompat.Known;
        var compatRo = s.CompatRo & ~BtrfsCompatRo.Known;
        return s.ChecksumType != 0 ? $"its checksums are of type {s.ChecksumType}; only CRC-32C is known here"
            : incompat != 0 || compatRo != 0 || s.Compat != 0 ? string.Create(CultureInfo.InvariantCulture,
                $"it has features that are not known here: incompat 0x{(ulong)incompat:x}, compat_ro 0x{(ulong)compatRo:x}, compat 0x{s.Compat:x}")
            : (s.Incompat & BtrfsIncompat.MixedBackref) == 0 ? "its extent tree is of an old version"
            : s.NumDevices != 1 ? $"it lies on {s.NumDevices} devices, which have to be saved and restored together"
            : null;
    }

    private static string? WhyNotSane(BtrfsSuperblock s, IBlockDevice volume) =>
        !s.ChecksumHolds ? "the checksum of its superblock does not match"
        : s.ByteNr != BtrfsSuperblock.Offset ? $"its superblock belongs at {s.ByteNr}"
        : s.SectorSize is < 4096 or > 65536 || !uint.IsPow2(s.SectorSize) ? $"sectors of {s.SectorSize} bytes"
        : s.NodeSize is > 65536 || s.NodeSize < s.SectorSize || !uint.IsPow2(s.NodeSize) ? $"tree blocks of {s.NodeSize} bytes"
        : s.TotalBytes > (ulong)volume.Length || s.DeviceBytes != s.TotalBytes
            ? $"its {s.TotalBytes} bytes, {s.DeviceBytes} by its device, do not fit on a volume of {volume.Length} bytes"
        : s.BytesUsed > s.TotalBytes ? $"{s.BytesUsed} of its {s.TotalBytes} bytes are in use"
        : null;

    private static string? WhyNotClean(BtrfsSuperblock s) =>
        s.LogRoot != 0 ? "it was not unmounted cleanly: its log has to be replayed"
        : s.Flags != WrittenFlag ? string.Create(CultureInfo.InvariantCulture, $"it is a seed, or a change to it has not ended (flags 0x{s.Flags:x})")
        : null;

    private static WholeVolumeReader Whole(IBlockDevice volume, BtrfsSuperblock superblock, bool clean, string reason) =>
        new(volume, new FileSystemFacts("btrfs", superblock.Label, VolumeIds.Uuid(superblock.FsId),
            superblock.SectorSize <= 65536 ? (int)superblock.SectorSize : 0, volume.Length, volume.Length, clean, reason)
        {
            SectorSizes = SectorSizes(superblock),
        });
}
