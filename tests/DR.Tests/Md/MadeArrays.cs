using System.Buffers.Binary;
using System.Globalization;
using DR.Core.Devices;
using DR.Tests.Architecture;
using DR.Tests.Doubles;

namespace DR.Tests.Md;

/// <summary>Arrays that Linux made (made/make.sh), each filled with blocks of 4 KiB that repeat their own number.</summary>
internal static class MadeArrays
{
    private const int Block = 4096;

    /// <summary>Names and lengths in bytes, as the kernel said.</summary>
    public static Dictionary<string, long> Unpack(string folder)
    {
        Tools.Require("tar", "zstd");
        Tools.Run("tar", "--no-same-owner", "--zstd", "-xf", Path.Combine(SourceTree.Root, "tests/DR.Tests/Md/made/arrays.tar.zst"), "-C", folder);
        return File.ReadAllLines(Path.Combine(folder, "lengths")).Select(l => l.Split(' ')).ToDictionary(l => l[0], l => long.Parse(l[1], CultureInfo.InvariantCulture));
    }

    public static string[] Members(string folder, string name) => [.. Directory.GetFiles(folder, name + ".?").Order(StringComparer.Ordinal)];

    /// <summary>Whether each block has its number.</summary>
    public static void AssertWhole(IBlockDevice array, string what)
    {
        var bytes = array.ReadBytes(0, (int)array.Length);
        for (int at = 0; at < bytes.Length; at += sizeof(ulong))
        {
            ulong expected = (ulong)(at / Block);
            if (at / Block < bytes.Length / Block && BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at)) != expected)
            {
                Assert.Fail($"{what}: byte {at} should be of block {expected} and is of {BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at)):x}");
            }
        }
    }
}
