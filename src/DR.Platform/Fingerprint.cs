using System.Buffers.Binary;
using System.Security.Cryptography;
using DR.Core.Devices;

namespace DR.Platform;

/// <summary>
/// 32 hex digits over the length and samples of the content: what a disk without a number of its own is known by.
/// SHA-256, cut to 128 bits, over the length (u64, little endian) and 64 pieces of up to 4 KiB from the first to the last.
/// </summary>
internal static class Fingerprint
{
    private const int Samples = 64;
    private const int SampleSize = 4096;

    public static string Of(IBlockDevice device)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var sample = new byte[SampleSize];
        BinaryPrimitives.WriteInt64LittleEndian(sample, device.Length);
        hash.AppendData(sample, 0, sizeof(long));
        int size = (int)Math.Min(SampleSize, device.Length);
        long last = (device.Length - size) / SampleSize;
        for (int i = 0; i < Samples; i++)
        {
            Append(hash, device, sample.AsSpan(0, size), (long)((Int128)last * i / (Samples - 1)) * SampleSize);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    /// <summary>A sample that cannot be read counts as such, so that a failing disk still has a fingerprint.</summary>
    private static void Append(IncrementalHash hash, IBlockDevice device, Span<byte> sample, long offset)
    {
        try
        {
            device.Read(sample, offset);
            hash.AppendData(sample);
        }
        catch (DeviceFaultException)
        {
            hash.AppendData("unreadable"u8);
        }
    }
}
