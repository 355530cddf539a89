using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Hardness;

/// <summary>Finds the group descriptors and block bitmaps of ext by what dumpe2fs says, and mends their checksums (metadata_csum).</summary>
internal static partial class ExtDamage
{
    private const long Superblock = 1024;
    private const int Incompat = 0x60;
    private const int RoCompat = 0x64;
    private const int Uuid = 0x68;
    private const uint MetadataCsum = 0x400;
    private const uint CsumSeed = 0x2000;

    public static IReadOnlyList<Structure> Structures(IBlockDevice device, string dump)
    {
        long blockSize = Number(BlockSize().Match(dump));
        int size = device.ReadBytes(Superblock + 0xFE, 2)[0] is var stored and >= 64 ? stored : 32;
        bool summed = (BitConverter.ToUInt32(device.ReadBytes(Superblock + RoCompat, 4)) & MetadataCsum) != 0;
        long table = Number(Descriptors().Match(dump)) * blockSize;
        var groups = Bitmaps().Matches(dump).Select((m, g) => (Number: (uint)g, Bitmap: Number(m) * blockSize, Descriptor: table + g * size)).ToList();

        // With meta_bg the descriptors lie here and there; there they are damaged as part of what a mount reads.
        bool scattered = dump.Contains("meta_bg", StringComparison.Ordinal);
        return
        [
            new Structure(new Extent(Superblock, 1024), new Extent(Superblock + 1020, 4), summed ? MendSuperblock : null),
            .. groups.Where(_ => !scattered).Select(g => new Structure(
                new Extent(g.Descriptor, size), new Extent(g.Descriptor + 0x1E, 2), summed ? d => MendDescriptor(d, g, size) : null)),
            .. groups.Select(g => new Structure(
                new Extent(g.Bitmap, blockSize), new Extent(g.Descriptor, size), summed ? d => MendBitmap(d, g, size, blockSize) : null)),
        ];
    }

    private static void MendSuperblock(IBlockDevice device) =>
        Write(device, Superblock + 1020, Crc32C.Update(uint.MaxValue, device.ReadBytes(Superblock, 1020)), 4);

    private static void MendDescriptor(IBlockDevice device, (uint Number, long Bitmap, long Descriptor) group, int size)
    {
        var bytes = device.ReadBytes(group.Descriptor, size);
        bytes[0x1E] = bytes[0x1F] = 0;
        Write(device, group.Descriptor + 0x1E, Crc32C.Update(Crc32C.Update(Seed(device), BitConverter.GetBytes(group.Number)), bytes), 2);
    }

    private static void MendBitmap(IBlockDevice device, (uint Number, long Bitmap, long Descriptor) group, int size, long blockSize)
    {
        int clusters = BitConverter.ToInt32(device.ReadBytes(Superblock + 0x24, 4));
        uint sum = Crc32C.Update(Seed(device), device.ReadBytes(group.Bitmap, (int)Math.Min(blockSize, clusters / 8)));
        Write(device, group.Descriptor + 0x18, sum, 2);
        if (size >= 64)
        {
            Write(device, group.Descriptor + 0x38, sum >> 16, 2);
        }

        MendDescriptor(device, group, size);
    }

    private static uint Seed(IBlockDevice device) => (BitConverter.ToUInt32(device.ReadBytes(Superblock + Incompat, 4)) & CsumSeed) != 0
        ? BitConverter.ToUInt32(device.ReadBytes(Superblock + 0x270, 4))
        : Crc32C.Update(uint.MaxValue, device.ReadBytes(Superblock + Uuid, 16));

    private static void Write(IBlockDevice device, long offset, uint value, int length)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        device.Write(bytes.AsSpan(0, length), offset);
    }

    private static long Number(Match match) => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("^Block size: +([0-9]+)", RegexOptions.Multiline)]
    private static partial Regex BlockSize();

    [GeneratedRegex("Group descriptors? at ([0-9]+)")]
    private static partial Regex Descriptors();

    [GeneratedRegex("Block bitmap at ([0-9]+)")]
    private static partial Regex Bitmaps();
}
