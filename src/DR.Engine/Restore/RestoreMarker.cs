using System.Security.Cryptography;
using System.Text;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>
/// The mark of a restore that has begun and not ended, outside LBA 0. A disk that carries the mark of an image is ours: a
/// restore of the same image may start again on it. One block of 4 KiB:
/// <code>
///  0  "DR restore unfinished\0\0\0"   56  32 SHA-256 of the disk's identity
/// 24  16 image id                     88  u32 CRC-32C of the bytes before
/// 40  16 zero
/// </code>
/// </summary>
internal static class RestoreMarker
{
    public const int Length = 4096;

    private const int CrcAt = 88;

    private static ReadOnlySpan<byte> Text => "DR restore unfinished\0\0\0"u8;

    /// <summary>
    /// Where a mark may be on a disk of the length, best first: behind the partitions, in the gap before them, in the first
    /// MiB of a disk without a table. What belongs there otherwise is held back until the commit.
    /// </summary>
    private static IEnumerable<long> Places(long diskLength) =>
        ((long[])[(diskLength - (64 << 10)) / Length * Length, (1 << 20) - Length, 24 << 10]).Where(o => o >= Length && o + Length <= diskLength);

    /// <summary>The first place that nothing needs before the commit; null if there is none.</summary>
    /// <param name="written">Further bytes that a restore writes, outside of partitions.</param>
    public static long? PlaceFor(DiskLayout layout, IEnumerable<Extent> written)
    {
        long end = layout.Length / layout.SectorSize * layout.SectorSize;
        long held = layout.Partitions.Select(p => p.Extent.Start).Append(1 << 20).Min();
        var backup = Extent.Between(end - LayoutRules.BackupTableLength(layout), end);
        var taken = ExtentSet.From([.. layout.Partitions.Select(p => p.Extent), .. written.Select(e => Behind(e, held)), backup]);
        return Places(layout.Length).Where(o => !taken.Overlaps(new Extent(o, Length))).Select(o => (long?)o).FirstOrDefault();
    }

    private static Extent Behind(Extent extent, long held) => Extent.Between(Math.Max(extent.Start, held), Math.Max(extent.End, held));

    public static void Write(IBlockDevice disk, long offset, Guid image, DiskIdentity identity)
    {
        var bytes = new byte[Length];
        Text.CopyTo(bytes);
        image.TryWriteBytes(bytes.AsSpan(24));
        Identity(identity).CopyTo(bytes, 56);
        BitConverter.TryWriteBytes(bytes.AsSpan(CrcAt), Crc32C.Compute(bytes.AsSpan(0, CrcAt)));
        disk.Write(bytes, offset);
        disk.Flush();
    }

    /// <summary>Whether the disk carries the mark of an unfinished restore of this image onto this disk.</summary>
    public static bool IsOn(IBlockDevice disk, Guid image, DiskIdentity identity) =>
        Marks(disk).Any(m => new Guid(m.AsSpan(24, 16)) == image && m.AsSpan(56, 32).SequenceEqual(Identity(identity)));

    /// <summary>The image whose restore onto the disk has begun and not ended; null if there is none.</summary>
    public static Guid? ImageOn(IBlockDevice disk) => Marks(disk).Select(m => (Guid?)new Guid(m.AsSpan(24, 16))).FirstOrDefault();

    private static IEnumerable<byte[]> Marks(IBlockDevice disk) => Places(disk.Length).Select(o => disk.ReadBytes(o, Length))
        .Where(b => b.AsSpan().StartsWith(Text) && BitConverter.ToUInt32(b, CrcAt) == Crc32C.Compute(b.AsSpan(0, CrcAt)));

    /// <summary>What stays the same of a disk while it is erased: not the fingerprint of its contents.</summary>
    private static byte[] Identity(DiskIdentity disk) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{disk.Bus}|{disk.Wwn}|{disk.Serial}|{disk.Model}|{disk.Length}|{(disk.Wwn ?? disk.Serial) ?? disk.Path}"));
}
