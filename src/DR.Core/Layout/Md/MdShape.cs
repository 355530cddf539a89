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
        10 => (Array.Layout >> 8) != 1 || Near < 1 || Near > Array.Devices ? "its copies do not lie beside one another" : null,
        _ => $"{Array.LevelName} is not known",
    };

    /// <summary>Bytes of the array.</summary>
    public long Length => Array.Level switch
    {
        -1 or 0 => Columns.Sum(Rounded),
        1 => Columns[0],
        10 => Chunks * Array.Chunk,
        _ => Rounded(Array.Size) * (Columns.Count - Parities),
    };

    /// <summary>Whether all its bytes are there without these devices.</summary>
    /// <param name="missing">Their roles.</param>
    public bool Survives(IReadOnlyCollection<int> missing) => missing.Count == 0 || Array.Level switch
    {
        1 => missing.Count < Columns.Count,
        4 or 5 or 6 => missing.Count == 1,
        10 => Enumerable.Range(0, Columns.Count).All(turn => Copies(turn).Any(c => !missing.Contains(c.Device))),
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
        10 when Columns.Count % Near == 0 => new MappedBlockDevice(name, [new MappedPiece(Length, Array.Chunk,
            [.. columns.Chunk(Near).Select(c => new MappedColumn(Mirror(name, c, Rounded(Array.Size), compares), 0))])]),
        10 => new MappedBlockDevice(name, Turns(name, columns, compares)),
        _ => new ParityBlockDevice(name, new ParityShape(Array.Chunk, Rounded(Array.Size), Columns.Count, Parities, Array.Level == 4 ? ParityRotation.ParityLast : (ParityRotation)Array.Layout), columns),
    };

    /// <summary>Of a RAID-10 with this many chunks on each device: one for each copy of each, in their order, row by row.</summary>
    private long Chunks => Array.Size / Array.Chunk * Columns.Count / Near;

    /// <summary>
    /// Where the copies of a chunk lie: chunk c takes the places c * copies and following of all places, row by row over the devices, so that
    /// as many chunks as there are devices fill as many rows as there are copies (raid10.c, __raid10_find_phys).
    /// </summary>
    /// <param name="turn">Of the chunk, among as many as there are devices.</param>
    private IEnumerable<(int Device, int Row)> Copies(int turn) =>
        Enumerable.Range(0, Near).Select(copy => ((turn * Near + copy) % Columns.Count, (turn * Near + copy) / Columns.Count));

    /// <summary>Copies spread over devices that are no multiple of them: whole turns, and single chunks behind the last.</summary>
    private List<MappedPiece> Turns(string name, IReadOnlyList<MappedColumn?> columns, bool compares)
    {
        var (turns, rest) = Math.DivRem(Chunks, Columns.Count);
        var pieces = new List<MappedPiece>();
        if (turns > 0)
        {
            pieces.Add(new MappedPiece(turns * Columns.Count * Array.Chunk, Array.Chunk, [.. Enumerable.Range(0, Columns.Count).Select(turn => new MappedColumn(Sides(turn, 0, turns), 0))]));
        }

        pieces.AddRange(Enumerable.Range(0, (int)rest).Select(turn => new MappedPiece(Array.Chunk, 0, [new MappedColumn(Sides(turn, turns, 1), 0)])));
        return pieces;

        MirrorBlockDevice Sides(int turn, long first, long count)
        {
            var mirror = new MirrorBlockDevice(name, [.. Copies(turn).Where(c => columns[c.Device] is not null).Select(c => columns[c.Device]!.Value is var on
                ? new MappedBlockDevice(on.Device.Name, [new MappedPiece(count * Array.Chunk, Array.Chunk, [on with { Offset = on.Offset + (first * Near + c.Row) * Array.Chunk }]) { Stride = Near * Array.Chunk }]) : null!)]);
            return compares ? mirror.Comparing() : mirror;
        }
    }

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
