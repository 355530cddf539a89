using DR.Core.Devices;
using DR.Core.Layout.Raid;
using DR.Core.Primitives;

namespace DR.Core.Layout.Md;

/// <summary>How an array of Linux' software RAID is spread over its devices (drivers/md: raid0.c, raid1.c, raid10.c, raid5.c). Pure.</summary>
/// <param name="Array">One of its superblocks.</param>
/// <param name="Columns">Bytes that each device gives to the array, by their roles.</param>
public sealed record MdShape(MdSuperblock Array, IReadOnlyList<long> Columns)
{
    private const int Sector = 512;
    private const int MaxChunk = 1 << 30;

    /// <summary>A RAID-0 of unequal devices as kernels before 3.14 laid it out.</summary>
    private const int OriginalZones = 1;

    /// <param name="array">One of its superblocks.</param>
    /// <param name="devices">Those of the devices, by their roles; null for one that is missing.</param>
    public static MdShape Of(MdSuperblock array, IReadOnlyList<MdSuperblock?> devices) =>
        new(array, [.. devices.Select(d => d is null ? array.Size : d.Size > 0 ? d.Size : d.Data.Length)]);

    /// <summary>Why it cannot be read; null if it can, with all devices that it needs.</summary>
    public string? Problem => Array.Level switch
    {
        _ when Array.Unsupported is { } unsupported => unsupported,
        _ when Array.IsReshaping => "it is being changed into another shape",
        -1 or 1 => null,
        0 or 4 or 5 or 6 or 10 when Array.Chunk is < Sector or > MaxChunk || Array.Chunk % Sector != 0 || Columns.Any(c => c < Array.Chunk) => $"its chunks have {Array.Chunk} bytes",
        0 => Columns.Distinct().Count() > 1 && Array.Layout is not (1 or 2) ? "its devices are not equally long, and it does not say in which order it uses the rest" : null,
        4 => null,
        5 => Array.Layout is >= 0 and <= 5 ? null : $"its parity rotates in a way that is not known: {Array.Layout}",
        6 => Array.Layout is >= 0 and <= 5 && Columns.Count > 2 ? null : $"its parity rotates in a way that is not known: {Array.Layout}",
        10 => (Array.Layout >> 8) != 1 || Near is < 1 ? "its copies do not lie beside one another"
            : Array.Devices % Near != 0 ? $"its {Near} copies are spread over {Array.Devices} devices" : null,
        _ => $"{Array.LevelName} is not known",
    };

    /// <summary>Bytes of the array.</summary>
    public long Length => Array.Level switch
    {
        -1 or 0 => Columns.Sum(Rounded),
        1 => Columns[0],
        10 => Rounded(Array.Size) * (Columns.Count / Near),
        _ => Rounded(Array.Size) * (Columns.Count - Parities),
    };

    /// <summary>Whether all its bytes are there without these devices.</summary>
    /// <param name="missing">Their roles.</param>
    public bool Survives(IReadOnlyCollection<int> missing) => missing.Count == 0 || Array.Level switch
    {
        1 => missing.Count < Columns.Count,
        4 or 5 or 6 => missing.Count == 1,
        10 => missing.GroupBy(m => m / Near).All(g => g.Count() < Near),
        _ => false,
    };

    /// <summary>Whether each byte is there several times.</summary>
    public bool IsRedundant => Array.Level is 4 or 5 or 6 || Array.Level == 1 && Columns.Count > 1 || Array.Level == 10 && Near > 1;

    /// <summary>Of RAID-4, 5 and 6.</summary>
    public int Parities => Array.Level == 6 ? 2 : 1;

    private int Near => Array.Layout & 0xFF;

    /// <summary>The bytes of the array as a device.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="columns">Where the data of each device begins, by roles; null for one that is missing. The devices stay the caller's.</param>
    /// <param name="compares">Whether a read of a mirror looks at all its sides.</param>
    public IBlockDevice Open(string name, IReadOnlyList<MappedColumn?> columns, bool compares = false) => Array.Level switch
    {
        -1 => new MappedBlockDevice(name, [.. columns.Select((c, i) => new MappedPiece(Rounded(Columns[i]), 0, [c!.Value]))]),
        0 => new MappedBlockDevice(name, Zones([.. columns.Select(c => c!.Value)])),
        1 => Mirror(name, columns, Length, compares),
        10 => new MappedBlockDevice(name, [new MappedPiece(Length, Array.Chunk,
            [.. columns.Chunk(Near).Select(c => new MappedColumn(Mirror(name, c, Rounded(Array.Size), compares), 0))])]),
        _ => new ParityBlockDevice(name, new ParityShape(Array.Chunk, Rounded(Array.Size), Columns.Count, Parities, Array.Level == 4 ? ParityRotation.ParityLast : (ParityRotation)Array.Layout), columns),
    };

    private static MirrorBlockDevice Mirror(string name, IEnumerable<MappedColumn?> columns, long length, bool compares)
    {
        var mirror = new MirrorBlockDevice(name, [.. columns.OfType<MappedColumn>().Select(c => new SliceBlockDevice(c.Device, new Extent(c.Offset, length), c.Device.Name))]);
        return compares ? mirror.Comparing() : mirror;
    }

    /// <summary>As far as the shortest device reaches all take turns, then those that are longer, and so on.</summary>
    private List<MappedPiece> Zones(IReadOnlyList<MappedColumn> columns)
    {
        var zones = new List<MappedPiece>();
        long done = 0;
        for (long start = 0, end; ; start = end)
        {
            int[] active = [.. Enumerable.Range(0, Columns.Count).Where(i => Rounded(Columns[i]) > start)];
            if (active.Length == 0)
            {
                return zones;
            }

            end = active.Min(i => Rounded(Columns[i]));
            long length = (end - start) * active.Length;
            int first = Array.Layout == OriginalZones ? (int)(done / Array.Chunk % active.Length) : 0;
            zones.Add(new MappedPiece(length, Array.Chunk,
                [.. active.Select((_, turn) => columns[active[(turn + first) % active.Length]]).Select(c => c with { Offset = c.Offset + start })]));
            done += length;
        }
    }

    private long Rounded(long length) => Array.Chunk == 0 ? length : length / Array.Chunk * Array.Chunk;
}
