using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Fat;

/// <summary>
/// The boot sector of FAT12, FAT16 and FAT32 with its BIOS parameter block; names as in Microsoft's "FAT: General Overview
/// of On-Disk Format" 1.03 (fatgen103). Everything has been checked against everything else and against the device.
/// </summary>
internal sealed class FatBootSector
{
    public const int Size = 512;

    private const int Fat12Clusters = 4085;
    private const int Fat16Clusters = 65525;

    /// <summary>Cluster numbers have 28 bits, of which the last few have special meanings.</summary>
    private const int Fat32Clusters = 0x0FFFFFF5;

    private readonly string _where;

    /// <exception cref="CorruptDataException">The fields contradict each other or the device.</exception>
    public FatBootSector(ReadOnlySpan<byte> bytes, IBlockDevice volume)
    {
        _where = $"{volume.Name}, FAT boot sector at 0";
        var reader = new SpanReader(bytes, _where);
        reader.Skip(11);
        BytesPerSector = reader.U16();
        SectorsPerCluster = reader.U8();
        ReservedSectors = reader.U16();
        FatCount = reader.U8();
        RootEntries = reader.U16();
        long sectors16 = reader.U16();
        Media = reader.U8();
        long fatSize16 = reader.U16();
        reader.Skip(8);
        long sectors32 = reader.U32();
        IsFat32 = fatSize16 == 0;
        Sectors = sectors16 != 0 ? sectors16 : sectors32;
        FatSectors = fatSize16;
        if (IsFat32)
        {
            FatSectors = reader.U32();
            ExtFlags = reader.U16();
            Version = reader.U16();
            RootCluster = reader.U32();
            reader.Skip(16);
        }

        reader.Skip(1);
        State = reader.U8();
        bool hasIdentity = reader.U8() is 0x28 or 0x29;
        VolumeId = hasIdentity ? reader.U32() : 0;
        Label = hasIdentity ? reader.Bytes(11).ToArray() : [];
        CheckSizes(volume);
        Clusters = CountClusters();
    }

    public int BytesPerSector { get; }

    public int SectorsPerCluster { get; }

    public int ReservedSectors { get; }

    public int FatCount { get; }

    /// <summary>Entries of the root directory that has its own place; 0 with FAT32.</summary>
    public int RootEntries { get; }

    public byte Media { get; }

    public bool IsFat32 { get; }

    public long Sectors { get; }

    /// <summary>Sectors of one FAT.</summary>
    public long FatSectors { get; }

    /// <summary>FAT32: bit 7 says that only the FAT in bits 0 to 3 is kept up to date.</summary>
    public int ExtFlags { get; }

    public int Version { get; }

    /// <summary>FAT32: where the root directory starts.</summary>
    public uint RootCluster { get; }

    /// <summary>Bit 0: not unmounted cleanly. Written by Linux and by Windows NT.</summary>
    public byte State { get; }

    public uint VolumeId { get; }

    /// <summary>Eleven bytes, or none.</summary>
    public byte[] Label { get; }

    public long Clusters { get; }

    /// <summary>
    /// FAT12 and FAT16 are told apart by the number of clusters. FAT32 has its own form of boot sector, which Linux, UEFI
    /// and fsck.fat go by, also where a small volume was made FAT32 on purpose.
    /// </summary>
    public string Kind => IsFat32 ? "fat32" : Clusters < Fat12Clusters ? "fat12" : "fat16";

    public int ClusterSize => BytesPerSector * SectorsPerCluster;

    public Extent ActiveFat => Fat(IsMirrored ? 0 : ExtFlags & 0xF);

    public bool IsMirrored => (ExtFlags & 0x80) == 0;

    /// <summary>Where a root directory of its own lies; empty with FAT32.</summary>
    public Extent Root => new((ReservedSectors + FatCount * FatSectors) * BytesPerSector, RootSectors * BytesPerSector);

    /// <summary>First byte of cluster 2; all before it is reserved sectors, FATs and root directory.</summary>
    public long DataStart => Root.End;

    /// <summary>Bytes that the filesystem has.</summary>
    public long Length => Sectors * BytesPerSector;

    /// <summary>First cluster number that does not exist.</summary>
    public uint ClusterEnd => (uint)(Clusters + 2);

    private long RootSectors => (RootEntries * 32L + BytesPerSector - 1) / BytesPerSector;

    /// <summary>
    /// Whether the sector looks like a FAT boot sector at all: jump, possible sizes, media byte. Boot code of others does not.
    /// </summary>
    public static bool IsPlausible(ReadOnlySpan<byte> bytes)
    {
        int bytesPerSector = bytes[11] | bytes[12] << 8;
        bool signed = bytes[510] == 0x55 && bytes[511] == 0xAA;
        bool jumps = bytes[0] is 0xEB or 0xE9;
        bool sizes = bytesPerSector is >= 512 and <= 4096 && int.IsPow2(bytesPerSector) && bytes[13] != 0 && int.IsPow2(bytes[13]);
        bool tables = (bytes[14] | bytes[15]) != 0 && bytes[16] is 1 or 2;
        return (signed || jumps) && sizes && tables && bytes[21] is 0xF0 or >= 0xF8;
    }

    /// <param name="index">From 0.</param>
    public Extent Fat(int index) => new((ReservedSectors + index * FatSectors) * BytesPerSector, FatSectors * BytesPerSector);

    /// <summary>Where a cluster lies; the number has to exist.</summary>
    public Extent Cluster(uint number) => new(DataStart + (number - 2) * (long)ClusterSize, ClusterSize);

    public bool IsCluster(uint number) => number >= 2 && number < ClusterEnd;

    private void CheckSizes(IBlockDevice volume)
    {
        Require(FatSectors > 0, "the FAT has no sectors");
        Require(Sectors > 0 && Length <= volume.Length, $"{Sectors} sectors of {BytesPerSector} bytes do not fit on a volume of {volume.Length} bytes");
        Require(!IsFat32 || RootEntries == 0, $"{RootEntries} root entries on FAT32");
        Require(IsFat32 || RootEntries > 0, "the root directory has no entries");
        Require(Version == 0, $"FAT32 version {Version} is not known");
        Require(IsMirrored || (ExtFlags & 0xF) < FatCount, $"FAT {ExtFlags & 0xF} of {FatCount} is the active one");
    }

    private long CountClusters()
    {
        long dataSectors = Sectors - DataStart / BytesPerSector;
        long clusters = dataSectors / SectorsPerCluster;
        Require(dataSectors > 0 && clusters > 0, $"{Sectors} sectors leave no room behind the FATs");
        Require(clusters < (IsFat32 ? Fat32Clusters : Fat16Clusters), $"{clusters} clusters are too many");
        int bits = IsFat32 ? 32 : clusters < Fat12Clusters ? 12 : 16;
        Require((clusters + 2) * bits <= FatSectors * BytesPerSector * 8, $"a FAT of {FatSectors} sectors is too short for {clusters} clusters");
        Require(!IsFat32 || RootCluster >= 2 && RootCluster < clusters + 2, $"root cluster {RootCluster} of {clusters}");
        return clusters;
    }

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException(_where, otherwise);
        }
    }
}
