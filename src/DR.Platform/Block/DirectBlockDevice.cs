using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Block;

/// <summary>
/// What disks and plain files have in common on Linux: positional reads and writes past the page cache (O_DIRECT).
/// </summary>
/// <remarks>
/// Requests that are aligned, memory included, go to the kernel as they are. All others go through an aligned buffer of
/// our own rather than through a second, cached descriptor: the kernel gives no promise about a page that is dirty in
/// the cache while its neighbour is written directly. A unit written in part is read, changed and written under one
/// lock, so that two threads may write two halves of it. Only the last, incomplete unit of a plain file, which direct
/// I/O cannot write, is always accessed through the cache.
/// </remarks>
public abstract class DirectBlockDevice : IBlockDevice
{
    private const int BounceSize = 256 << 10;

    /// <summary>So that a zeroing of hours can be interrupted and its failure located.</summary>
    private const long ZeroStep = 1L << 30;

    private readonly BufferPool _bounce = new(BounceSize, 8);
    private readonly Lock _partialWrites = new();
    private readonly SafeFileHandle? _tail;
    private readonly long _tailStart;

    /// <param name="file">Opened with O_DIRECT where the alignment is above 1; owned from here on.</param>
    /// <param name="tail">A cached descriptor, owned from here on; needed where the length is no multiple of the alignment.</param>
    /// <param name="alignment">A power of two up to <see cref="BufferPool.Alignment"/>; 1 for cached I/O.</param>
    private protected DirectBlockDevice(
        SafeFileHandle file, SafeFileHandle? tail, string name, long length, int sectorSize, int physicalSectorSize, int alignment, bool isReadOnly)
    {
        File = file;
        Name = name;
        Length = length;
        SectorSize = sectorSize;
        PhysicalSectorSize = physicalSectorSize;
        Alignment = alignment;
        IsReadOnly = isReadOnly;
        _tail = tail;
        _tailStart = length - length % alignment;
    }

    public string Name { get; }

    public long Length { get; }

    public int SectorSize { get; }

    public int PhysicalSectorSize { get; }

    public int Alignment { get; }

    public bool IsReadOnly { get; }

    /// <summary>Whether reads and writes pass by the page cache of this computer.</summary>
    public bool IsDirect => Alignment > 1;

    internal SafeFileHandle File { get; }

