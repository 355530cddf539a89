using System.Buffers.Binary;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>
/// The log: a ring of blocks of 512 bytes, each of which begins with the number of its round (cycle), or with the magic of a
/// record and then the cycle. Its head is where the cycle falls. It is clean where the record before the head holds one operation
/// and that says that the filesystem was unmounted; fs/xfs/xfs_log_recover.c decides the same way.
/// </summary>
internal sealed class XfsLog
{
    private const int Block = 512;
    private const uint RecordMagic = 0xFEEDBABE;
    private const byte UnmountFlag = 0x20;
    private const int CycleBytes = 32 << 10;

    /// <summary>Blocks before the head that may have been in flight together (XLOG_TOTAL_REC_SHIFT: 8 records of 256 KiB).</summary>
    private const int MaxInFlight = 8 * (256 << 10) / Block;

    private readonly XfsGeometry _geometry;
    private readonly Extent _extent;
    private readonly long _blocks;
    private readonly List<Extent> _read = [];

    public XfsLog(XfsGeometry geometry)
    {
        _geometry = geometry;
        var s = geometry.Superblock;
        _extent = geometry.FsBytes(s.LogStart, s.LogBlocks, Where);
        _blocks = _extent.Length / Block;
    }

    /// <summary>What had to be read to find the head; a mount reads the same.</summary>
    public IEnumerable<Extent> Read => _read;

    private string Where => $"{_geometry.Volume.Name}, XFS log";

    /// <summary>Null where it was unmounted cleanly.</summary>
    /// <exception cref="CorruptDataException">It is no log.</exception>
    public string? WhyNotClean()
    {
        const string dirty = "it was not unmounted cleanly: its log has to be replayed";
        uint first = Cycle(0);
        uint last = Cycle(_blocks - 1);
        if (first == 0)
        {
            return "its log is empty and does not say whether it was unmounted cleanly";
        }

        long head = FindHead(first, last);
        int window = (int)Math.Min(_blocks, MaxInFlight);
        var before = ReadRing(head - window, window);
        for (int i = 0; i < window; i++)
        {
            // Blocks before the start of the ring belong to the round before, unless this one has filled it.
            uint expected = head - window + i >= 0 ? first : last;
            if (CycleOf(before.AsSpan(i * Block)) != expected)
            {
                return dirty;
            }
        }

        return EndsWithUnmount(before, first) ? null : dirty;
    }

    /// <summary>The block behind the last one that was written, 1 to the length of the log.</summary>
    private long FindHead(uint first, uint last)
    {
        if (first == last)
        {
            return _blocks;
        }

        long low = 0;
        long high = _blocks - 1;
        while (high - low > 1)
        {
            long middle = (low + high) / 2;
            (low, high) = Cycle(middle) == first ? (middle, high) : (low, middle);
        }

        return high;
    }

    /// <summary>Looks for the last record header, and whether all behind it is one unmount record.</summary>
    private bool EndsWithUnmount(byte[] before, uint cycle)
    {
        for (int at = before.Length - Block; at >= 0; at -= Block)
        {
            if (BinaryPrimitives.ReadUInt32BigEndian(before.AsSpan(at)) == RecordMagic)
            {
                return IsUnmount(before.AsSpan(at), cycle);
            }
        }

        return false;
    }

    /// <param name="record">struct xlog_rec_header, and all up to the head.</param>
    private bool IsUnmount(ReadOnlySpan<byte> record, uint cycle)
    {
        var reader = new SpanReader(record, Where);
        reader.Seek(4);
        uint recordCycle = reader.U32BE();
        uint version = reader.U32BE();
        long length = reader.U32BE();
        reader.Seek(40);
        uint operations = reader.U32BE();
        reader.Seek(304);
        bool isOurs = reader.Bytes(16).SequenceEqual(_geometry.Superblock.Uuid);
        long size = reader.U32BE();
        long headers = (version & 2) != 0 && size > CycleBytes ? (size + CycleBytes - 1) / CycleBytes : 1;
        long data = headers * Block;
        if (!isOurs || operations != 1 || recordCycle > cycle || data + (length + Block - 1) / Block * Block != record.Length || length < 12)
        {
            return false;
        }

        // struct xlog_op_header: tid, len, clientid, flags.
        return (record[(int)data + 9] & UnmountFlag) != 0;
    }

    private uint Cycle(long block) => CycleOf(ReadRing(block, 1));

    private static uint CycleOf(ReadOnlySpan<byte> block)
    {
        uint word = BinaryPrimitives.ReadUInt32BigEndian(block);
        return word == RecordMagic ? BinaryPrimitives.ReadUInt32BigEndian(block[4..]) : word;
    }

    /// <param name="block">May lie before the start of the ring.</param>
    private byte[] ReadRing(long block, int count)
    {
        var bytes = new byte[count * Block];
        int before = (int)Math.Clamp(-block, 0, count);
        if (before > 0)
        {
            Fill(bytes.AsSpan(0, before * Block), block + _blocks);
        }

        if (count > before)
        {
            Fill(bytes.AsSpan(before * Block), block + before);
        }

        return bytes;
    }

    private void Fill(Span<byte> bytes, long block)
    {
        long offset = _extent.Start + block * Block;
        _read.Add(new Extent(offset, bytes.Length));
        _geometry.Volume.Read(bytes, offset);
    }
}
