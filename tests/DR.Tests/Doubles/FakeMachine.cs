using System.Security.Cryptography;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Doubles;

/// <summary>A disk of a <see cref="FakeMachine"/>; its content outlives every opening of it.</summary>
internal sealed class FakeDisk(string path, IBlockDevice content)
{
    public string Path => path;

    public IBlockDevice Content { get; set; } = content;

    public string? Serial { get; set; } = "S" + path.Replace("/dev/", "", StringComparison.Ordinal);

    public string? Wwn { get; set; }

    public string Bus { get; set; } = "virtio";

    public List<DiskUse> Uses { get; } = [];

    /// <summary>Paths of files and devices that lie on it.</summary>
    public HashSet<string> Holds { get; } = [];

    /// <summary>What lies between a reader and the content.</summary>
    public Func<IBlockDevice, IBlockDevice> WhenRead { get; set; } = d => d;

    /// <summary>What lies between a restore and the content.</summary>
    public Func<IBlockDevice, IBlockDevice> WhenTaken { get; set; } = d => d;

    public DiskIdentity Identity
    {
        get
        {
            var head = Content.ReadBytes(0, (int)Math.Min(Content.Length, 1 << 20));
            string fingerprint = Convert.ToHexStringLower(SHA256.HashData(head).AsSpan(0, 16));
            return new DiskIdentity(path, Content.Length, Content.SectorSize, Content.PhysicalSectorSize, Wwn, Serial, "Fake", Bus, fingerprint);
        }
    }
}

/// <summary>A computer whose disks are in memory. What is asked of it is in <see cref="Trace"/>.</summary>
internal sealed class FakeMachine : IMachine
{
    private readonly List<FakeDisk> _disks = [];
    private readonly HashSet<string> _taken = [];

    public List<string> Trace { get; } = [];

    public string Firmware { get; set; } = "uefi";

    public bool CacheExcluded { get; set; } = true;

    public long FreeMemory => 1L << 30;

    public FakeDisk this[string path] => _disks.Single(d => d.Path == path);

    public FakeDisk Add(string path, long length, int sectorSize = 512) => Add(path, new MemoryBlockDevice(length, sectorSize, path));

    public FakeDisk Add(string path, IBlockDevice content)
    {
        _disks.Add(new FakeDisk(path, content));
        return _disks[^1];
    }

    public MachineFacts Describe() => new("fake", "Debian", Firmware, false, null, null, null, [], new Dictionary<string, byte[]>());

    public IReadOnlyList<DiskIdentity> Disks() => [.. _disks.Where(d => d.Bus != "file").Select(d => d.Identity)];

    public DiskIdentity Identify(string disk) =>
        (_disks.FirstOrDefault(d => d.Path == disk || $"{d.Path}@{d.Content.SectorSize}" == disk)
            ?? throw new DrException(Failure.Failed, $"there is no disk or file {disk}")).Identity;

    public IReadOnlyList<DiskUse> Uses(DiskIdentity disk) => this[disk.Path].Uses;

    public bool LiesOn(string path, DiskIdentity disk) => path == disk.Path || this[disk.Path].Holds.Contains(path);

    public IBlockDevice OpenForReading(DiskIdentity disk) => new ReadOnlyBlockDevice(this[disk.Path].WhenRead(this[disk.Path].Content));

    public IBlockDevice OpenExclusively(DiskIdentity disk)
    {
        Trace.Add($"take {disk.Path}");
        return _taken.Add(disk.Path)
            ? new TakenDevice(this[disk.Path].WhenTaken(this[disk.Path].Content), () => _taken.Remove(disk.Path))
            : throw new DrException(Failure.Refused, $"{disk.Path} is in use by another program");
    }

    public bool DropCaches(IBlockDevice device)
    {
        Trace.Add("drop caches");
        return CacheExcluded;
    }

    public bool CanJoin { get; set; } = true;

    public IDeviceView Expose(IReadOnlyList<DeviceRun> runs)
    {
        Assert.True(CanJoin || runs.Count == 1);
        Trace.Add($"expose {string.Join(" and ", runs.Select(r => $"{r.Extent.Start}+{r.Extent.Length}"))}");
        return new CopiedView(runs);
    }

    public void RereadTable(IBlockDevice device) => Trace.Add("reread table");

    /// <summary>What holds a disk until it is disposed.</summary>
    private sealed class TakenDevice(IBlockDevice inner, Action release) : IBlockDevice
    {
        public string Name => inner.Name;

        public long Length => inner.Length;

        public int SectorSize => inner.SectorSize;

        public int PhysicalSectorSize => inner.PhysicalSectorSize;

        public int Alignment => inner.Alignment;

        public bool IsReadOnly => inner.IsReadOnly;

        public void Read(Span<byte> buffer, long offset) => inner.Read(buffer, offset);

        public void Write(ReadOnlySpan<byte> buffer, long offset) => inner.Write(buffer, offset);

        public void Zero(Extent extent) => inner.Zero(extent);

        public void Discard(Extent extent) => inner.Discard(extent);

        public IEnumerable<BlockStatus> Status(Extent extent) => inner.Status(extent);

        public void Flush() => inner.Flush();

        public void Dispose() => release();
    }
}
