using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>The files in which NTFS keeps itself, and how they agree with one another.</summary>
internal sealed class NtfsOwnFiles(IBlockDevice volume, NtfsBootSector boot, NtfsMft mft)
{
    /// <summary>The first records, which the mirror repeats.</summary>
    private const int MirroredRecords = 4;

    /// <summary>The stream of one of them.</summary>
    public NtfsStream Stream(int record)
    {
        var file = mft.Open(record);
        return file.First(NtfsType.Data, "") is { IsCoded: false } && file.Stream(NtfsType.Data, "") is { } stream
            ? stream
            : throw new CorruptDataException($"{volume.Name}, MFT record {record}", "it has no clusters of its own, or they are compressed");
    }

    public NtfsBitmap OpenBitmap() => new(Stream(NtfsMft.BitmapRecord), boot, $"{volume.Name}, MFT record {NtfsMft.BitmapRecord}");

    /// <summary>Where $MFTMirr differs, a record was written only once.</summary>
    public void CheckMirror()
    {
        var mirror = Stream(NtfsMft.MirrorRecord);
        for (int number = 0; number < MirroredRecords; number++)
        {
            string where = $"{volume.Name}, record {number} of $MFTMirr";
            var copy = new NtfsRecord(mirror.ReadBytes(number * (long)boot.RecordSize, boot.RecordSize), number, boot.Clusters, where);
            var record = mft[number];
            if (!record.Bytes.AsSpan(0, record.UsedLength).SequenceEqual(copy.Bytes.AsSpan(0, copy.UsedLength)))
            {
                throw new CorruptDataException(where, "it differs from the MFT's");
            }
        }
    }

    /// <summary>The clusters of the filesystem's own files, of which each is counted as used, and none twice.</summary>
    public ExtentSet Check(NtfsBitmap bitmap)
    {
        const int bootRecord = 7;
        var own = ((int[])[NtfsMft.MirrorRecord, NtfsMft.LogRecord, NtfsMft.BitmapRecord, bootRecord])
            .SelectMany(r => Stream(r).Extents).Concat(mft.Stream.Extents).ToList();
        var set = ExtentSet.From(own);
        string where = $"{volume.Name}, $Bitmap";
        return !set.Contains(0) || !set.Contains(boot.MftCluster * boot.ClusterSize) ? throw new CorruptDataException(where, "$Boot and $MFT are not where they belong")
            : set.TotalLength != own.Sum(e => e.Length) ? throw new CorruptDataException(where, "the filesystem's own files share clusters")
            : !bitmap.Covers(set) ? throw new CorruptDataException(where, "it counts clusters of the filesystem's own files as free")
            : set;
    }
}
