using System.Numerics;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.ExFat;

/// <summary>
/// The main boot region of exFAT: boot sector, code, and a sector that repeats a checksum over them
/// (https://learn.microsoft.com/windows/win32/fileio/exfat-specification, section 3). Everything has been checked against
/// everything else and against the device.
/// </summary>
internal sealed class ExFatBootSector
{
    public const int Size = 512;
    public const uint FirstCluster = 2;

    private const int RegionSectors = 12;
    private const int FlagDirty = 2;
    private const int FlagMediaFailure = 4;
    private const uint MaxClusters = 0xFFFFFFF5;

    private readonly string _where;

    /// <exception cref="CorruptDataException">The fields contradict each other, the checksum or the device.</exception>
    public ExFatBootSector(ReadOnlySpan<byte> bytes, IBlockDevice volume)
    {
        _where = $"{volume.Name}, exFAT boot sector at 0";
        var reader = new SpanReader(bytes, _where);
        reader.Seek(0x48);
        long sectors = reader.Size64();
        FatStart = reader.U32();
        FatLength = reader.U32();
        HeapStart = reader.U32();
        Clusters = reader.U32();
        RootCluster = reader.U32();
        reader.Skip(4);
        Revision = reader.U16();
        int flags = reader.U16();
        (IsDirty, HasMediaFailure) = ((flags & FlagDirty) != 0, (flags & FlagMediaFailure) != 0);
        int sectorShift = reader.U8();
        int clusterShift = reader.U8();
        FatCount = reader.U8();
        Require(sectorShift is >= 9 and <= 12 && clusterShift <= 25 - sectorShift, $"sectors of 2^{sectorShift} bytes, clusters of 2^{clusterShift} sectors");
        BytesPerSector = 1 << sectorShift;
        ClusterSize = BytesPerSector << clusterShift;
        Require(sectors > 0 && sectors <= volume.Length / BytesPerSector, $"{sectors} sectors of {BytesPerSector} bytes do not fit on a volume of {volume.Length} bytes");
        Length = sectors * BytesPerSector;
        (FatStart, FatLength, HeapStart) = (FatStart * BytesPerSector, FatLength * BytesPerSector, HeapStart * BytesPerSector);
        Require(FatStart >= 2 * RegionSectors * BytesPerSector && FatStart + FatLength <= HeapStart, $"the FAT lies at {FatStart}, the clusters from {HeapStart} on");
        Require(Clusters is > 0 and <= MaxClusters && Clusters <= (Length - HeapStart) / ClusterSize, $"{Clusters} clusters of {ClusterSize} bytes from {HeapStart} on");
        Require((Clusters + FirstCluster) * 4 <= FatLength, $"a FAT of {FatLength} bytes is too short for {Clusters} clusters");
        Require(IsCluster(RootCluster), $"the root directory is at cluster {RootCluster}");
        CheckSum(volume.ReadBytes(0, RegionSectors * BytesPerSector));
    }

    public int BytesPerSector { get; }

    public int ClusterSize { get; }

    /// <summary>Bytes that the filesystem has.</summary>
    public long Length { get; }

    /// <summary>Where the (first) FAT begins, bytes.</summary>
    public long FatStart { get; }

    public long FatLength { get; }

    /// <summary>Where the first cluster begins, bytes; all before it are boot regions and FATs.</summary>
    public long HeapStart { get; }

    public long Clusters { get; }

    public uint RootCluster { get; }

    /// <summary>0x0100 is 1.00.</summary>
    public int Revision { get; }

    public bool IsDirty { get; }

    /// <summary>Sectors of it could not be read or written.</summary>
    public bool HasMediaFailure { get; }

    public int FatCount { get; }

    public static bool IsPlausible(ReadOnlySpan<byte> bytes) => bytes.Length == Size && bytes[3..11].SequenceEqual("EXFAT   "u8);

    public static string? SerialOf(ReadOnlySpan<byte> bytes) => VolumeIds.FatSerial(new SpanReader(bytes[0x64..], "").U32());

    public bool IsCluster(uint number) => number >= FirstCluster && number - FirstCluster < Clusters;

    /// <param name="number">Has to exist.</param>
    public Extent Bytes(uint number, long count) => new(HeapStart + (number - FirstCluster) * (long)ClusterSize, count * ClusterSize);

    /// <summary>Over all sectors but the last, without flags and percentage, which change while it is mounted.</summary>
    private void CheckSum(ReadOnlySpan<byte> region)
    {
        uint sum = 0;
        int end = (RegionSectors - 1) * BytesPerSector;
        for (int i = 0; i < end; i++)
        {
            sum = i is 106 or 107 or 112 ? sum : unchecked(BitOperations.RotateRight(sum, 1) + region[i]);
        }

        for (var stored = new SpanReader(region[end..], _where); stored.Remaining > 0;)
        {
            Require(stored.U32() == sum, "the checksum of the boot region does not match");
        }
    }

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException(_where, otherwise);
        }
    }
}
