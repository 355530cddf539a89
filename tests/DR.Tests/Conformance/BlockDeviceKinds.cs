using DR.Core.Devices;
using DR.Core.Layout.Raid;
using DR.Core.Primitives;
using DR.Platform.Block;

namespace DR.Tests.Conformance;

public sealed class MemoryDeviceTests : BlockDeviceConformance
{
    protected override IBlockDevice Make() => new MemoryBlockDevice(3 << 20);

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => new ReadOnlyBlockDevice(device);
}

public sealed class SliceDeviceTests : BlockDeviceConformance
{
    protected override IBlockDevice Make() => new SliceBlockDevice(new MemoryBlockDevice(4 << 20), new Extent(70_144, 2 << 20));

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => null;
}

/// <summary>A partition at a sector that is not aligned to the pages of the file below.</summary>
public sealed class SliceOfFileTests : BlockDeviceConformance
{
    private FileBlockDevice? _file;

    protected override IBlockDevice Make()
    {
        _file = FileBlockDevice.OpenExclusively(Scratch.File("disk", 4 << 20));
        return new SliceBlockDevice(_file, new Extent(63 * 512, 2 << 20));
    }

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => null;
}

public class FileDeviceTests : BlockDeviceConformance
{
    protected virtual int SectorSize => 512;

    protected virtual long Length => 3 << 20;

    protected override IBlockDevice Make() => FileBlockDevice.OpenExclusively(Scratch.File("disk", Length), SectorSize);

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => FileBlockDevice.OpenForReading(device.Name, SectorSize);
}

public sealed class File4096Tests : FileDeviceTests
{
    protected override int SectorSize => 4096;
}

/// <summary>A file may end anywhere, also within a sector.</summary>
public sealed class OddFileTests : FileDeviceTests
{
    protected override long Length => (2 << 20) + 12_345;
}

/// <summary>A file on a file system without direct I/O.</summary>
public sealed class MemoryFileTests : BlockDeviceConformance
{
    protected override IBlockDevice Make()
    {
        Requires.Root();
        string file = Path.Combine(Scratch.Mount("tmpfs", "-t", "tmpfs"), "disk");
        File.WriteAllBytes(file, new byte[(2 << 20) + 100]);
        return FileBlockDevice.OpenExclusively(file);
    }

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => FileBlockDevice.OpenForReading(device.Name);
}

public class LoopDeviceTests : BlockDeviceConformance
{
    protected virtual string[] Options => ["--direct-io=on"];

    protected override IBlockDevice Make()
    {
        Requires.Loops();
        return LinuxBlockDevice.OpenExclusively(Scratch.Loop(Scratch.File("disk", 3 << 20), Options));
    }

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => LinuxBlockDevice.OpenForReading(device.Name);
}

public sealed class CachedLoopTests : LoopDeviceTests
{
    protected override string[] Options => ["--direct-io=off"];
}

public sealed class Loop4096Tests : LoopDeviceTests
{
    protected override string[] Options => ["--direct-io=on", "--sector-size", "4096"];
}

/// <summary>Pieces of two disks in one column and in three, over and again.</summary>
public sealed class MappedDeviceTests : BlockDeviceConformance
{
    protected override IBlockDevice Make()
    {
        var (one, other) = (new MemoryBlockDevice(4 << 20), new MemoryBlockDevice(4 << 20));
        return new MappedBlockDevice("mapped",
        [
            new MappedPiece(300 * 512, 0, [new MappedColumn(one, 7 * 512)]),
            new MappedPiece(3 * 16 * 4096, 4096, [new MappedColumn(other, 1 << 20), new MappedColumn(one, 1 << 20), new MappedColumn(other, 2 << 20)]),
            new MappedPiece(512, 0, [new MappedColumn(other, 0)]),
            new MappedPiece(1 << 20, 65536, [new MappedColumn(one, 2 << 20), new MappedColumn(other, (2 << 20) + 65536)]),
            new MappedPiece(512 << 10, 0, [new MappedColumn(other, 3 << 20)]),
            new MappedPiece(5 * 8192, 8192, [new MappedColumn(one, 3 << 20)]) { Stride = 3 * 8192 },
        ]);
    }

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => null;
}

public sealed class MirrorDeviceTests : BlockDeviceConformance
{
    protected override IBlockDevice Make() => new MirrorBlockDevice("mirror", [new MemoryBlockDevice(2 << 20), new MemoryBlockDevice(2 << 20)]);

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => null;
}

/// <summary>Writes go to the data only: what is read must be what was written, without a parity that fits.</summary>
public sealed class ParityDeviceTests : BlockDeviceConformance
{
    protected override IBlockDevice Make() => new ParityBlockDevice(
        "raid", new ParityShape(4096, 512 << 10, 4, 1, ParityRotation.LeftSymmetric),
        [.. Enumerable.Range(0, 4).Select(i => (MappedColumn?)new MappedColumn(new MemoryBlockDevice(1 << 20), i * 512))]);

    protected override IBlockDevice? ReopenForReading(IBlockDevice device) => null;
}
