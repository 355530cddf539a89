using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Doubles;

/// <summary>Another device, and a trace of what was asked of it, one line each: "read 0+4096". Owns the device below.</summary>
internal sealed class RecordingBlockDevice(IBlockDevice inner) : IBlockDevice
{
    private readonly List<string> _trace = [];
    private readonly Lock _lock = new();

    /// <summary>The lines so far, in the order in which the requests came.</summary>
    public IReadOnlyList<string> Trace
    {
        get
        {
            lock (_lock)
            {
                return [.. _trace];
            }
        }
    }

    /// <summary>The trace as golden text.</summary>
    public string Text => string.Join('\n', Trace);

    public string Name => inner.Name;

    public long Length => inner.Length;

    public int SectorSize => inner.SectorSize;

    public int PhysicalSectorSize => inner.PhysicalSectorSize;

    public int Alignment => inner.Alignment;

    public bool IsReadOnly => inner.IsReadOnly;

    public void Read(Span<byte> buffer, long offset)
    {
        Note("read", new Extent(offset, buffer.Length));
        inner.Read(buffer, offset);
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        Note("write", new Extent(offset, buffer.Length));
        inner.Write(buffer, offset);
    }

    public void Zero(Extent extent)
    {
        Note("zero", extent);
        inner.Zero(extent);
    }

    public void Discard(Extent extent)
    {
        Note("discard", extent);
        inner.Discard(extent);
    }

    public IEnumerable<BlockStatus> Status(Extent extent)
    {
        Note("status", extent);
        return inner.Status(extent);
    }

    public void Flush()
    {
        Note("flush");
        inner.Flush();
    }

    /// <summary>Forgets the trace so far.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _trace.Clear();
        }
    }

    public void Dispose() => inner.Dispose();

    private void Note(string request, Extent extent) => Note($"{request} {extent.Start}+{extent.Length}");

    private void Note(string line)
    {
        lock (_lock)
        {
            _trace.Add(line);
        }
    }
}
