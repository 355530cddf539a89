using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>
/// The journal (jbd2) in the filesystem itself, and what its replay would write. Follows the rules of the kernel's recovery:
/// transactions count in sequence from s_start up to the last one that was committed; a block that a later transaction
/// revokes is left as it is. Where anything in a committed transaction does not hold, nothing is replayed.
/// Source: https://docs.kernel.org/filesystems/ext4/journal.html.
/// </summary>
internal sealed class ExtJournal
{
    private const int SuperblockSize = 1024;
    private const int StartOffset = 0x1C;
    private const int SequenceOffset = 0x18;
    private const int UuidOffset = 0x30;
    private const int ChecksumTypeOffset = 0x50;
    private const int ChecksumOffset = 0xFC;
    private const byte Crc32CType = 4;
    private const uint CompatChecksum = 1;

    /// <summary>Changed blocks that are kept in memory; journals as mke2fs makes them hold at most half of this.</summary>
    private const int MaxCopies = 1 << 19;

    private readonly ExtGeometry _geometry;
    private readonly IReadOnlyList<Extent> _extents;
    private readonly long[] _starts;
    private readonly byte[] _superblock;
    private readonly ExtJournalFeatures _features;
    private readonly uint _seed;
    private readonly uint _maxlen;
    private readonly uint _first;
    private readonly SortedDictionary<long, ExtJournalCopy> _copies = [];

    /// <param name="extents">Bytes of the volume, in the order of the journal.</param>
    /// <param name="size">Bytes of the journal by its inode: holes would move what lies behind them.</param>
    private ExtJournal(ExtGeometry geometry, IReadOnlyList<Extent> extents, long size)
    {
        _geometry = geometry;
        _extents = extents;
        _starts = new long[extents.Count];
        long blocks = 0;
        for (int i = 0; i < extents.Count; i++)
        {
            _starts[i] = blocks;
            blocks += extents[i].Length / geometry.BlockSize;
        }

        Require(blocks > 0 && blocks == (size + geometry.BlockSize - 1) / geometry.BlockSize, $"has {blocks} written blocks for {size} bytes");
        _superblock = geometry.Volume.ReadBytes(extents[0].Start, SuperblockSize);
        var type = ExtJournalBlock.Header(_superblock)?.Type;
        Require(type is ExtJournalBlockType.SuperblockV1 or ExtJournalBlockType.SuperblockV2, "has no superblock");
        bool v2 = type == ExtJournalBlockType.SuperblockV2;
        Require(Field(0x0C) == geometry.BlockSize, $"has blocks of {Field(0x0C)} bytes, the filesystem of {geometry.BlockSize}");
        _maxlen = Field(0x10);
        _first = Field(0x14);
        Require(_maxlen <= blocks && _first > 0 && _first < _maxlen, $"counts {_maxlen} blocks from {_first}, and has {blocks}");
        _features = v2 ? (ExtJournalFeatures)Field(0x28) : 0;
        Require((_features & ~ExtJournalFeatures.Known) == 0, $"has features that are not replayed here (0x{(uint)_features:x})");
        Require(!v2 || ((Field(0x24) & CompatChecksum) == 0 && Field(0x2C) == 0), "has checksums of the first version, or features that are not known here");
        _seed = Crc32C.Update(uint.MaxValue, _superblock.AsSpan(UuidOffset, 16));
        Require(!HasChecksums || (_superblock[ChecksumTypeOffset] == Crc32CType && SuperblockChecksum() == Field(ChecksumOffset)),
            "has a superblock whose checksum does not match");
        Require(Field(0x20) == 0, $"was aborted by the kernel (error {Field(0x20)})");
    }

    /// <summary>Blocks that the replay changes.</summary>
    public int Count => _copies.Count;

    private bool HasChecksums => ExtJournalBlock.HasTails(_features);

    /// <summary>The volume as it would be with the journal replayed and marked as such.</summary>
    /// <exception cref="CorruptDataException">The journal is not what it should be, or cannot be replayed here; the message says why.</exception>
    public static (ExtReplayedVolume Volume, int Blocks) Replay(ExtGeometry geometry, ExtGroupTable groups)
    {
        var inode = new ExtInodeTable(geometry, groups)[geometry.Superblock.JournalInum];
        var extents = new List<Extent>();
        foreach (var extent in new ExtFileMap(geometry).Content(inode, new ExtentCollector()))
        {
            extents.Add(extent);
        }

        var journal = new ExtJournal(geometry, extents, inode.Size);
        uint next = journal.Scan();
        return (journal.Volume(next), journal.Count);
    }

