using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Swap;

/// <summary>
/// Linux swap space: a header in the first page, with the magic in its last ten bytes; union swap_header in the kernel's
/// include/linux/swap.h. The page size is that of the machine that made it.
/// </summary>
internal static class SwapProbe
{
    private const int SmallestPage = 4 << 10;
    private const int LargestPage = 64 << 10;
    private const int MagicLength = 10;

    /// <summary>Behind the boot block.</summary>
    private const int HeaderOffset = 1024;

    /// <summary>Null where no page size puts a magic where it belongs.</summary>
    public static IFileSystemReader? Open(IBlockDevice volume)
    {
        for (int pageSize = SmallestPage; pageSize <= LargestPage && pageSize <= volume.Length; pageSize *= 2)
        {
            var magic = volume.ReadBytes(pageSize - MagicLength, MagicLength);
            if (magic.AsSpan().SequenceEqual("SWAPSPACE2"u8))
            {
                return Open(volume, pageSize);
            }

            if (IsHibernation(magic))
            {
                return Whole(volume, pageSize, false, "it holds a hibernated session");
            }

            if (magic.AsSpan().SequenceEqual("SWAP-SPACE"u8))
            {
                return Whole(volume, pageSize, true, "it is swap space of the old version 0");
            }
        }

        return null;
    }

    private static IFileSystemReader Open(IBlockDevice volume, int pageSize)
    {
        var reader = Header(volume);
        uint version = reader.U32();
        long pages = reader.U32() + 1L;
        string? problem = version != 1 ? $"swap space of version {version} is not known here"
            : pages * pageSize > volume.Length ? $"its {pages} pages of {pageSize} bytes do not fit on a volume of {volume.Length} bytes"
            : pages < 2 ? "it has no pages"
            : null;
        if (problem is not null)
        {
            return Whole(volume, pageSize, true, problem);
        }

        var facts = Describe(volume, pageSize) with { Length = pages * pageSize, AllocatedBytes = pageSize };
        return new SwapReader(facts);
    }

    private static WholeVolumeReader Whole(IBlockDevice volume, int pageSize, bool clean, string reason) =>
        new(volume, Describe(volume, pageSize) with { Clean = clean, WholeBecause = reason });

    /// <summary>The kernel and its relatives put their own magic in the place of the first one while the machine sleeps.</summary>
    private static bool IsHibernation(ReadOnlySpan<byte> magic) =>
        magic.StartsWith("S1SUSPEND"u8) || magic.StartsWith("S2SUSPEND"u8) || magic.StartsWith("ULSUSPEND"u8)
        || magic.SequenceEqual("LINHIB0001"u8) || magic.StartsWith((ReadOnlySpan<byte>)[0xED, 0xC3, 0x02, 0xE9, 0x98, 0x56, 0xE5, 0x0C]);

    private static SpanReader Header(IBlockDevice volume) =>
        new(volume.ReadBytes(HeaderOffset, 44), $"{volume.Name}, swap header at {HeaderOffset}");

    /// <summary>Behind version, last_page and nr_badpages stand the UUID and the label.</summary>
    private static FileSystemFacts Describe(IBlockDevice volume, int pageSize)
    {
        var reader = Header(volume);
        reader.Skip(12);
        string? uuid = VolumeIds.Uuid(reader.Bytes(16));
        string? label = VolumeIds.Label(reader.Bytes(16));
        return new FileSystemFacts("swap", label, uuid, pageSize, volume.Length, volume.Length, true, null);
    }
}
