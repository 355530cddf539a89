using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Tape;

/// <summary>
/// The file of a virtual cartridge: a header of 4096 bytes, then records (<see cref="VirtualRecord"/>) one behind the other;
/// the end of the file is the end of data.
/// <code>
///  0 magic "DRVTAPE1"   8 version u32 (1)   12 zeros   16 capacity u64: bytes of records that it takes
/// 24 early warning u64: bytes of capacity left when it is given        32 CRC-32C of bytes 0 to 31, u32
/// </code>
/// A file without the right to write it is a cartridge whose tab says so.
/// </summary>
internal sealed class VirtualCartridge : IDisposable
{
    public const int Start = 4096;
    public const long SmallestCapacity = 64 << 10;

    private const ulong Magic = 0x31455041_54565244;
    private const int HeaderSize = 36;
    private const int Window = 1 << 20;
    private const long WriteBehind = 16 << 20;

    private readonly SafeFileHandle _file;
    private readonly byte[] _header = new byte[VirtualRecord.HeaderSize];
    private long _begun;

    private VirtualCartridge(SafeFileHandle file, string path, bool writable, long capacity, long earlyWarning)
    {
        (_file, Path, IsWritable) = (file, path, writable);
        (Capacity, EarlyWarning) = (capacity, earlyWarning);
        End = Math.Max(RandomAccess.GetLength(file), Start);
    }

    public string Path { get; }

    public bool IsWritable { get; }

    /// <summary>Bytes of records that fit.</summary>
    public long Capacity { get; }

    /// <summary>Bytes before the capacity from which on the end is near.</summary>
    public long EarlyWarning { get; }

    /// <summary>End of data: where the file ends.</summary>
    public long End { get; private set; }

