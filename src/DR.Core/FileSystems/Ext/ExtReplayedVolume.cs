using System.Buffers.Binary;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ext;

/// <summary>Where the journal holds the newer content of a block.</summary>
/// <param name="Place">Bytes from the beginning of the volume.</param>
/// <param name="Escaped">Whether the journal's magic is to be put back into the first four bytes.</param>
internal readonly record struct ExtJournalCopy(long Place, bool Escaped);

/// <summary>
/// A volume as it would be after its journal had been replayed: changed blocks are read from where the journal holds them.
/// Nothing is written anywhere; the volume below stays its owner's.
/// </summary>
internal sealed class ExtReplayedVolume : IBlockDevice
{
    private readonly IBlockDevice _volume;
    private readonly int _blockSize;
    private readonly long[] _blocks;
    private readonly ExtJournalCopy[] _copies;
    private readonly List<(long Offset, byte[] Bytes)> _patches = [];

    /// <param name="copies">By number of the filesystem's block, in ascending order; within the volume.</param>
    public ExtReplayedVolume(IBlockDevice volume, int blockSize, SortedDictionary<long, ExtJournalCopy> copies)
    {
        _volume = volume;
        _blockSize = blockSize;
        _blocks = [.. copies.Keys];
        _copies = [.. copies.Values];
    }

    public string Name => _volume.Name;

    public long Length => _volume.Length;

    public int SectorSize => _volume.SectorSize;

    public int PhysicalSectorSize => _volume.PhysicalSectorSize;

    public int Alignment => _volume.Alignment;

    public bool IsReadOnly => true;

    /// <summary>Bytes that read differently from now on, whatever the journal says. Before anything reads from several threads.</summary>
    public void Patch(long offset, byte[] bytes)
    {
        _patches.RemoveAll(p => p.Offset == offset && p.Bytes.Length == bytes.Length);
        _patches.Add((offset, bytes));
    }

    public void Read(Span<byte> buffer, long offset)
    {
        _volume.Read(buffer, offset);
        var range = new Extent(offset, buffer.Length);
        int index = Array.BinarySearch(_blocks, offset / _blockSize);
        for (index = index >= 0 ? index : ~index; index < _blocks.Length && _blocks[index] * _blockSize < range.End; index++)
        {
            var part = new Extent(_blocks[index] * _blockSize, _blockSize).Intersect(range);
            Copy(index, buffer.Slice((int)(part.Start - offset), (int)part.Length), (int)(part.Start - _blocks[index] * _blockSize));
        }

        foreach (var (at, bytes) in _patches)
        {
            var part = new Extent(at, bytes.Length).Intersect(range);
            if (!part.IsEmpty)
            {
                bytes.AsSpan((int)(part.Start - at), (int)part.Length).CopyTo(buffer[(int)(part.Start - offset)..]);
            }
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset) => throw Protected(offset, buffer.Length);

    public void Zero(Extent extent) => throw Protected(extent.Start, extent.Length);

    public void Discard(Extent extent) => throw Protected(extent.Start, extent.Length);

    public IEnumerable<BlockStatus> Status(Extent extent) => [new BlockStatus(extent, BlockState.Unknown)];

    public void Flush()
    {
    }

    public void Dispose()
    {
    }

    private void Copy(int index, Span<byte> target, int within)
    {
        var (place, escaped) = _copies[index];
        _volume.Read(target, place + within);
        if (!escaped)
        {
            return;
        }

        Span<byte> magic = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(magic, ExtJournalBlock.Magic);
        for (int i = within; i < 4 && i - within < target.Length; i++)
        {
            target[i - within] = magic[i];
        }
    }

    private DeviceFaultException Protected(long offset, long length) =>
        new(FaultKind.Protected, Name, offset, length, "write", "it is a view of the volume for reading only");
}
