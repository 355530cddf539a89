using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>
/// The boot sector of NTFS; names as in ntfs-3g's layout.h and https://flatcap.github.io/linux-ntfs/ntfs/files/boot.html.
/// Everything has been checked against everything else and against the device.
/// </summary>
internal sealed class NtfsBootSector
{
    public const int Size = 512;

    private const int MaxClusterSize = 2 << 20;
    private const int MaxRecordSize = 64 << 10;
    private const int SerialOffset = 0x48;

    private readonly string _where;

    /// <exception cref="CorruptDataException">The fields contradict each other or the device.</exception>
    public NtfsBootSector(ReadOnlySpan<byte> bytes, IBlockDevice volume)
    {
        _where = $"{volume.Name}, NTFS boot sector at 0";
        var reader = new SpanReader(bytes, _where);
        reader.Seek(0x0B);
        BytesPerSector = reader.U16();
        int sectorsPerCluster = SectorsPerCluster(reader.U8());
        reader.Seek(0x28);
        Sectors = reader.Size64();
        MftCluster = reader.Size64();
        MirrorCluster = reader.Size64();
        byte clustersPerRecord = reader.U8();
        Require(BytesPerSector is >= 512 and <= 4096 && int.IsPow2(BytesPerSector), $"sectors of {BytesPerSector} bytes");
        Require(int.IsPow2(sectorsPerCluster) && sectorsPerCluster <= MaxClusterSize / BytesPerSector,
            $"clusters of {sectorsPerCluster} sectors of {BytesPerSector} bytes");
        ClusterSize = BytesPerSector * sectorsPerCluster;
        Require(Sectors <= volume.Length / BytesPerSector,
            $"{Sectors} sectors of {BytesPerSector} bytes do not fit on a volume of {volume.Length} bytes");
        Clusters = Sectors / sectorsPerCluster;
        RecordSize = RecordSizeOf(clustersPerRecord);
        Require(MftCluster > 0 && MftCluster < Clusters, $"the MFT begins at cluster {MftCluster} of {Clusters}");
        Require(MirrorCluster > 0 && MirrorCluster < Clusters, $"the MFT mirror begins at cluster {MirrorCluster} of {Clusters}");
        Length = Math.Min(volume.Length, (Sectors + 1) * BytesPerSector);
        Copies = ExtentSet.From(new Extent(Sectors * BytesPerSector, BytesPerSector).Intersect(new Extent(0, volume.Length)),
            new Extent(volume.Length / BytesPerSector * BytesPerSector - BytesPerSector, BytesPerSector));
    }

    public int BytesPerSector { get; }

    public int ClusterSize { get; }

    /// <summary>Without the copy of the boot sector, which lies behind them.</summary>
    public long Sectors { get; }

    public long Clusters { get; }

    public long MftCluster { get; }

    public long MirrorCluster { get; }

    /// <summary>Bytes of an MFT record.</summary>
    public int RecordSize { get; }

    /// <summary>Bytes that the filesystem has, the copy of the boot sector among them.</summary>
    public long Length { get; }

    /// <summary>
    /// Where a copy of the boot sector lies: behind the last sector that is counted and in the last one of the volume, which
    /// mostly are the same. No cluster covers them.
    /// </summary>
    public ExtentSet Copies { get; }

    public static bool IsPlausible(ReadOnlySpan<byte> bytes) => bytes.Length == Size && bytes[3..11].SequenceEqual("NTFS    "u8);

    /// <summary>The serial number as blkid writes it.</summary>
    public static string SerialOf(ReadOnlySpan<byte> bytes) => $"{new SpanReader(bytes[SerialOffset..], "").U64():X16}";

    public Extent Bytes(long cluster, long count) => new(cluster * ClusterSize, count * ClusterSize);

    /// <summary>More than 128 is written as a negative power of two.</summary>
    private static int SectorsPerCluster(byte stored) => stored <= 0x80 ? stored : stored >= 0xF4 ? 1 << (256 - stored) : 0;

    /// <summary>In clusters, or as a negative power of two of bytes.</summary>
    private int RecordSizeOf(byte stored)
    {
        long size = stored switch { < 0x80 => stored * (long)ClusterSize, >= 0xF0 => 1L << (256 - stored), _ => 0 };
        Require(size is >= 512 and <= MaxRecordSize && long.IsPow2(size), $"MFT records of {size} bytes");
        return (int)size;
    }

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException(_where, otherwise);
        }
    }
}