    /// <summary>Collects the copies of all committed transactions.</summary>
    /// <returns>The number of the first transaction that was not committed.</returns>
    private uint Scan()
    {
        uint sequence = Field(SequenceOffset);
        uint at = Field(StartOffset);
        if (at == 0)
        {
            return sequence;
        }

        Require(at >= _first && at < _maxlen, $"starts at block {at} of {_maxlen}");
        var block = new byte[_geometry.BlockSize];
        var open = new Transaction(sequence);
        ulong lastCommit = 0;
        for (long left = _maxlen - _first; left > 0; left--)
        {
            _geometry.Volume.Read(block, Place(at));
            if (ExtJournalBlock.Header(block) is not { } header || header.Sequence != open.Sequence)
            {
                break;
            }

            uint here = at;
            at = Next(at);
            switch (header.Type)
            {
                case ExtJournalBlockType.Descriptor:
                    left -= AddTags(open, block, here, ref at);
                    continue;
                case ExtJournalBlockType.Revoke:
                    AddRevoked(open, block, here);
                    continue;
                case ExtJournalBlockType.Commit:
                    break;
                default:
                    return open.Sequence;
            }

            ulong time = ExtJournalBlock.CommitTime(block);
            if ((HasChecksums && !ExtJournalBlock.CommitHolds(block, _seed)) || (open.Problem is not null && time < lastCommit))
            {
                break;
            }

            Require(open.Problem is null, open.Problem ?? "");
            Commit(open);
            lastCommit = time;
            open = new Transaction(open.Sequence + 1);
        }

        return open.Sequence;
    }

    /// <returns>The blocks behind the descriptor that it speaks of.</returns>
    private int AddTags(Transaction open, byte[] block, uint here, ref uint at)
    {
        if (HasChecksums && !ExtJournalBlock.TailHolds(block, _seed))
        {
            open.Problem ??= $"block {here}: the checksum of the descriptor does not match";
        }

        var tags = ExtJournalBlock.Tags(block, _features);
        foreach (var tag in tags)
        {
            if (!_geometry.IsBlock(tag.Block))
            {
                open.Problem ??= $"block {here}: it changes block {tag.Block} of {_geometry.BlocksCount}";
            }

            long place = Place(at);
            if (HasChecksums && open.Problem is null && !Holds(tag, place, open.Sequence))
            {
                open.Problem = $"block {at}: its checksum does not match";
            }

            open.Copies.Add((tag.Block, new ExtJournalCopy(place, tag.Escaped)));
            Require(open.Copies.Count <= MaxCopies, "holds too many blocks to replay it here");
            at = Next(at);
        }

        return tags.Count;
    }

    private bool Holds(ExtJournalTag tag, long place, uint sequence)
    {
        uint computed = ExtJournalBlock.ContentChecksum(_geometry.Volume.ReadBytes(place, _geometry.BlockSize), _seed, sequence);
        return _features.HasFlag(ExtJournalFeatures.CsumV3) ? computed == tag.Checksum : (computed & 0xFFFF) == tag.Checksum;
    }

    private void AddRevoked(Transaction open, byte[] block, uint here)
    {
        if (HasChecksums && !ExtJournalBlock.TailHolds(block, _seed))
        {
            open.Problem ??= $"block {here}: the checksum of the revoke block does not match";
        }

        if (ExtJournalBlock.Revoked(block, _features) is { } revoked)
        {
            open.Revoked.AddRange(revoked);
        }
        else
        {
            open.Problem ??= $"block {here}: a revoke block of an impossible length";
        }
    }

    /// <summary>A block that the transaction revokes is not to be written from it or from any before it.</summary>
    private void Commit(Transaction transaction)
    {
        foreach (var (block, copy) in transaction.Copies)
        {
            _copies[block] = copy;
        }

        foreach (long block in transaction.Revoked)
        {
            _copies.Remove(block);
        }

        Require(_copies.Count <= MaxCopies, "holds too many blocks to replay it here");
    }

    private ExtReplayedVolume Volume(uint next)
    {
        var superblock = (byte[])_superblock.Clone();
        BinaryPrimitives.WriteUInt32BigEndian(superblock.AsSpan(StartOffset), 0);
        BinaryPrimitives.WriteUInt32BigEndian(superblock.AsSpan(SequenceOffset), next + 1);
        if (HasChecksums)
        {
            BinaryPrimitives.WriteUInt32BigEndian(superblock.AsSpan(ChecksumOffset), SuperblockChecksum(superblock));
        }

        var volume = new ExtReplayedVolume(_geometry.Volume, _geometry.BlockSize, _copies);
        volume.Patch(_extents[0].Start, superblock);
        return volume;
    }

    private uint SuperblockChecksum() => SuperblockChecksum((byte[])_superblock.Clone());

    /// <summary>Over all 1024 bytes, with zeros in the place of the checksum, which are left there.</summary>
    private static uint SuperblockChecksum(byte[] superblock)
    {
        superblock.AsSpan(ChecksumOffset, 4).Clear();
        return Crc32C.Update(uint.MaxValue, superblock);
    }

    private uint Field(int offset) => BinaryPrimitives.ReadUInt32BigEndian(_superblock.AsSpan(offset));

    private uint Next(uint block) => block + 1 == _maxlen ? _first : block + 1;

    /// <summary>Where a block of the journal lies on the volume, in bytes.</summary>
    private long Place(uint block)
    {
        int index = Array.BinarySearch(_starts, block);
        index = index >= 0 ? index : ~index - 1;
        return _extents[index].Start + (block - _starts[index]) * _geometry.BlockSize;
    }

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException($"{_geometry.Volume.Name}, its journal", otherwise);
        }
    }

    private sealed class Transaction(uint sequence)
    {
        public uint Sequence { get; } = sequence;

        public List<(long Block, ExtJournalCopy Copy)> Copies { get; } = [];

        public List<long> Revoked { get; } = [];

        /// <summary>What does not hold in it; of no account unless it was committed.</summary>
        public string? Problem { get; set; }
    }
}