    /// <summary>Makes a blank one. An existing file is never replaced.</summary>
    public static void Make(string path, long capacity, long earlyWarning)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, SmallestCapacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(earlyWarning, capacity);
        var header = new byte[Start];
        var writer = new SpanWriter(header);
        writer.U64(Magic);
        writer.U32(1);
        writer.U32(0);
        writer.U64((ulong)capacity);
        writer.U64((ulong)earlyWarning);
        writer.U32(Crc32C.Compute(header.AsSpan(0, 32)));
        try
        {
            using var file = System.IO.File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            RandomAccess.Write(file, header, 0);
            StableMedia.Flush(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"{path}: the cartridge cannot be made: {e.Message}", e);
        }
    }

    /// <exception cref="DeviceFaultException">It is gone, or no virtual cartridge.</exception>
    public static VirtualCartridge Open(string path)
    {
        try
        {
            bool writable = (System.IO.File.GetAttributes(path) & FileAttributes.ReadOnly) == 0;
            var file = OpenFile(path, ref writable);
            try
            {
                var (capacity, warning) = ReadHeader(file, path);
                return new VirtualCartridge(file, path, writable, capacity, warning);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeviceFaultException(FaultKind.Vanished, path, 0, 0, "loading the cartridge", e.Message, e);
        }
    }

    /// <summary>The header of the record at the offset; null where no sound one is.</summary>
    public VirtualRecord? RecordAt(long offset) =>
        Read(_header, offset) == _header.Length ? VirtualRecord.Parse(_header, offset) : null;

    /// <summary>Fills the buffer with the block of the record; false where it is cut short or damaged.</summary>
    public bool ReadBlock(VirtualRecord record, Span<byte> buffer)
    {
        var block = buffer[..record.Length];
        return Read(block, record.Offset + VirtualRecord.HeaderSize) == record.Length && Crc32C.Compute(block) == record.Crc;
    }

    /// <summary>The next sound record at or behind the offset, found by its header; null for none. Reads up to the end of data.</summary>
    public VirtualRecord? FindRecord(long offset)
    {
        var window = new byte[Window];
        for (long at = offset; at < End; at += Window - VirtualRecord.HeaderSize)
        {
            var seen = window.AsSpan(0, Read(window, at));
            for (int found, from = 0; (found = seen[from..].IndexOf(VirtualRecord.MagicBytes)) >= 0; from += found + 1)
            {
                var header = seen[(from + found)..];
                if (header.Length >= VirtualRecord.HeaderSize && VirtualRecord.Parse(header, at + from + found) is { } record)
                {
                    return record;
                }
            }
        }

        return null;
    }

    /// <summary>Writes the record at its offset, at most at the end of data, which is then behind it.</summary>
    public void Write(VirtualRecord record, ReadOnlySpan<byte> block)
    {
        Truncate(record.Offset);
        record.Write(_header);
        try
        {
            RandomAccess.Write(_file, _header, record.Offset);
            RandomAccess.Write(_file, block, record.Offset + VirtualRecord.HeaderSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            throw Fault(e, record.Offset, VirtualRecord.HeaderSize + record.Length, "writing");
        }

        End = record.End;
        if (End - _begun >= WriteBehind)
        {
            PageCache.BeginWriting(_file, _begun, End - _begun);
            _begun = End;
        }
    }

    /// <summary>Forgets everything from the offset on.</summary>
    public void Truncate(long offset)
    {
        try
        {
            // A failed write has left bytes behind the end of data.
            if (RandomAccess.GetLength(_file) > offset)
            {
                RandomAccess.SetLength(_file, offset);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Fault(e, offset, 0, "cutting the file off");
        }

        End = offset;
        _begun = Math.Min(_begun, offset);
    }

    /// <summary>Everything written is on the disk that holds the file.</summary>
    public void Flush()
    {
        try
        {
            StableMedia.Flush(_file);
        }
        catch (IOException e)
        {
            throw Fault(e, Start, 0, "flushing");
        }
    }

    public void Dispose() => _file.Dispose();

    private static SafeFileHandle OpenFile(string path, ref bool writable)
    {
        if (writable)
        {
            try
            {
                return System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            }
            catch (Exception e) when (e is UnauthorizedAccessException || e is IOException { HResult: Errno.EROFS })
            {
                writable = false;
            }
        }

        return System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
    }

    private static (long Capacity, long EarlyWarning) ReadHeader(SafeFileHandle file, string path)
    {
        var header = new byte[HeaderSize];
        int got = RandomAccess.Read(file, header, 0);
        var reader = new SpanReader(header, path);
        bool known = got == HeaderSize && reader.U64() == Magic && reader.U32() == 1;
        reader.Seek(16);
        ulong capacity = reader.U64();
        ulong warning = reader.U64();
        return known && reader.U32() == Crc32C.Compute(header.AsSpan(0, 32)) && capacity <= long.MaxValue / 2 && warning <= capacity
            ? ((long)capacity, (long)warning)
            : throw new DeviceFaultException(FaultKind.Medium, path, 0, 0, "loading the cartridge", "the header at offset 0 is damaged or that of something else");
    }

    private int Read(Span<byte> buffer, long offset)
    {
        int done = 0;
        try
        {
            for (int count = 1; done < buffer.Length && count > 0; done += count)
            {
                count = RandomAccess.Read(_file, buffer[done..], offset + done);
            }
        }
        catch (IOException e)
        {
            throw Fault(e, offset, buffer.Length, "reading");
        }

        return done;
    }

    private DeviceFaultException Fault(Exception e, long offset, long length, string doing)
    {
        var kind = e is UnauthorizedAccessException ? FaultKind.Protected
            : e is ArgumentOutOfRangeException ? FaultKind.Full
            : OperatingSystem.IsLinux() ? Errno.Kind(e.HResult)
            : FaultKind.Medium;
        string reason = kind == FaultKind.Full ? "the disk that holds the virtual cartridge has no room for it: make room, or make smaller cartridges" : e.Message;
        return new DeviceFaultException(kind, Path, offset, length, doing, reason, e);
    }
}
