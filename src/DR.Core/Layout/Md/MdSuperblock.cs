using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Md;

/// <summary>
/// The superblock of a member of a Linux software RAID: struct mdp_superblock_1 (linux/raid/md_p.h) of versions 1.0, 1.1 and 1.2, or
/// struct mdp_superblock_s of version 0.90 as a little-endian machine writes it. Its sum is right and its numbers are possible.
/// </summary>
/// <param name="Version">"0.90", "1.0", "1.1" or "1.2": the last tell where it lies.</param>
/// <param name="ArrayId">As mdadm prints it: four groups of eight hexadecimal digits.</param>
/// <param name="ArrayName">"server:0"; null in 0.90, which has none.</param>
/// <param name="Level">1 for RAID-1; -1 for linear, -4 multipath, 0, 4, 5, 6, 10.</param>
/// <param name="Devices">Members that the array has when it is whole, without spares.</param>
/// <param name="Role">Which of them it is, from 0; null for a spare, a faulty one or a journal.</param>
/// <param name="State">In words, where it has no role.</param>
/// <param name="MemberId">What this member alone has; null in 0.90.</param>
/// <param name="Data">Where its share of the array lies on it, bytes.</param>
/// <param name="Chunk">Bytes; 0 where the level has none.</param>
/// <param name="Events">Counts changes of the array's state: of several members the highest is the latest.</param>
/// <param name="IsClean">Whether all copies are known to be equal.</param>
/// <param name="IsReshaping">Whether the array is being changed into another shape.</param>
public sealed record MdSuperblock(
    string Version, string ArrayId, string? ArrayName, int Level, int Devices, int? Role, string State, string? MemberId, Extent Data, long Chunk,
    ulong Events, bool IsClean, bool IsReshaping)
{
    private const uint Magic = 0xA92B4EFC;
    private const int Sector = 512;
    private const int HeadLength = 256;
    private const int MaxRoles = 1920;
    private const int Length = 4096;
    private const long Old64K = 64 << 10;
    private const int MaxDevices = 1024;

    /// <summary>RAID-1, linear and so on.</summary>
    public string LevelName => Level switch
    {
        -1 => "linear",
        -4 => "multipath",
        _ => "RAID-" + Level.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The superblock of a partition, or of a disk without a table; null where there is none.</summary>
    /// <exception cref="CorruptDataException">There is one, and it is damaged.</exception>
    public static MdSuperblock? Read(IBlockDevice volume)
    {
        long sectors = volume.Length / Sector;
        foreach (var (version, offset) in ((string, long)[])[("1.1", 0), ("1.2", 4096), ("1.0", ((sectors - 16) & ~7L) * Sector)])
        {
            var head = At(volume, offset);
            if (head.Length > 0 && Word(head, 0) == Magic && Word(head, 4) == 1 && Long(head, 144) == (ulong)(offset / Sector))
            {
                return Parse(volume, version, offset, head);
            }
        }

        long old = (volume.Length & ~(Old64K - 1)) - Old64K;
        var bytes = At(volume, old);
        return bytes.Length > 0 && Word(bytes, 0) == Magic && Word(bytes, 4) == 0 ? ParseOld(volume, old, bytes) : null;
    }

    private static MdSuperblock Parse(IBlockDevice volume, string version, long offset, byte[] head)
    {
        string where = $"{volume.Name}, offset {offset}";
        uint roles = Word(head, 220);
        Require(roles <= MaxRoles, where, $"its superblock has {roles} roles");
        Require(Sum(head.AsSpan(0, HeadLength + (int)roles * 2), 216) == Word(head, 216), where, "the sum of its superblock is wrong");
        uint devices = Word(head, 92);
        Require(devices is > 0 and <= MaxDevices, where, $"its array has {devices} devices");
        var data = new Extent(Bytes(head, 128, where), Bytes(head, 136, where));
        Require(data.Length > 0 && data.End <= volume.Length, where, $"its data lie at {data}, and it has {volume.Length} bytes");
        uint number = Word(head, 160);
        int role = number < roles ? BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(HeadLength + (int)number * 2)) : 0xFFFF;
        Require(role >= 0xFF00 || role < devices, where, $"it is device {role} of {devices}");
        uint features = Word(head, 8);
        return new MdSuperblock(version, Id(head.AsSpan(16, 16)), Text(head.AsSpan(32, 32)), unchecked((int)Word(head, 72)), (int)devices,
            role < 0xFF00 ? role : null, role switch { 0xFFFF => "spare", 0xFFFE => "faulty", 0xFFFD => "journal", _ => "active" }, Id(head.AsSpan(168, 16)),
            data, (long)Word(head, 88) * Sector, Long(head, 200), Long(head, 208) == ulong.MaxValue && ((features & 2) == 0 || Long(head, 152) == ulong.MaxValue), (features & 4) != 0);
    }

    private static MdSuperblock ParseOld(IBlockDevice volume, long offset, byte[] bytes)
    {
        const int ThisDisk = 992 * 4;
        string where = $"{volume.Name}, offset {offset}";
        Require(Sum(bytes, 38 * 4) == Word(bytes, 38 * 4), where, "the sum of its superblock is wrong");
        uint devices = Word(bytes, 10 * 4);
        Require(devices is > 0 and <= 27, where, $"its array has {devices} devices");
        var data = new Extent(0, (long)Word(bytes, 8 * 4) * 1024);
        int level = unchecked((int)Word(bytes, 7 * 4));
        data = data.Length == 0 && level is 0 or -1 ? data with { Length = offset } : data;    // each member gives what it has
        Require(data.Length > 0 && data.End <= offset, where, $"its data are {data.Length} bytes");
        uint role = Word(bytes, ThisDisk + 12);
        uint state = Word(bytes, ThisDisk + 16);
        bool active = (state & 2) != 0 && (state & 1) == 0;
        Require(!active || role < devices, where, $"it is device {role} of {devices}");
        string id = string.Join(':', ((int[])[5, 13, 14, 15]).Select(w => Word(bytes, w * 4).ToString("x8", CultureInfo.InvariantCulture)));
        ulong events = Word(bytes, 39 * 4) | (ulong)Word(bytes, 40 * 4) << 32;
        return new MdSuperblock("0.90", id, null, level, (int)devices, active ? (int)role : null, (state & 1) != 0 ? "faulty" : active ? "active" : "spare", null,
            data, Word(bytes, 65 * 4), events, (Word(bytes, 33 * 4) & 1) != 0, Word(bytes, 8) > 90);
    }

    /// <summary>Nothing where the volume does not reach that far.</summary>
    private static byte[] At(IBlockDevice volume, long offset) => offset < 0 || offset > volume.Length - Length ? [] : volume.ReadBytes(offset, Length);

    /// <summary>All words added, the sum itself as zero, with the carry added in.</summary>
    private static uint Sum(ReadOnlySpan<byte> bytes, int at)
    {
        ulong sum = 0;
        for (int i = 0; i + 4 <= bytes.Length; i += 4)
        {
            sum += i == at ? 0 : Word(bytes, i);
        }

        sum += bytes.Length % 4 == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[^2..]) : 0u;
        return unchecked((uint)sum + (uint)(sum >> 32));
    }

    private static long Bytes(byte[] head, int at, string where)
    {
        ulong sectors = Long(head, at);
        Require(sectors <= long.MaxValue / Sector / 2, where, $"{sectors} sectors are impossible");
        return (long)sectors * Sector;
    }

    private static string Id(ReadOnlySpan<byte> id) =>
        string.Join(':', Convert.ToHexStringLower(id[..4]), Convert.ToHexStringLower(id[4..8]), Convert.ToHexStringLower(id[8..12]), Convert.ToHexStringLower(id[12..]));

    private static string? Text(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)0);
        string name = Encoding.UTF8.GetString(end < 0 ? text : text[..end]).Trim();
        return name.Length == 0 || name.Any(char.IsControl) ? null : name;
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static void Require(bool holds, string where, string problem)
    {
        if (!holds)
        {
            throw new CorruptDataException(where, problem);
        }
    }
}
