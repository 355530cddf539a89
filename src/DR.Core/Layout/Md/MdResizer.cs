using System.Buffers.Binary;
using DR.Core.Primitives;

namespace DR.Core.Layout.Md;

/// <summary>
/// Superblocks of members that are written anew and have become longer: versions 1.0 and 0.90 lie at the end and move with it, and the array may use more of each
/// (linux/raid/md_p.h). Pure.
/// </summary>
public static class MdResizer
{
    private const int Sector = 512;

    /// <summary>Version 0.90 counts KiB in 32 bits, and the kernel takes half of that.</summary>
    private const long MaxOldSize = (1L << 41) - (64 << 10);

    /// <summary>Whether an array of this level can use more of each member: its bytes stay where they are then.</summary>
    public static bool CanGrow(MdSuperblock array) => array.Level is 1 or 4 or 5 or 6 or 10;

    /// <summary>Bytes that a member has for data when it has become longer; what lies around the data keeps its room.</summary>
    /// <param name="from">Bytes of the member as it was.</param>
    /// <param name="to">As it will be.</param>
    public static long RoomOn(MdSuperblock super, long from, long to) => super.Version switch
    {
        "0.90" => Math.Min(MdSuperblock.OffsetIn("0.90", to), CanGrow(super) ? MaxOldSize : long.MaxValue),
        "1.0" => super.Data.Length + MdSuperblock.OffsetIn("1.0", to) - MdSuperblock.OffsetIn("1.0", from),
        _ => super.Data.Length + to - from,
    };

    /// <param name="size">Bytes that the array will use of each member; 0 to leave that as it is.</param>
    /// <exception cref="CorruptDataException">The member has no such room.</exception>
    public static MdMember Resize(MdMember member, long from, long to, long size)
    {
        var super = member.Superblock!;
        var bytes = member.Bytes.ToArray();
        long offset = MdSuperblock.OffsetIn(super.Version, to);
        if (super.Version != "0.90")
        {
            // All of it is written anew: what it had not yet got before does not count any more (features 2 and 0x80, recovery_offset).
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)) & ~0x82u);
            Put(bytes, 152, 0);
            Put(bytes, 144, offset);
        }

        if (size > 0 && super.Version == "0.90")
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8 * 4), (uint)(size / 1024));
        }
        else if (size > 0)
        {
            Put(bytes, 80, size);
            Put(bytes, 136, RoomOn(super, from, to));
        }

        MdSuperblock.Seal(bytes);
        return new MdMember(member.Name, MdSuperblock.Parse(bytes, offset, to, member.Name), bytes, null);
    }

    private static void Put(byte[] bytes, int at, long length) => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), length / Sector);
}
