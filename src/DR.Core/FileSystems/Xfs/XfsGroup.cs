using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Xfs;

/// <summary>A tree of a group: its root and how many levels it has; no levels where there is no such tree.</summary>
internal readonly record struct XfsRoot(XfsTreeShape Shape, uint Block, int Levels);

/// <summary>
/// The header sectors of an allocation group: a superblock (copy), the AGF (free space), the AGI (inodes), the AGFL (blocks kept
/// for the trees). All that a tree is found by, checked against the superblock.
/// </summary>
internal sealed class XfsGroup
{
    private const int MaxLevels = 9;
    private const int AgfChecksum = 216;
    private const int AgiChecksum = 312;
    private const int AgflChecksum = 32;
    private const int AgflHeader = 36;

    private readonly XfsGeometry _geometry;

    private XfsGroup(XfsGeometry geometry, uint number, byte[] sectors)
    {
        _geometry = geometry;
        Number = number;
        int size = geometry.SectorSize;
        CheckCopy(sectors.AsSpan(0, size));
        var (first, last, count) = ReadAgf(sectors.AsSpan(size, size));
        ReadAgi(sectors.AsSpan(2 * size, size));
        FreeList = ReadAgfl(sectors.AsSpan(3 * size, size), first, last, count);
    }

    public uint Number { get; }

    /// <summary>By the AGF; what lies in the free-space tree.</summary>
    public uint FreeBlocks { get; private set; }

    /// <summary>Blocks of the longest free extent.</summary>
    public uint Longest { get; private set; }

    /// <summary>Blocks of the free-space (and reverse-mapping) trees beyond their roots.</summary>
    public uint BtreeBlocks { get; private set; }

    /// <summary>Blocks that are kept for the trees: not in the free-space tree, and so in use.</summary>
    public IReadOnlyList<uint> FreeList { get; }

    public XfsRoot FreeByBlock { get; private set; }

    public XfsRoot FreeBySize { get; private set; }

    public XfsRoot ReverseMap { get; private set; }

    public XfsRoot References { get; private set; }

    public XfsRoot Inodes { get; private set; }

    public XfsRoot FreeInodes { get; private set; }

    public IEnumerable<XfsRoot> Trees =>
        new[] { FreeByBlock, FreeBySize, ReverseMap, References, Inodes, FreeInodes }.Where(t => t.Levels > 0);

    /// <exception cref="CorruptDataException">They are not the headers of this group.</exception>
    public static XfsGroup Read(XfsGeometry geometry, uint number) =>
        new(geometry, number, geometry.Volume.ReadBytes(geometry.Offset(number, 0), 4 * geometry.SectorSize));

    private void CheckCopy(ReadOnlySpan<byte> sector)
    {
        const string what = "superblock";
        var s = _geometry.Superblock;
        Require(sector.StartsWith("XFSB"u8), what, 0, "has no magic");
        Require(!_geometry.IsV5 || XfsSuperblock.ChecksumHolds(sector), what, 0, "its checksum does not match");
        var copy = new XfsSuperblock(sector, Where(what, 0));
        Require(copy.BlockSize == s.BlockSize && copy.AgBlocks == s.AgBlocks && copy.AgCount == s.AgCount && copy.DBlocks == s.DBlocks
            && copy.LogStart == s.LogStart && copy.Version == s.Version, what, 0, "it is not a copy of the first one");
    }

    private (uint First, uint Last, uint Count) ReadAgf(ReadOnlySpan<byte> sector)
    {
        const string what = "AGF";
        CheckHeader(sector, "XAGF"u8, what, 1, 64, AgfChecksum);
        var reader = new SpanReader(sector, Where(what, 1));
        reader.Seek(16);
        uint bno = reader.U32BE(), cnt = reader.U32BE(), rmap = reader.U32BE();
        uint bnoLevels = reader.U32BE(), cntLevels = reader.U32BE(), rmapLevels = reader.U32BE();
        var list = (reader.U32BE(), reader.U32BE(), reader.U32BE());
        FreeBlocks = reader.U32BE();
        Longest = reader.U32BE();
        BtreeBlocks = reader.U32BE();
        Require(FreeBlocks <= _geometry.BlocksIn(Number) && Longest <= FreeBlocks && BtreeBlocks < _geometry.BlocksIn(Number),
            what, 1, $"{FreeBlocks} free blocks, the longest run {Longest}, {BtreeBlocks} blocks of trees");
        FreeByBlock = Root(XfsTreeShape.FreeByBlock, bno, bnoLevels, what);
        FreeBySize = Root(XfsTreeShape.FreeBySize, cnt, cntLevels, what);
        if (_geometry.Superblock.Has(XfsRoCompat.RMapBt))
        {
            ReverseMap = Root(XfsTreeShape.ReverseMap, rmap, rmapLevels, what);
        }

        reader.Seek(88);
        if (_geometry.Superblock.Has(XfsRoCompat.Reflink))
        {
            References = Root(XfsTreeShape.References, reader.U32BE(), reader.U32BE(), what);
        }

        return list;
    }

