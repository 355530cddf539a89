using System.Security.Cryptography;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>What a record of an image is. See docs/image-format.md.</summary>
public enum RecordKind : ushort
{
    None = 0,
    ImageHeader = 1,
    Manifest = 2,
    Map = 3,
    Frame = 4,
    IndexPage = 5,
    Findings = 6,
    Trailer = 7,
    PieceEnd = 8,
    KeySlots = 9,
    Signature = 10,
}

[Flags]
public enum RecordTraits : ushort
{
    None = 0,

    /// <summary>A reader that does not know the kind has to stop.</summary>
    Required = 1,
}

public enum Codec : byte
{
    Stored = 0,
    Zstd = 1,
}

/// <summary>What became of an allocated block.</summary>
public enum Disposition : byte
{
    /// <summary>Its content is in the frame.</summary>
    Stored = 1,

    /// <summary>It is all zeros.</summary>
    Zero = 2,

    /// <summary>It is the same as in the parent image (incremental images).</summary>
    SameAsParent = 3,

    /// <summary>It is the same as a block that came earlier in this image (reserved).</summary>
    SameAsEarlier = 4,

    /// <summary>Its content is in the frame, but parts of it could not be read and are zeros; the findings say which.</summary>
    Damaged = 5,
}

[Flags]
public enum RequiredFeatures : ulong
{
    None = 0,

    /// <summary>Blocks may be <see cref="Disposition.SameAsParent"/>: the ancestors are needed.</summary>
    Incremental = 1,

    /// <summary>Payloads and block digests are encrypted.</summary>
    Encrypted = 2,

    /// <summary>Blocks may be <see cref="Disposition.SameAsEarlier"/>.</summary>
    Deduplicated = 4,

    /// <summary>The manifest has volume groups: some volumes lie where LVM's metadata says.</summary>
    VolumeGroups = 8,

    /// <summary>The manifest has groups of Windows' dynamic disks: some volumes lie in pieces.</summary>
    DynamicVolumes = 16,

    /// <summary>The manifest has arrays of Linux' software RAID: some volumes lie on several disks at once.</summary>
    Arrays = 32,
}

/// <summary>Numbers and names of the image format, version 0.</summary>
public static class ImageFormat
{
    public const int Version = 0;

    /// <summary>"DRR0", the first four bytes of every record.</summary>
    public const uint Magic = 0x30525244;

    /// <summary>Bytes that every record header begins with.</summary>
    public const int FixedHeaderLength = 64;

    /// <summary>Bytes of a digest: SHA-256, the first 128 bits.</summary>
    public const int DigestLength = 16;

    public const int MaxHeaderLength = 16 << 10;

    /// <summary>Bytes of the record that ends every piece but the last.</summary>
    public const int PieceEndLength = FixedHeaderLength + DigestLength;

    /// <summary>Bytes of blocks in one frame, and of the largest block.</summary>
    public const int MaxFrameBytes = 1 << 20;

    public const int MinBlockSize = 4096;

    public const int DefaultBlockSize = 64 << 10;

    /// <summary>Bytes of a manifest, a map, findings or a trailer, compressed or not.</summary>
    public const int MaxPayload = 64 << 20;

    /// <summary>A manifest larger than this is not repeated in later pieces.</summary>
    public const int MaxRepeatedManifest = 16 << 20;

    public const int MaxRunsPerFrame = 256;

    /// <summary>Blocks of one space: a map of them takes 128 MiB of memory.</summary>
    public const long MaxBlocks = 1L << 29;

    /// <summary>Blocks of all spaces of an image: what is still to come of them takes 128 MiB.</summary>
    public const long MaxTotalBlocks = 1L << 30;

    /// <summary>Bytes of a disk or an array.</summary>
    public const long MaxDiskLength = 1L << 60;

    public const int EntriesPerIndexPage = 4096;

    /// <summary>Features that this reader can honour.</summary>
    public const RequiredFeatures Known = RequiredFeatures.VolumeGroups | RequiredFeatures.DynamicVolumes | RequiredFeatures.Arrays;

    /// <summary>Bytes in each block of a space: 64 KiB up to 1 TiB, then twice as many until 1 MiB.</summary>
    public static int BlockSizeFor(long length)
    {
        int size = DefaultBlockSize;
        while (size < MaxFrameBytes && length / size > 1 << 24)
        {
            size *= 2;
        }

        return size;
    }

    /// <summary>SHA-256 of the bytes, cut to 128 bits.</summary>
    public static void Digest(ReadOnlySpan<byte> bytes, Span<byte> digest)
    {
        Span<byte> full = stackalloc byte[32];
        SHA256.HashData(bytes, full);
        full[..DigestLength].CopyTo(digest);
    }

    public static byte[] DigestOf(ReadOnlySpan<byte> bytes)
    {
        var digest = new byte[DigestLength];
        Digest(bytes, digest);
        return digest;
    }

    /// <summary>Largest payload, as stored and as decoded, that a record of the kind may claim.</summary>
    public static int MaxPayloadOf(RecordKind kind) => kind == RecordKind.Frame ? MaxFrameBytes : MaxPayload;

    internal static CorruptDataException UnknownFeature(string image, ulong bits) =>
        new(image, $"it needs a newer version of this program: it uses the required features 0x{bits:x} ({(RequiredFeatures)bits}), which this version does not know");
}
