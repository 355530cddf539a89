using System.Buffers.Binary;
using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.FileSystems;

/// <summary>Changes structures of XFS and mends their checksums, so that what is behind the checksums is tested too.</summary>
internal static class XfsDamage
{
    private static readonly Dictionary<string, int> Sectors = new() { ["XFSB"] = 224, ["XAGF"] = 216, ["XAGI"] = 312, ["XAFL"] = 32 };

    private static readonly Dictionary<string, int> Blocks = new()
    {
        ["AB3B"] = 52,
        ["AB3C"] = 52,
        ["IAB3"] = 52,
        ["FIB3"] = 52,
        ["RMB3"] = 52,
        ["R3FC"] = 52,
        ["BMA3"] = 64,
        ["XDB3"] = 4,
        ["XDD3"] = 4,
        ["XDF3"] = 4,
    };

    public static void Write(IBlockDevice device, long offset, uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        device.Write(bytes, offset);
    }

    /// <summary>Makes the checksum of a structure hold.</summary>
    public static void Mend(IBlockDevice device, long start, int length, int field)
    {
        var bytes = device.ReadBytes(start, length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(field), 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(field), Crc32C.Compute(bytes));
        device.Write(bytes.AsSpan(field, 4), start + field);
    }

    /// <summary>The structures with checksums in a set of bytes: start, length, where the checksum stands.</summary>
    public static List<(long Start, int Length, int Field)> Structures(IBlockDevice device, ExtentSet set, int blockSize, int sectorSize, int inodeSize)
    {
        var found = new List<(long, int, int)>();
        foreach (var extent in set.Extents)
        {
            for (long at = extent.Start; at < extent.End; at += 256)
            {
                string magic = Encoding.Latin1.GetString(device.ReadBytes(at, 4));
                if (at % sectorSize == 0 && Sectors.TryGetValue(magic, out int field))
                {
                    found.Add((at, sectorSize, field));
                }
                else if (at % blockSize == 0 && Blocks.TryGetValue(magic, out field))
                {
                    found.Add((at, blockSize, field));
                }
                else if (at % inodeSize == 0 && magic.StartsWith("IN", StringComparison.Ordinal))
                {
                    found.Add((at, inodeSize, 100));
                }
            }
        }

        return found;
    }
}
