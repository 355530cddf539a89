using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Md;

/// <summary>What is written to a member so that it belongs to its array again.</summary>
/// <param name="Offset">Of the superblock, bytes.</param>
/// <param name="Bitmap">The write-intent bitmap with its own header, no bit of it set; empty where there is none.</param>
public sealed record MdWrite(long Offset, byte[] Superblock, long BitmapOffset, byte[] Bitmap);

/// <summary>
/// Makes superblocks of members whose data have been written anew: the same array, device and member, all members of one age, nothing behind, no
/// bad blocks, and bits of the bitmap only where the kernel has to make copies equal (linux/raid/md_p.h, drivers/md/md-bitmap.h). Pure.
/// </summary>
public static class MdWriter
{
    /// <summary>Bytes of the header of a bitmap.</summary>
    public const int BitmapHeader = 256;

    private const int Sector = 512;
    private const int MaxBitmap = 64 << 20;

    /// <summary>Bytes that a bit may stand for, written in 32 bits.</summary>
    private const long MaxBitmapChunk = 1L << 31;

    private const uint BitmapMagic = 0x6D746962;

    /// <param name="member">As it was.</param>
    /// <param name="array">The newest of all superblocks.</param>
    /// <param name="members">All that will be there.</param>
    /// <param name="bitmap">Header of the bitmap as it was; null where it is left out.</param>
    /// <param name="unequal">From which byte on the kernel has to make copies or parities equal; null where all have been written.</param>
    public static MdWrite Write(MdMember member, MdSuperblock array, IReadOnlyList<MdSuperblock> members, byte[]? bitmap, long? unequal)
    {
        var bytes = member.Bytes.ToArray();
        var super = member.Superblock!;
        if (super.Version == "0.90")
        {
            WriteOld(bytes, array, members, unequal);
            return new MdWrite(super.Offset, bytes, 0, []);
        }

        var map = bitmap is not null && super.BitmapOffset is { } at ? Bitmap(bitmap, array, unequal) : [];
        uint features = Word(bytes, 8) & ~0x8Au;
        Put(bytes, 8, map.Length > 0 ? features : features & ~1u);
        if (map.Length == 0)
        {
            Put(bytes, 96, 0);
        }

        PutLong(bytes, 152, 0);
        PutLong(bytes, 200, array.Events);
        PutLong(bytes, 208, unequal is { } first ? (ulong)(first / Sector) : ulong.MaxValue);
        for (int number = 0; number < super.Roles.Count; number++)
        {
            int role = members.Where(m => m.Number == number).Select(m => m.Role ?? 0xFFFF).FirstOrDefault(
                number < array.Roles.Count && array.Roles[number] < MdSuperblock.NoRole ? 0xFFFE : 0xFFFF);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(256 + number * 2), (ushort)role);
        }

