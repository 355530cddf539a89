using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Doubles;

/// <summary>Another device, which acknowledges LVM's metadata areas and loses them, or changes a letter of them.</summary>
internal sealed class ForgetfulBlockDevice(IBlockDevice inner, bool drops) : IBlockDevice
{
    public string Name => inner.Name;

    public long Length => inner.Length;

    public int SectorSize => inner.SectorSize;

    public int PhysicalSectorSize => inner.PhysicalSectorSize;

    public int Alignment => inner.Alignment;

    public bool IsReadOnly => inner.IsReadOnly;

    public void Read(Span<byte> buffer, long offset) => inner.Read(buffer, offset);

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        var bytes = buffer.ToArray();
        int at = bytes.AsSpan().IndexOf(" LVM2 x[5A%r0N*>"u8) - 4;
        if (at >= 0 && drops)
        {
            bytes.AsSpan(at, Math.Min(4096, bytes.Length - at)).Clear();
        }
        else if (at >= 0)
        {
            bytes[at + 600] ^= 1;
        }

        inner.Write(bytes, offset);
    }

    public void Zero(Extent extent) => inner.Zero(extent);

    public void Discard(Extent extent) => inner.Discard(extent);

    public IEnumerable<BlockStatus> Status(Extent extent) => inner.Status(extent);

    public void Flush() => inner.Flush();

    public void Dispose() => inner.Dispose();
}
