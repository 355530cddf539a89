using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>A file: its base record and those that extend it, with the attributes that may be spread over them.</summary>
internal sealed class NtfsFile(IBlockDevice volume, NtfsBootSector boot, NtfsRecord record, IReadOnlyList<NtfsAttribute> attributes)
{
    public NtfsRecord Record => record;

    private string Where => $"{volume.Name}, MFT record {record.Number}";

    /// <summary>Whether it has such an attribute.</summary>
    public NtfsAttribute? First(uint type, string name) => attributes.FirstOrDefault(a => a.Type == type && a.Name == name);

    /// <summary>The value of a resident attribute; null where there is none of it.</summary>
    public ReadOnlyMemory<byte>? Value(uint type, string name) => First(type, name) is { Runs: null } found ? found.Value : null;

    /// <summary>A stream that has clusters of its own, put together from its pieces; null where there is none of it.</summary>
    /// <exception cref="CorruptDataException">A piece is missing, or it has more clusters than the volume.</exception>
    public NtfsStream? Stream(uint type, string name) => Join(volume, boot, attributes.Where(a => a.Type == type && a.Name == name), Where, whole: true);

    /// <param name="whole">Whether the runs have to reach the end of the stream.</param>
    public static NtfsStream? Join(IBlockDevice volume, NtfsBootSector boot, IEnumerable<NtfsAttribute> pieces, string where, bool whole)
    {
        var runs = new List<NtfsRun>();
        var ordered = pieces.Where(p => p.Runs is not null).OrderBy(p => p.LowestVcn).ToList();
        long end = 0;
        long used = 0;
        foreach (var piece in ordered)
        {
            if (piece.LowestVcn != end)
            {
                throw new CorruptDataException(where, $"the piece of a stream begins at cluster {piece.LowestVcn}, not at {end}");
            }

            runs.AddRange(piece.Runs!);
            end = runs.Count == 0 ? 0 : runs[^1].End;
            used += piece.Runs!.Where(r => !r.IsHole).Sum(r => r.Count);
        }

        if (ordered.Count == 0)
        {
            return null;
        }

        bool cut = (ordered[0].Size - 1) / boot.ClusterSize >= end && ordered[0].Size > 0;
        if (used > boot.Clusters || whole && cut)
        {
            throw new CorruptDataException(where, $"a stream of {ordered[0].Size} bytes in {end} clusters, {used} of the volume's {boot.Clusters}");
        }

        long size = cut ? end * boot.ClusterSize : ordered[0].Size;
        return new NtfsStream(volume, boot, runs, size, Math.Min(size, ordered[0].Initialized), where);
    }
}