        MdSuperblock.Seal(bytes);
        return new MdWrite(super.Offset, bytes, super.BitmapOffset ?? 0, map);
    }

    /// <summary>Null where the bitmap cannot be what the superblock says: it is left out then, and can be added again by mdadm.</summary>
    public static byte[]? ReadBitmap(IBlockDevice volume, MdSuperblock super)
    {
        if (super.BitmapOffset is not { } at || at < 0 || at > volume.Length - BitmapHeader)
        {
            return null;
        }

        long from = at / volume.SectorSize * volume.SectorSize;
        var bytes = volume.ReadBytes(from, (int)Math.Min(volume.SectorSize + BitmapHeader, volume.Length - from)).AsSpan((int)(at - from), BitmapHeader).ToArray();
        return IsSound(bytes, super, volume.Length) ? bytes : null;
    }

    /// <summary>Whether header, length and place agree with the member.</summary>
    /// <param name="length">Bytes of the member.</param>
    public static bool IsSound(byte[] header, MdSuperblock super, long length)
    {
        if (header.Length != BitmapHeader || super.BitmapOffset is not { } at || Word(header, 0) != BitmapMagic || Word(header, 4) is not (3 or 4) || LengthOf(header) is not { } bits)
        {
            return false;
        }

        var place = new Extent(at, bits);
        return at >= 0 && at % Sector == 0 && place.End <= length && !place.Overlaps(super.Data) && !place.Overlaps(new Extent(super.Offset, 256 + super.Roles.Count * 2));
    }

    /// <summary>Bytes of a bitmap with its header, in whole sectors; null where they are impossible.</summary>
    private static long? LengthOf(byte[] header)
    {
        ulong sectors = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(40));
        uint chunk = Word(header, 52);
        if (chunk < Sector || sectors == 0 || sectors > long.MaxValue / Sector / 2)
        {
            return null;
        }

        ulong bits = (sectors * Sector + chunk - 1) / chunk;
        long bytes = (long)((bits + 7) / 8) + BitmapHeader;
        return bytes > MaxBitmap ? null : (bytes + Sector - 1) / Sector * Sector;
    }

    /// <summary>
    /// The header of a bitmap for an array that has become longer. It gets no longer itself: where it would, each of its bits stands for
    /// more.
    /// </summary>
    /// <param name="from">Bytes that were made equal: of each member, or of a RAID-10.</param>
    /// <param name="to">The same now; more than <paramref name="from"/>.</param>
    /// <returns>Null where it was not made for this array, or its bits would stand for more than they can: the kernel would pass over what it does not reach.</returns>
    public static byte[]? LongerBitmap(byte[] header, long from, long to)
    {
        if (LengthOf(header) is not { } room || BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(40)) != from / Sector)
        {
            return null;
        }

        var longer = header.ToArray();
        PutLong(longer, 40, (ulong)(to / Sector));
        for (long chunk = Word(header, 52); chunk <= MaxBitmapChunk; chunk *= 2)
        {
            Put(longer, 52, (uint)chunk);
            if (LengthOf(longer) <= room)
            {
                return longer;
            }
        }

        return null;
    }

    private static byte[] Bitmap(byte[] header, MdSuperblock array, long? unequal)
    {
        var bytes = new byte[LengthOf(header)!.Value];
        header.CopyTo(bytes, 0);
        PutLong(bytes, 24, array.Events);
        PutLong(bytes, 32, array.Events);
        Put(bytes, 48, 0);
        long chunk = Word(header, 52);
        long bits = (BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(40)) * Sector + chunk - 1) / chunk;
        for (long bit = (unequal ?? long.MaxValue) / chunk; bit < bits; bit++)
        {
            bytes[BitmapHeader + bit / 8] |= (byte)(1 << (int)(bit % 8));
        }

        return bytes;
    }

    private static void WriteOld(byte[] bytes, MdSuperblock array, IReadOnlyList<MdSuperblock> members, long? unequal)
    {
        const int First = 128 * 4;
        const int DescriptorLength = 128;
        const uint InSync = 6;
        const uint Removed = 8;
        for (uint number = 0; number < MdSuperblock.OldMembers; number++)
        {
            int at = First + (int)number * DescriptorLength;
            if (members.FirstOrDefault(m => m.Number == number) is { } known)
            {
                Put(bytes, at, number);
                Put(bytes, at + 12, (uint)(known.Role ?? known.Number));
                Put(bytes, at + 16, known.Role is null ? 0 : InSync);
            }
            else if (number < array.Devices)
            {
                Put(bytes, at, number);
                Put(bytes, at + 12, number);
                Put(bytes, at + 16, Removed | 1);
            }
            else
            {
                bytes.AsSpan(at, DescriptorLength).Clear();
            }
        }

        uint active = (uint)members.Count(m => m.Role is not null);
        uint own = Word(bytes, MdSuperblock.ThisMember);
        bytes.AsSpan(First + (int)Math.Min(own, MdSuperblock.OldMembers - 1) * DescriptorLength, DescriptorLength).CopyTo(bytes.AsSpan(MdSuperblock.ThisMember));
        Put(bytes, 9 * 4, (uint)members.Count);
        Put(bytes, 33 * 4, unequal is null ? 1u : 0);
        Put(bytes, 34 * 4, active);
        Put(bytes, 35 * 4, (uint)members.Count);
        Put(bytes, 36 * 4, (uint)array.Devices - active);
        Put(bytes, 37 * 4, (uint)members.Count - active);
        foreach (int word in (int[])[39, 41])
        {
            PutLong(bytes, word * 4, array.Events);
        }

        Put(bytes, 43 * 4, unequal is not { } first ? uint.MaxValue : first / Sector < uint.MaxValue ? (uint)(first / Sector) : 0);
        MdSuperblock.Seal(bytes);
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static void Put(byte[] bytes, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);

    private static void PutLong(byte[] bytes, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), value);
}
