using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>
/// Small reads that mostly ascend, served from larger ones: bitmaps, descriptors and inodes lie in runs. One thread at a time.
/// </summary>
/// <param name="size">Bytes that are read at once where the device has them.</param>
internal sealed class ReadWindow(IBlockDevice device, int size)
{
    private byte[] _bytes = [];
    private Extent _extent;

    /// <summary>The bytes at an offset; good until the next call.</summary>
    /// <exception cref="CorruptDataException">The range lies outside the device.</exception>
    public ReadOnlySpan<byte> Get(long offset, int length, string what)
    {
        if (offset < 0 || length < 0 || offset > device.Length - length)
        {
            throw new CorruptDataException($"{device.Name}, {what} at offset {offset}",
                $"{length} bytes lie outside the device of {device.Length} bytes");
        }

        if (!_extent.Contains(new Extent(offset, length)))
        {
            Fill(offset, length);
        }

        return _bytes.AsSpan((int)(offset - _extent.Start), length);
    }

    private void Fill(long offset, int length)
    {
        int ahead = (int)Math.Min(Math.Max(size, length), device.Length - offset);
        try
        {
            Load(offset, ahead);
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium && ahead > length)
        {
            // The bad sector may lie in what nobody asked for.
            Load(offset, length);
        }
    }

    private void Load(long offset, int length)
    {
        _extent = default;
        if (_bytes.Length < length)
        {
            _bytes = new byte[length];
        }

        device.Read(_bytes.AsSpan(0, length), offset);
        _extent = new Extent(offset, length);
    }
}
