using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>What is known about a run of bytes without reading it.</summary>
public enum BlockState
{
    /// <summary>Holds data, as far as is known.</summary>
    Data,

    /// <summary>Reads as zeros, and takes up room.</summary>
    Zero,

    /// <summary>Reads as zeros, and takes up no room.</summary>
    Hole,

    /// <summary>Changed since the reference point of an incremental capture.</summary>
    Dirty,

    /// <summary>The device cannot tell.</summary>
    Unknown,
}

public readonly record struct BlockStatus(Extent Extent, BlockState State);

/// <summary>
/// A disk, a partition, a volume, a file, an image: bytes at offsets. Reads and writes are whole or fail, may come from
/// several threads at once, and move no cursor. Every failure of the device itself is a <see cref="DeviceFaultException"/>;
/// a range outside [0, Length) is an <see cref="ArgumentOutOfRangeException"/>: the caller has checked its offsets.
/// </summary>
public interface IBlockDevice : IDisposable
{
    /// <summary>What error messages call it: the path, or the path and the partition.</summary>
    string Name { get; }

    /// <summary>Bytes; a multiple of <see cref="SectorSize"/>, except for plain files used as raw disks.</summary>
    long Length { get; }

    /// <summary>Bytes of the smallest write, 512 to 4096: a power of two.</summary>
    int SectorSize { get; }

    /// <summary>Bytes that the medium itself writes at once; at least <see cref="SectorSize"/>.</summary>
    int PhysicalSectorSize { get; }

    /// <summary>
    /// Offsets, lengths and buffer addresses that are multiples of this go straight to the device. Others work too,
    /// more slowly. 1 where it does not matter.
    /// </summary>
    int Alignment { get; }

    bool IsReadOnly { get; }

    /// <summary>Fills the whole buffer from <paramref name="offset"/>, or throws.</summary>
    void Read(Span<byte> buffer, long offset);

    /// <summary>Writes the whole buffer at <paramref name="offset"/>, or throws. What a failed write left behind is undefined.</summary>
    void Write(ReadOnlySpan<byte> buffer, long offset);

    /// <summary>Makes the extent read as zeros, by whatever means the device has.</summary>
    void Zero(Extent extent);

    /// <summary>A hint that the content is no longer needed; it is undefined afterwards. Never fails for lack of support.</summary>
    void Discard(Extent extent);

    /// <summary>What is known of the extent, in order and without gaps.</summary>
    IEnumerable<BlockStatus> Status(Extent extent);

    /// <summary>Returns when every write that completed before the call is on stable media.</summary>
    void Flush();
}
