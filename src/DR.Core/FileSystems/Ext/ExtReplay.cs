using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// A filesystem with its journal replayed, aside: the blocks as the journal has them, and a superblock that says that nothing
/// is left to replay and counts what the groups count, as e2fsck leaves it. The kernel does not keep those counts while mounted.
/// </summary>
/// <param name="Volume">From which everything is to be read, the content of files included.</param>
/// <param name="Blocks">How many blocks the replay changes.</param>
internal sealed record ExtReplay(ExtGeometry Geometry, ExtReplayedVolume Volume, int Blocks)
{
    private const int FreeBlocksLow = 0x0C;
    private const int FreeInodes = 0x10;
    private const int Incompat = 0x60;
    private const int FreeBlocksHigh = 0x158;
    private const int Checksum = 0x3FC;
    private const int Size = 1024;

    /// <exception cref="CorruptDataException">The journal, or what its replay leads to, makes no sense, or cannot be replayed here.</exception>
    public static ExtReplay Of(ExtGeometry before)
    {
        var (volume, blocks) = ExtJournal.Replay(before, new ExtGroupTable(before));
        var geometry = Read(volume);
        long freeBlocks = 0;
        long freeInodes = 0;
        var groups = new ExtGroupTable(geometry);
        for (uint number = 0; number < geometry.GroupsCount; number++)
        {
            var group = groups[number];
            freeBlocks += (long)group.FreeBlocks * geometry.ClusterRatio;
            freeInodes += group.FreeInodes;
        }

        var bytes = volume.ReadBytes(ExtSuperblock.Offset, Size);
        Write(bytes, FreeBlocksLow, (uint)freeBlocks);
        if (geometry.Superblock.Has(ExtIncompat.Bit64))
        {
            Write(bytes, FreeBlocksHigh, (uint)(freeBlocks >> 32));
        }

        Write(bytes, FreeInodes, (uint)Math.Min(freeInodes, uint.MaxValue));
        Write(bytes, Incompat, (uint)(geometry.Superblock.Incompat & ~ExtIncompat.Recover));
        if (geometry.Superblock.Has(ExtRoCompat.MetadataCsum))
        {
            Write(bytes, Checksum, Crc32C.Update(uint.MaxValue, bytes.AsSpan(0, Checksum)));
        }

        volume.Patch(ExtSuperblock.Offset, bytes);
        return new ExtReplay(Read(volume), volume, blocks);
    }

    private static ExtGeometry Read(ExtReplayedVolume volume) => new(
        ExtSuperblock.Read(volume) ?? throw new CorruptDataException($"{volume.Name}, its journal", "overwrites the superblock with something else"), volume);

    private static void Write(byte[] bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);
}
