using DR.Core.Primitives;

namespace DR.Core.Layout.Ldm;

/// <summary>Makes a group of its records; every number is held to the others.</summary>
internal static class LdmGroupBuilder
{
    private const int Sector = LdmHeader.Sector;

    /// <summary>Sectors of anything: beyond that, bytes do not fit their type.</summary>
    private const ulong MaxSectors = long.MaxValue / Sector / 64;

    private const int MaxColumns = 32;
    private const string Healthy = "ACTIVE";

    /// <exception cref="CorruptDataException">Records contradict each other. What is only not known here is in <see cref="LdmVolume.Unsupported"/>.</exception>
    public static LdmGroup Build(LdmHeader header, long sequence, IReadOnlyList<LdmRecord> records, string where)
    {
        var disks = ByNumber<LdmDiskRecord>(records, where);
        var components = ByNumber<LdmComponentRecord>(records, where);
        var volumes = ByNumber<LdmVolumeRecord>(records, where);
        var pieces = records.OfType<LdmPieceRecord>().ToList();
        var places = disks.Values.Select((d, i) => (d.Number, i)).ToDictionary(d => d.Number, d => d.i);
        foreach (var piece in pieces)
        {
            Require(places.ContainsKey(piece.Disk) && components.ContainsKey(piece.Component), where, $"piece {piece.Name} belongs to a disk or component that is not there");
            Require(piece.Size > 0 && piece.Size <= MaxSectors && piece.Start <= MaxSectors && piece.Offset <= MaxSectors, where, $"piece {piece.Name} has {piece.Size} sectors at {piece.Start}");
        }

        Require(disks.Values.DistinctBy(d => d.Id).Count() == disks.Count && volumes.Values.DistinctBy(v => v.Name).Count() == volumes.Count, where, "two disks have one GUID, or two volumes one name");
        foreach (var component in components.Values)
        {
            Require(volumes.ContainsKey(component.Volume), where, $"component {component.Name} belongs to a volume that is not there");
        }

        var ofComponent = pieces.ToLookup(p => p.Component);
        var ofVolume = components.Values.ToLookup(c => c.Volume);
        var built = volumes.Values.Select(v => Volume(v, [.. ofVolume[v.Number]], ofComponent, places, where)).ToList();
        return new LdmGroup(header.GroupName, header.GroupId, sequence, [.. disks.Values.Select(d => new LdmDisk(d.Name, d.Id))], built, Fingerprint(records));
    }

    private static LdmVolume Volume(
        LdmVolumeRecord record, List<LdmComponentRecord> components, ILookup<ulong, LdmPieceRecord> pieces, Dictionary<ulong, int> disks, string where)
    {
        Require((ulong)components.Count == record.Components, where, $"volume {record.Name} has {components.Count} components instead of {record.Components}");
        Require(record.Size is > 0 and <= MaxSectors, where, $"volume {record.Name} has {record.Size} sectors");
        var sides = components.Select(c => (Component: c, Pieces: pieces[c.Number].ToList())).ToList();
        foreach (var (component, parts) in sides)
        {
            Require((ulong)parts.Count == component.Pieces, where, $"component {component.Name} has {parts.Count} pieces instead of {component.Pieces}");
        }

        var kind = KindOf(record, sides);
        var ordered = sides.SelectMany(s => Ordered(s.Component, s.Pieces)
            .Select(p => new LdmPiece(p.Name, disks[p.Disk], (long)p.Start * Sector, (long)p.Size * Sector, s.Component.State == Healthy))).ToList();
        ulong chunk = kind is LdmVolumeKind.Striped or LdmVolumeKind.Raid5 ? sides[0].Component.Chunk : 0;
        string? problem = Unsupported(record, sides, kind, chunk);
        return new LdmVolume(record.Name, record.Id, kind ?? LdmVolumeKind.Piece, (long)record.Size * Sector, problem is null ? (long)chunk * Sector : 0, record.Type, record.Hint, ordered)
        {
            Unsupported = problem,
        };
    }

    private static IEnumerable<LdmPieceRecord> Ordered(LdmComponentRecord component, List<LdmPieceRecord> pieces) =>
        component.Kind == 2 ? pieces.OrderBy(p => p.Offset) : pieces.OrderBy(p => p.Column);