    private void ReadAgi(ReadOnlySpan<byte> sector)
    {
        const string what = "AGI";
        CheckHeader(sector, "XAGI"u8, what, 2, 296, AgiChecksum);
        var reader = new SpanReader(sector, Where(what, 2));
        reader.Seek(20);
        Inodes = Root(XfsTreeShape.Inodes, reader.U32BE(), reader.U32BE(), what);
        reader.Seek(328);
        if (_geometry.Superblock.Has(XfsRoCompat.FInoBt))
        {
            FreeInodes = Root(XfsTreeShape.FreeInodes, reader.U32BE(), reader.U32BE(), what);
        }
    }

    /// <summary>A ring of block numbers, from version 5 on behind a header of its own.</summary>
    private uint[] ReadAgfl(ReadOnlySpan<byte> sector, uint first, uint last, uint count)
    {
        const string what = "AGFL";
        if (_geometry.IsV5)
        {
            var header = new SpanReader(sector, Where(what, 3));
            Require(sector.StartsWith("XAFL"u8) && header.Skip(4).U32BE() == Number && header.Skip(4).Bytes(16).SequenceEqual(_geometry.Superblock.MetaUuid)
                && XfsChecksum.Holds(sector, AgflChecksum), what, 3, "its header or checksum does not match");
        }

        var reader = new SpanReader(sector[(_geometry.IsV5 ? AgflHeader : 0)..], Where(what, 3));
        uint slots = (uint)reader.Remaining / 4;
        Require(first < slots && last < slots && count <= slots && (count == 0 || (last + slots - first) % slots + 1 == count),
            what, 3, $"{count} blocks from slot {first} to {last} of {slots}");
        var blocks = new uint[count];
        for (uint i = 0; i < count; i++)
        {
            reader.Seek((int)((first + i) % slots) * 4);
            blocks[i] = reader.U32BE();
            Require(_geometry.IsBlock(Number, blocks[i], 1), what, 3, $"block {blocks[i]} lies outside of the group");
        }

        return blocks;
    }

    private void CheckHeader(ReadOnlySpan<byte> sector, ReadOnlySpan<byte> magic, string what, int index, int uuid, int checksum)
    {
        Require(sector.StartsWith(magic), what, index, "has no magic");
        Require(!_geometry.IsV5 || XfsChecksum.Holds(sector, checksum), what, index, "its checksum does not match");
        Require(!_geometry.IsV5 || sector.Slice(uuid, 16).SequenceEqual(_geometry.Superblock.MetaUuid), what, index, "it belongs to another filesystem");
        var reader = new SpanReader(sector, Where(what, index));
        uint version = reader.Skip(4).U32BE();
        reader.Seek(8);
        uint number = reader.U32BE(), length = reader.U32BE();
        Require(version == 1 && number == Number && length == _geometry.BlocksIn(Number), what, index,
            $"version {version}, group {number} of {length} blocks, where group {Number} of {_geometry.BlocksIn(Number)} blocks belongs");
    }

    private XfsRoot Root(XfsTreeShape shape, uint block, uint levels, string what)
    {
        Require(levels is > 0 and <= MaxLevels && block >= _geometry.HeaderBlocks && _geometry.IsBlock(Number, block, 1), what, what == "AGF" ? 1 : 2,
            $"a {shape.Name} of {levels} levels at block {block}");
        return new XfsRoot(shape, block, (int)levels);
    }

    private string Where(string what, int sector) =>
        $"{_geometry.Volume.Name}, {what} of group {Number} at offset {_geometry.Offset(Number, 0) + (long)sector * _geometry.SectorSize}";

    private void Require(bool condition, string what, int sector, string otherwise)
    {
        if (!condition)
        {
            throw new CorruptDataException(Where(what, sector), otherwise);
        }
    }
}
