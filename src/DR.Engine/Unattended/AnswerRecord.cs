using System.Security.Cryptography;
using System.Text;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Unattended;

/// <summary>
/// The note on a restored disk that an answer has been carried out on it, so that a medium which is still first in the boot
/// order does not restore again and again. On the disk, since a CD cannot be written. One block of 4 KiB outside partitions
/// and tables, little endian:
/// <code>
///   0  "DR answer done 1\r\n\x1A" and zeros          512  16  image id
///  24  32  digest of the answer                       528   8  done, ms since 1970 UTC
///  56  32  SHA-256 of what the disk is known by       536   4  CRC-32C of bytes 512 to 535
///  88   4  CRC-32C of bytes 0 to 87                   540      zero
/// </code>
/// The first sector is the same whenever the same answer is carried out on the same disk.
/// </summary>
public sealed record AnswerRecord(byte[] AnswerDigest, Guid ImageId, DateTimeOffset Done)
{
    public const int Length = 4096;

    private const int FirstCrc = 88;
    private const int Second = 512;
    private const int SecondCrc = 536;
    private const long Gap = (1 << 20) - Length;
    private const long LowGap = 24 << 10;

    private static ReadOnlySpan<byte> Text => "DR answer done 1\r\n\x1A"u8;

    /// <summary>
    /// Where a record may be, best first: behind the partitions and before the backup table; before a first partition at
    /// 1 MiB. GRUB's core on an MBR disk begins at sector 1 and never reaches that far, but does reach 24 KiB, which is for GPT only.
    /// </summary>
    private static IEnumerable<long> Places(long diskLength) =>
        ((long[])[(diskLength - (64 << 10)) / Length * Length, (diskLength - (24 << 10)) / Length * Length, Gap, LowGap])
            .Where(o => o >= LowGap && o + Length <= diskLength).Distinct();

    /// <summary>Writes it where nothing of the disk's layout is and nothing else has been written, and reads it back.</summary>
    /// <returns>The offset in bytes; null where the disk has no such place, and nothing was written.</returns>
    /// <exception cref="DrException">It reads back differently.</exception>
    public long? Write(IBlockDevice disk, DiskIdentity identity)
    {
        if (PlaceOn(disk) is not { } place)
        {
            return null;
        }

        var bytes = Encode(identity);
        disk.Write(bytes, place);
        disk.Flush();
        return disk.ReadBytes(place, Length).AsSpan().SequenceEqual(bytes)
            ? place
            : throw new DrException(Failure.ReadBackDiffers, $"{identity.Path}: the note that the answer is done read back differently at offset {place}");
    }

    /// <summary>The record of this answer on the disk; null if it has not been carried out on it.</summary>
    public static AnswerRecord? On(IBlockDevice disk, DiskIdentity identity, ReadOnlySpan<byte> answerDigest)
    {
        foreach (long place in Places(disk.Length))
        {
            if (Decode(disk.ReadBytes(place, Length), identity) is { } record && answerDigest.SequenceEqual(record.AnswerDigest))
            {
                return record;
            }
        }

        return null;
    }

    private static long? PlaceOn(IBlockDevice disk)
    {
        var layout = LayoutReader.Read(disk);
        if (layout.Table == TableKind.None || layout.Errors.Count > 0)
        {
            return null;
        }

        long end = layout.Length / layout.SectorSize * layout.SectorSize;
        long backup = LayoutRules.BackupTableLength(layout);
        long entries = layout.EntriesOffset == 0 ? 2L * layout.SectorSize : layout.EntriesOffset;
        var taken = ExtentSet.From([
            .. layout.Partitions.Select(p => p.Extent),
            .. layout.Partitions.Where(p => p.IsLogical(layout.Table)).Select(p => new Extent(p.BootRecord, layout.SectorSize)),
            Extent.Between(end - backup, layout.Length),
            new Extent(0, layout.Table == TableKind.Gpt ? entries + backup - layout.SectorSize : Gap)]);
        return Places(disk.Length).Where(o => !taken.Overlaps(new Extent(o, Length)) && IsFree(disk.ReadBytes(o, Length))).Select(o => (long?)o).FirstOrDefault();
    }

    /// <summary>A boot loader or a dynamic disk's database would not be zeros; an older record may go.</summary>
    private static bool IsFree(byte[] bytes) => !bytes.AsSpan().ContainsAnyExcept((byte)0) || bytes.AsSpan().StartsWith(Text);

    private byte[] Encode(DiskIdentity identity)
    {
        var bytes = new byte[Length];
        var writer = new SpanWriter(bytes);
        writer.Bytes(Text);
        writer.Seek(24);
        writer.Bytes(AnswerDigest);
        writer.Bytes(Known(identity));
        writer.U32(Crc32C.Compute(bytes.AsSpan(0, FirstCrc)));
        writer.Seek(Second);
        writer.EfiGuid(ImageId);
        writer.U64((ulong)Done.ToUnixTimeMilliseconds());
        writer.U32(Crc32C.Compute(bytes.AsSpan(Second, SecondCrc - Second)));
        return bytes;
    }

    private static AnswerRecord? Decode(byte[] bytes, DiskIdentity identity)
    {
        var reader = new SpanReader(bytes, "answer record");
        reader.Seek(FirstCrc);
        uint first = reader.U32();
        reader.Seek(SecondCrc);
        uint second = reader.U32();
        if (!bytes.AsSpan().StartsWith(Text) || !bytes.AsSpan(56, 32).SequenceEqual(Known(identity))
            || first != Crc32C.Compute(bytes.AsSpan(0, FirstCrc)) || second != Crc32C.Compute(bytes.AsSpan(Second, SecondCrc - Second)))
        {
            return null;
        }

        reader.Seek(Second);
        var image = reader.EfiGuid();
        return new AnswerRecord(bytes[24..56], image, DateTimeOffset.UnixEpoch.AddMilliseconds(Math.Min(reader.U64(), 253_402_300_799_999)));
    }

    /// <summary>What stays the same when the disk moves to another slot or controller. A copy of the whole disk on another is not believed.</summary>
    private static byte[] Known(DiskIdentity disk) => SHA256.HashData(Encoding.UTF8.GetBytes($"{(disk.Wwn ?? disk.Serial) ?? disk.Model}|{disk.Length}"));
}