    public void Read(Span<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        int body = BodyLength(buffer.Length, offset);
        ReadBody(buffer[..body], offset);
        if (body < buffer.Length)
        {
            Transfer(_tail!, buffer[body..], offset + body, 1);
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        CheckWritable(offset, buffer.Length, "write");
        int body = BodyLength(buffer.Length, offset);
        WriteBody(buffer[..body], offset);
        if (body < buffer.Length)
        {
            Store(_tail!, buffer[body..], offset + body, 1);
        }
    }

    public void Zero(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        CheckWritable(extent.Start, extent.Length, "zeroing");
        var whole = WholeUnits(extent);
        this.WriteZeros(Extent.Between(extent.Start, whole.Start));
        for (long start = whole.Start; start < whole.End; start += ZeroStep)
        {
            var step = Extent.Between(start, Math.Min(start + ZeroStep, whole.End));
            if (!TryZero(step))
            {
                this.WriteZeros(step);
            }
        }

        this.WriteZeros(Extent.Between(whole.End, extent.End));
    }

    public void Discard(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        CheckWritable(extent.Start, extent.Length, "discard");
        var whole = WholeUnits(extent);
        int errno = whole.IsEmpty ? 0 : TryDiscard(whole);
        if (errno != 0 && !Errno.IsNotSupported(errno))
        {
            throw Fault(errno, "discard", whole.Start, whole.Length);
        }
    }

    public abstract IEnumerable<BlockStatus> Status(Extent extent);

    /// <summary>What must not outlast this object, although a child process may hold the descriptor a moment longer.</summary>
    private protected virtual void Release()
    {
    }

    public void Flush()
    {
        while (!IsReadOnly && Libc.fdatasync(File) < 0)
        {
            if (Errno.Last != Errno.EINTR)
            {
                throw Fault(Errno.Last, "flush", 0, Length);
            }
        }
    }

    public void Dispose()
    {
        Release();
        File.Dispose();
        _tail?.Dispose();
        _bounce.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Zeroes whole units by a command of the device. False where it cannot or fails: plain writes then do it, or say
    /// exactly where they cannot.
    /// </summary>
    private protected abstract bool TryZero(Extent units);

    /// <summary>Gives whole units back; the error number, 0 for success.</summary>
    private protected abstract int TryDiscard(Extent units);

    /// <summary>Whether the device has been taken away; asked when a request has failed.</summary>
    private protected abstract bool HasVanished();

    private int BodyLength(int length, long offset) => (int)Math.Clamp(_tailStart - offset, 0, length);

    private Extent WholeUnits(Extent extent)
    {
        long start = Math.Min((extent.Start + Alignment - 1) / Alignment * Alignment, extent.End);
        return Extent.Between(start, Math.Max(start, Math.Min(extent.End, _tailStart) / Alignment * Alignment));
    }

    /// <summary>The address is judged while it is pinned: the collector may move an array between two looks at it.</summary>
    private unsafe void ReadBody(Span<byte> buffer, long offset)
    {
        fixed (byte* address = buffer)
        {
            if (IsAligned(address, buffer.Length, offset))
            {
                Transfer(File, buffer, offset, Alignment);
                return;
            }
        }

        using var bounce = _bounce.Rent();
        while (buffer.Length > 0)
        {
            int within = (int)(offset % Alignment);
            int count = Math.Min(buffer.Length, BounceSize - within);
            Transfer(File, bounce.Span[..RoundUp(within + count)], offset - within, Alignment);
            bounce.Span.Slice(within, count).CopyTo(buffer);
            buffer = buffer[count..];
            offset += count;
        }
    }

    private unsafe void WriteBody(ReadOnlySpan<byte> buffer, long offset)
    {
        fixed (byte* address = buffer)
        {
            if (IsAligned(address, buffer.Length, offset))
            {
                Store(File, buffer, offset, Alignment);
                return;
            }
        }

        using var bounce = _bounce.Rent();
        while (buffer.Length > 0)
        {
            int within = (int)(offset % Alignment);
            int count = within != 0 || buffer.Length < Alignment
                ? WritePart(bounce.Span[..Alignment], buffer, offset - within, within)
                : WriteUnits(bounce.Span, buffer, offset);
            buffer = buffer[count..];
            offset += count;
        }
    }

    private int WriteUnits(Span<byte> bounce, ReadOnlySpan<byte> buffer, long offset)
    {
        int count = Math.Min(buffer.Length - buffer.Length % Alignment, BounceSize);
        buffer[..count].CopyTo(bounce);
        Store(File, bounce[..count], offset, Alignment);
        return count;
    }

    private int WritePart(Span<byte> unit, ReadOnlySpan<byte> buffer, long unitStart, int within)
    {
        int count = Math.Min(buffer.Length, Alignment - within);
        lock (_partialWrites)
        {
            Transfer(File, unit, unitStart, Alignment);
            buffer[..count].CopyTo(unit[within..]);
            Store(File, unit, unitStart, Alignment);
        }

        return count;
    }

    private int RoundUp(int length) => (length + Alignment - 1) / Alignment * Alignment;

    private unsafe bool IsAligned(byte* address, int length, long offset) =>
        ((offset | (long)length | (long)address) & (uint)(Alignment - 1)) == 0;

    private unsafe void Transfer(SafeFileHandle file, Span<byte> buffer, long offset, int unit)
    {
        fixed (byte* address = buffer)
        {
            int errno = PositionalIo.Read(file, address, buffer.Length, offset, unit, out long done);
            if (errno != 0)
            {
                throw Fault(errno, "read", offset + done, buffer.Length - done);
            }
        }
    }

    private unsafe void Store(SafeFileHandle file, ReadOnlySpan<byte> buffer, long offset, int unit)
    {
        fixed (byte* address = buffer)
        {
            int errno = PositionalIo.Write(file, address, buffer.Length, offset, unit, out long done);
            if (errno != 0)
            {
                throw Fault(errno, "write", offset + done, buffer.Length - done);
            }
        }
    }

    private void CheckWritable(long offset, long length, string doing)
    {
        if (IsReadOnly)
        {
            throw new DeviceFaultException(FaultKind.Protected, Name, offset, length, doing, "it is open for reading only");
        }
    }

    private DeviceFaultException Fault(int errno, string doing, long offset, long length)
    {
        bool vanished = errno == PositionalIo.EndOfFile || Errno.Kind(errno) is not FaultKind.Protected && HasVanished();
        return new DeviceFaultException(
            vanished ? FaultKind.Vanished : Errno.Kind(errno),
            Name,
            offset,
            length,
            doing,
            errno == PositionalIo.EndOfFile ? "the device ends there now; it was longer when it was opened"
                : vanished ? $"{Errno.Text(errno)}; the device is gone"
                : Errno.Text(errno));
    }
}
