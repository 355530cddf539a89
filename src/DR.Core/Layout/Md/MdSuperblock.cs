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
/// <param name="Offset">Where it lies on the member, bytes.</param>
/// <param name="ArrayId">As mdadm prints it: four groups of eight hexadecimal digits.</param>
/// <param name="ArrayName">"server:0"; null in 0.90, which has none.</param>
/// <param name="Level">1 for RAID-1; -1 for linear, -4 multipath, 0, 4, 5, 6, 10.</param>
/// <param name="Layout">What the level makes of it: rotation of the parity, number of copies, order of the zones of a RAID-0 (0 where it does not say).</param>
/// <param name="Devices">Members that the array has when it is whole, without spares.</param>
/// <param name="Number">Of this member in <paramref name="Roles"/>.</param>
/// <param name="Role">Which of the devices it is, from 0; null for a spare, a faulty one or a journal.</param>
/// <param name="State">In words, where it has no role.</param>
/// <param name="MemberId">What this member alone has; null in 0.90.</param>
/// <param name="Data">Where its share of the array lies on it, bytes.</param>
/// <param name="Size">Bytes that the array uses of each member; 0 where it uses what each has (RAID-0, linear).</param>
/// <param name="Chunk">Bytes; 0 where the level has none.</param>
/// <param name="Events">Counts changes of the array's state: of several members the highest is the latest.</param>
/// <param name="IsClean">Whether all copies are known to be equal.</param>
/// <param name="IsReshaping">Whether the array is being changed into another shape.</param>
/// <param name="Roles">What it knows of all members, by their numbers: a role, or <see cref="NoRole"/> and above.</param>
public sealed record MdSuperblock(
    string Version, long Offset, string ArrayId, string? ArrayName, int Level, int Layout, int Devices, int Number, int? Role, string State, string? MemberId,
    Extent Data, long Size, long Chunk, ulong Events, bool IsClean, bool IsReshaping, IReadOnlyList<int> Roles)
{
    /// <summary>Bytes of a superblock, all that it may have.</summary>
    public const int Length = 4096;

    /// <summary>The least number in <see cref="Roles"/> that is none of a device.</summary>
    public const int NoRole = 0xFF00;

    private const uint Magic = 0xA92B4EFC;
    private const int Sector = 512;
    private const int HeadLength = 256;
    private const int MaxRoles = 1920;
    private const long Old64K = 64 << 10;
    private const int SumAt = 216;
    private const int OldSumAt = 38 * 4;
    internal const int OldMembers = 27;
    internal const int ThisMember = 992 * 4;
    private const int MaxDevices = 1024;

    /// <summary>RAID-1, linear and so on.</summary>
    public string LevelName => Level switch
    {
        -1 => "linear",
        -4 => "multipath",
        _ => "RAID-" + Level.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>What arrays are told apart by: "server:0", or the UUID of one without a name.</summary>
    public string Title => ArrayName ?? ArrayId;

    /// <summary>Why its bytes do not lie where level and layout say; null if they do.</summary>
    public string? Unsupported { get; init; }

    /// <summary>Whether the member has not yet all that its role has.</summary>
    public bool IsRecovering { get; init; }

    /// <summary>Where its write-intent bitmap begins on the member, bytes; null where it has none within.</summary>
    public long? BitmapOffset { get; init; }

    /// <summary>The superblock of a partition, or of a disk without a table, with its bytes; null where there is none.</summary>
    /// <exception cref="CorruptDataException">There is one, and it is damaged.</exception>
    public static (MdSuperblock Superblock, byte[] Bytes)? Read(IBlockDevice volume)
    {
        foreach (long offset in Offsets(volume.Length))
        {
            var bytes = At(volume, offset);
            if (bytes.Length > 0 && IsAt(bytes, offset, volume.Length))
            {
                return (Parse(bytes, offset, volume.Length, volume.Name), bytes);
            }
        }

        return null;
    }

    /// <summary>A superblock that was read before.</summary>
    /// <param name="offset">Where it lay, bytes.</param>
    /// <param name="length">Bytes of the member.</param>
    /// <exception cref="CorruptDataException">It is none, or damaged.</exception>
    public static MdSuperblock Parse(byte[] bytes, long offset, long length, string name)
    {
        string where = $"{name}, offset {offset}";
        Require(bytes.Length == Length && length >= Length && Offsets(length).Contains(offset) && IsAt(bytes, offset, length), where, "there is no RAID superblock");
        return Word(bytes, 4) == 0 ? ParseOld(bytes, offset, where) : ParseNew(bytes, offset, length, where);
    }

    /// <summary>Where superblocks of versions 1.1, 1.2, 1.0 and 0.90 lie.</summary>
    private static long[] Offsets(long length) => [0, 4096, EndOf(length), (length & ~(Old64K - 1)) - Old64K];

    /// <summary>Where the superblock of a version lies on a member.</summary>
    /// <param name="length">Bytes of the member.</param>
    public static long OffsetIn(string version, long length) => Offsets(length)[version switch { "1.1" => 0, "1.2" => 1, "1.0" => 2, _ => 3 }];

    private static long EndOf(long length) => ((length / Sector - 16) & ~7L) * Sector;

    /// <summary>Version 1 says where it lies, so that a copy elsewhere is none; the old one lies at one place only.</summary>
    private static bool IsAt(byte[] bytes, long offset, long length) => Word(bytes, 0) == Magic && (Word(bytes, 4) == 1
        ? Long(bytes, 144) == (ulong)(offset / Sector)
        : Word(bytes, 4) == 0 && offset == (length & ~(Old64K - 1)) - Old64K);

    private static MdSuperblock ParseNew(byte[] head, long offset, long length, string where)
    {
        string version = offset switch { 0 => "1.1", 4096 when offset != EndOf(length) => "1.2", _ => "1.0" };
        uint roles = Word(head, 220);
        Require(roles <= MaxRoles, where, $"its superblock has {roles} roles");
        Require(Sum(head.AsSpan(0, HeadLength + (int)roles * 2), SumAt) == Word(head, SumAt), where, "the sum of its superblock is wrong");
        uint devices = Word(head, 92);
        Require(devices is > 0 and <= MaxDevices, where, $"its array has {devices} devices");
        var data = new Extent(Bytes(head, 128, where), Bytes(head, 136, where));
        Require(data.Length > 0 && data.End <= length, where, $"its data lie at {data}, and it has {length} bytes");
        var own = new Extent(offset, HeadLength + roles * 2);
        Require(!data.Overlaps(own), where, $"its data lie at {data}, where it lies itself");
        int level = unchecked((int)Word(head, 72));
        long size = level is 0 or -1 ? 0 : Bytes(head, 80, where);
        Require(size <= data.Length && (size > 0 || level is 0 or -1), where, $"its array uses {size} bytes of its {data.Length}");
        uint number = Word(head, 160);
        int[] known = [.. Enumerable.Range(0, (int)roles).Select(i => (int)BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(HeadLength + i * 2)))];
        int role = number < roles ? known[number] : 0xFFFF;
        Require(known.All(r => r >= NoRole || r < devices) && number <= int.MaxValue, where, $"it is device {role} of {devices}");
        uint features = Word(head, 8);
        bool replaces = (features & 16) != 0;
        return new MdSuperblock(version, offset, Id(head.AsSpan(16, 16)), Text(head.AsSpan(32, 32)), level, level != 0 || (features & 0x1000) != 0 ? unchecked((int)Word(head, 76)) : 0,
            (int)devices, (int)number, role < NoRole && !replaces ? role : null,
            replaces ? "replacement" : role switch { 0xFFFF => "spare", 0xFFFE => "faulty", 0xFFFD => "journal", _ => "active" }, Id(head.AsSpan(168, 16)),
            data, size, Word(head, 88) * (long)Sector, Long(head, 200), Long(head, 208) == ulong.MaxValue, (features & 4) != 0, known)
        {
            Unsupported = (features & ~0x109Fu) == 0 ? null : $"it uses the features 0x{features & ~0x109Fu:x} (a journal, a cluster, or newer ones)",
            IsRecovering = (features & 0x82) != 0,
            BitmapOffset = (features & 1) != 0 ? offset + unchecked((int)Word(head, 96)) * (long)Sector : null,
        };
    }

    private static MdSuperblock ParseOld(byte[] bytes, long offset, string where)
    {
        Require(Sum(bytes, OldSumAt) == Word(bytes, OldSumAt), where, "the sum of its superblock is wrong");
        uint devices = Word(bytes, 10 * 4);
        Require(devices is > 0 and <= OldMembers, where, $"its array has {devices} devices");
        int level = unchecked((int)Word(bytes, 7 * 4));
        long size = level is 0 or -1 ? 0 : (long)Word(bytes, 8 * 4) * 1024;
        var data = new Extent(0, level is 0 or -1 ? offset : size);
        Require(data.Length > 0 && data.End <= offset, where, $"its data are {data.Length} bytes");
        int[] known = [.. Enumerable.Range(0, OldMembers).Select(i => OldRole(bytes.AsSpan((128 + i * 32) * 4)))];
        var own = bytes.AsSpan(ThisMember);
        int role = OldRole(own);
        Require(known.Append(role).All(r => r >= NoRole || r < devices), where, $"it is device {role} of {devices}");
        string id = string.Join(':', ((int[])[5, 13, 14, 15]).Select(w => Word(bytes, w * 4).ToString("x8", CultureInfo.InvariantCulture)));
        ulong events = Word(bytes, 39 * 4) | (ulong)Word(bytes, 40 * 4) << 32;
        return new MdSuperblock("0.90", offset, id, null, level, level == 0 ? 0 : unchecked((int)Word(bytes, 64 * 4)), (int)devices, (int)Math.Min(Word(own, 0), (uint)OldMembers),
            role < NoRole ? role : null, role switch { 0xFFFE => "faulty", 0xFFFF => "spare", _ => "active" }, null,
            data, size, Word(bytes, 65 * 4), events, (Word(bytes, 33 * 4) & 1) != 0, Word(bytes, 8) > 90, known);
    }

    /// <summary>Of a descriptor of a member in version 0.90.</summary>
    private static int OldRole(ReadOnlySpan<byte> descriptor)
    {
        uint state = Word(descriptor, 16);
        return (state & 1) != 0 ? 0xFFFE : (state & 2) != 0 ? (int)Math.Min(Word(descriptor, 12), NoRole - 1) : 0xFFFF;
    }

    /// <summary>Nothing where the volume does not reach that far.</summary>
    private static byte[] At(IBlockDevice volume, long offset) => offset < 0 || offset > volume.Length - Length ? [] : volume.ReadBytes(offset, Length);

    /// <summary>Puts the sum of a superblock right, whatever its version, as the last change to it.</summary>
    internal static void Seal(byte[] bytes)
    {
        bool old = Word(bytes, 4) == 0;
        int at = old ? OldSumAt : SumAt;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), Sum(bytes.AsSpan(0, old ? bytes.Length : HeadLength + (int)Word(bytes, 220) * 2), at));
    }

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
