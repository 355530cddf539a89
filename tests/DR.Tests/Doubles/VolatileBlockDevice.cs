using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Doubles;

/// <summary>
/// A disk with a cache of its own, whose power fails at the write of a given number: of what was not flushed by then,
/// each write is on the disk, or not, or in part, as chance will have it. From then on the disk is gone.
/// </summary>
/// <param name="stable">What is on the medium.</param>
/// <param name="lastWrite">Number, from 1, of the last write that is accepted; all of them for <see cref="int.MaxValue"/>.</param>
internal sealed class VolatileBlockDevice(MemoryBlockDevice stable, int lastWrite, Random chance) : IBlockDevice
{
    private readonly MemoryBlockDevice _seen = CopyOf(stable);
    private readonly List<(long Offset, byte[] Bytes)> _cached = [];
    private readonly Lock _lock = new();
    private bool _gone;

    public int Writes { get; private set; }

    public string Name => stable.Name;

    public long Length => stable.Length;

    public int SectorSize => stable.SectorSize;

    public int PhysicalSectorSize => stable.PhysicalSectorSize;

    public int Alignment => 1;

    public bool IsReadOnly => false;

    public static MemoryBlockDevice CopyOf(IBlockDevice device) =>
        new(device.ReadBytes(0, (int)device.Length), device.SectorSize, device.Name);

    public void Read(Span<byte> buffer, long offset)
    {
        lock (_lock)
        {
            RequirePower(offset, buffer.Length, "read");
            _seen.Read(buffer, offset);
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        lock (_lock)
        {
            RequirePower(offset, buffer.Length, "write");
            if (Writes == lastWrite)
            {
                LosePower();
                RequirePower(offset, buffer.Length, "write");
            }

            Writes++;
            _seen.Write(buffer, offset);
            _cached.Add((offset, buffer.ToArray()));
        }
    }

    public void Zero(Extent extent) => Write(new byte[extent.Length], extent.Start);

    public void Discard(Extent extent)
    {
    }

    public IEnumerable<BlockStatus> Status(Extent extent) => [new BlockStatus(extent, BlockState.Unknown)];

    public void Flush()
    {
        lock (_lock)
        {
            RequirePower(0, Length, "flush");
            _cached.ForEach(w => stable.Write(w.Bytes, w.Offset));
            _cached.Clear();
        }
    }

    public void Dispose()
    {
    }

    private void LosePower()
    {
        _gone = true;
        foreach (var (offset, bytes) in _cached)
        {
            int sectors = bytes.Length / SectorSize;
            int kept = chance.Next(3) switch { 0 => 0, 1 => sectors, _ => chance.Next(sectors + 1) };
            stable.Write(bytes.AsSpan(0, kept * SectorSize), offset);
        }
    }

    private void RequirePower(long offset, long length, string doing)
    {
        if (_gone)
        {
            throw new DeviceFaultException(FaultKind.Vanished, Name, offset, length, doing, "the power has failed");
        }
    }
}