    /// <summary>Null where it is none that is known.</summary>
    private static LdmVolumeKind? KindOf(LdmVolumeRecord volume, List<(LdmComponentRecord Component, List<LdmPieceRecord> Pieces)> sides) =>
        (volume.Kind, sides.Count, sides.FirstOrDefault().Component?.Kind) switch
        {
            (3, 1, 2) => sides[0].Pieces.Count == 1 ? LdmVolumeKind.Simple : LdmVolumeKind.Spanned,
            (3, 1, 1) => LdmVolumeKind.Striped,
            (3, > 1, _) when sides.All(s => s.Component.Kind == 2 && s.Pieces.Count == 1) => LdmVolumeKind.Mirrored,
            (4, 1, 3) => LdmVolumeKind.Raid5,
            _ => null,
        };

    private static string? Unsupported(
        LdmVolumeRecord volume, List<(LdmComponentRecord Component, List<LdmPieceRecord> Pieces)> sides, LdmVolumeKind? kind, ulong chunk)
    {
        if (kind is not { } known || sides.Any(s => s.Pieces.Count == 0))
        {
            return $"it is of a kind that is not read here (type {volume.Kind}; components {string.Join(", ", sides.Select(s => $"{s.Component.Kind} with {s.Pieces.Count} pieces"))})";
        }

        if (known != LdmVolumeKind.Mirrored && sides[0].Component.State != Healthy || known == LdmVolumeKind.Mirrored && sides.All(s => s.Component.State != Healthy))
        {
            return $"its state is {sides[0].Component.State}";
        }

        // A mirror that has lost a side, and a RAID-5 that has lost a column, are named by what is missing.
        if (known is not (LdmVolumeKind.Mirrored or LdmVolumeKind.Raid5) && volume.State != Healthy)
        {
            return $"its state is {volume.State}";
        }

        return Misfit(volume, sides, known, chunk);
    }

    /// <summary>Pieces that do not make up the volume.</summary>
    private static string? Misfit(
        LdmVolumeRecord volume, List<(LdmComponentRecord Component, List<LdmPieceRecord> Pieces)> sides, LdmVolumeKind kind, ulong chunk)
    {
        var pieces = Ordered(sides[0].Component, sides[0].Pieces).ToList();
        ulong data = (ulong)pieces.Count - (kind == LdmVolumeKind.Raid5 ? 1u : 0);
        bool inTurns = pieces.Count <= MaxColumns && pieces.Select((p, i) => p.Column == (ulong)i && p.Offset == 0 && p.Size == pieces[0].Size).All(fits => fits)
            && data > 0 && (ulong)pieces.Count == sides[0].Component.Columns && chunk is > 0 and <= 1 << 20 && pieces[0].Size % chunk == 0 && pieces[0].Size * data == volume.Size;
        bool fits = kind switch
        {
            LdmVolumeKind.Striped or LdmVolumeKind.Raid5 => inTurns,
            LdmVolumeKind.Mirrored => sides.All(s => s.Pieces[0].Size == volume.Size && s.Pieces[0].Offset == 0),
            _ => IsContinuous(pieces, volume.Size),
        };
        return fits ? null : $"its {pieces.Count} pieces do not make up its {volume.Size} sectors (chunks of {chunk})";
    }

    private static bool IsContinuous(List<LdmPieceRecord> pieces, ulong size)
    {
        ulong at = 0;
        foreach (var piece in pieces)
        {
            if (piece.Offset != at || piece.Size > size - at)
            {
                return false;
            }

            at += piece.Size;
        }

        return at == size;
    }

    private static Dictionary<ulong, T> ByNumber<T>(IReadOnlyList<LdmRecord> records, string where)
        where T : LdmRecord
    {
        var found = new Dictionary<ulong, T>();
        foreach (var record in records.OfType<T>())
        {
            Require(found.TryAdd(record.Number, record), where, $"number {record.Number} is used twice");
        }

        return found;
    }

    private static string Fingerprint(IReadOnlyList<LdmRecord> records) =>
        string.Join('\n', records.Select(r => r.ToString()).Order(StringComparer.Ordinal));

    private static void Require(bool holds, string where, string problem)
    {
        if (!holds)
        {
            throw new CorruptDataException(where, problem);
        }
    }
}
