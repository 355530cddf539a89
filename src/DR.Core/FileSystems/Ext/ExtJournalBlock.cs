using System.Buffers.Binary;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>h_blocktype.</summary>
internal enum ExtJournalBlockType : uint
{
    Descriptor = 1,
    Commit = 2,
    SuperblockV1 = 3,
    SuperblockV2 = 4,
    Revoke = 5,
}

/// <summary>s_feature_incompat of the journal.</summary>
[Flags]
internal enum ExtJournalFeatures : uint
{
    Revoke = 0x1,
    Bit64 = 0x2,
    AsyncCommit = 0x4,
    CsumV2 = 0x8,
    CsumV3 = 0x10,
    FastCommit = 0x20,

    /// <summary>Those that <see cref="ExtJournal"/> replays.</summary>
    Known = Revoke | Bit64 | CsumV2 | CsumV3,
}

/// <summary>A block of the filesystem that a transaction has changed.</summary>
/// <param name="Block">Of the filesystem.</param>
/// <param name="Escaped">Whether its first four bytes were the journal's magic, which stands as zeros in the journal.</param>
/// <param name="Checksum">As stored; 16 bits with csum_v2, 32 with csum_v3.</param>
internal readonly record struct ExtJournalTag(long Block, bool Escaped, uint Checksum);

/// <summary>
/// What stands in one block of the journal (jbd2), big endian; names as in https://docs.kernel.org/filesystems/ext4/journal.html.
/// </summary>
internal static class ExtJournalBlock
{
    public const uint Magic = 0xC03B3998;
    public const int HeaderSize = 12;

    private const int TailSize = 4;
    private const int RevokeHeaderSize = 16;
    private const int UuidSize = 16;
    private const int CommitChecksumOffset = 0x10;
    private const int CommitTimeOffset = 0x30;
    private const uint EscapeFlag = 1;
    private const uint SameUuidFlag = 2;
    private const uint LastTagFlag = 8;

    /// <summary>Null where the block bears no header of the journal.</summary>
    public static (ExtJournalBlockType Type, uint Sequence)? Header(ReadOnlySpan<byte> block) =>
        BinaryPrimitives.ReadUInt32BigEndian(block) == Magic
            ? ((ExtJournalBlockType)BinaryPrimitives.ReadUInt32BigEndian(block[4..]), BinaryPrimitives.ReadUInt32BigEndian(block[8..]))
            : null;

    /// <summary>The checksum at the end of a descriptor or revoke block.</summary>
    public static bool TailHolds(ReadOnlySpan<byte> block, uint seed) =>
        Crc32C.Update(Crc32C.Update(seed, block[..^TailSize]), stackalloc byte[TailSize]) == BinaryPrimitives.ReadUInt32BigEndian(block[^TailSize..]);

    /// <summary>h_chksum[0] of a commit block.</summary>
    public static bool CommitHolds(ReadOnlySpan<byte> block, uint seed)
    {
        uint computed = Crc32C.Update(seed, block[..CommitChecksumOffset]);
        computed = Crc32C.Update(computed, stackalloc byte[4]);
        computed = Crc32C.Update(computed, block[(CommitChecksumOffset + 4)..]);
        return computed == BinaryPrimitives.ReadUInt32BigEndian(block[CommitChecksumOffset..]);
    }

    /// <summary>h_commit_sec.</summary>
    public static ulong CommitTime(ReadOnlySpan<byte> block) => BinaryPrimitives.ReadUInt64BigEndian(block[CommitTimeOffset..]);

    /// <summary>The checksum of a changed block, as it stands in the journal.</summary>
    public static uint ContentChecksum(ReadOnlySpan<byte> content, uint seed, uint sequence)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(number, sequence);
        return Crc32C.Update(Crc32C.Update(seed, number), content);
    }

    /// <summary>The changed blocks, in the order in which they follow the descriptor.</summary>
    public static IReadOnlyList<ExtJournalTag> Tags(ReadOnlySpan<byte> block, ExtJournalFeatures features)
    {
        bool v3 = features.HasFlag(ExtJournalFeatures.CsumV3);
        bool bit64 = features.HasFlag(ExtJournalFeatures.Bit64);
        int size = v3 ? 16 : 8 + (features.HasFlag(ExtJournalFeatures.CsumV2) ? 2 : 0) + (bit64 ? 4 : 0);
        var room = block[..^(HasTails(features) ? TailSize : 0)];
        var tags = new List<ExtJournalTag>();
        for (int at = HeaderSize; at <= room.Length - size;)
        {
            var tag = room.Slice(at, size);
            uint flags = v3 ? BinaryPrimitives.ReadUInt32BigEndian(tag[4..]) : BinaryPrimitives.ReadUInt16BigEndian(tag[6..]);
            uint high = bit64 ? BinaryPrimitives.ReadUInt32BigEndian(tag[8..]) : 0;
            uint checksum = v3 ? BinaryPrimitives.ReadUInt32BigEndian(tag[12..]) : BinaryPrimitives.ReadUInt16BigEndian(tag[4..]);
            long number = (long)(high & int.MaxValue) << 32 | BinaryPrimitives.ReadUInt32BigEndian(tag);
            tags.Add(new ExtJournalTag(number, (flags & EscapeFlag) != 0, checksum));
            if ((flags & LastTagFlag) != 0)
            {
                break;
            }

            at += size + ((flags & SameUuidFlag) != 0 ? 0 : UuidSize);
        }

        return tags;
    }

    /// <summary>Blocks of the filesystem of which earlier copies are not to be replayed; null where the block makes no sense.</summary>
    public static IReadOnlyList<long>? Revoked(ReadOnlySpan<byte> block, ExtJournalFeatures features)
    {
        int size = features.HasFlag(ExtJournalFeatures.Bit64) ? 8 : 4;
        uint count = BinaryPrimitives.ReadUInt32BigEndian(block[HeaderSize..]);
        if (count < RevokeHeaderSize || count > block.Length - (HasTails(features) ? TailSize : 0))
        {
            return null;
        }

        var blocks = new List<long>();
        for (int at = RevokeHeaderSize; at <= count - size; at += size)
        {
            blocks.Add(size == 8 ? BinaryPrimitives.ReadInt64BigEndian(block[at..]) : BinaryPrimitives.ReadUInt32BigEndian(block[at..]));
        }

        return blocks;
    }

    public static bool HasTails(ExtJournalFeatures features) => (features & (ExtJournalFeatures.CsumV2 | ExtJournalFeatures.CsumV3)) != 0;
}
