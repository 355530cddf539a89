using DR.Core.Devices;

namespace DR.Core.FileSystems;

/// <summary>Reads of headers that a small volume may not have room for.</summary>
internal static class PartialRead
{
    /// <summary>As many of the bytes as the volume has; none for an offset outside of it.</summary>
    public static byte[] ReadUpTo(this IBlockDevice volume, long offset, int length) =>
        offset < 0 || offset >= volume.Length ? [] : volume.ReadBytes(offset, (int)Math.Min(length, volume.Length - offset));
}
