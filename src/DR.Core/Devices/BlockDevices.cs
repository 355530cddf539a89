using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>What every block device can do by means of its contract alone.</summary>
public static class BlockDevices
{
    private static readonly byte[] Zeros = GC.AllocateArray<byte>(1 << 20, pinned: true);

    /// <summary>Throws unless the range lies within the device.</summary>
    public static void CheckRange(this IBlockDevice device, long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > device.Length - length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset),
                $"{device.Name}: {length} bytes at offset {offset} lie outside its {device.Length} bytes");
        }
    }

    /// <summary>Reads bytes whose offset or length came from the device itself, and so may be anything.</summary>
    /// <exception cref="CorruptDataException">The range lies outside the device.</exception>
    public static void ReadChecked(this IBlockDevice device, Span<byte> buffer, long offset, string what)
    {
        if (offset < 0 || offset > device.Length - buffer.Length)
        {
            throw new CorruptDataException($"{device.Name}, {what} at offset {offset}",
                $"{buffer.Length} bytes lie outside the device of {device.Length} bytes");
        }

        device.Read(buffer, offset);
    }

    /// <summary>A new array with the bytes of a range that the caller has checked.</summary>
    public static byte[] ReadBytes(this IBlockDevice device, long offset, int length)
    {
        var bytes = new byte[length];
        device.Read(bytes, offset);
        return bytes;
    }

    /// <summary>Zeroes by plain writes of up to 1 MiB.</summary>
    public static void WriteZeros(this IBlockDevice device, Extent extent)
    {
        for (long offset = extent.Start; offset < extent.End; offset += Zeros.Length)
        {
            device.Write(Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, extent.End - offset)), offset);
        }
    }
}
