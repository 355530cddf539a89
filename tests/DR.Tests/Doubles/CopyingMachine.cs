using DR.Core.Devices;

namespace DR.Tests.Doubles;

/// <summary>The real machine, where a kernel without device-mapper shows several runs as one: a copy in a file, which goes back in the end.</summary>
internal sealed class CopyingMachine(IMachine inner, bool joins = true) : IMachine
{
    public bool CanJoin => joins;

    public long FreeMemory => inner.FreeMemory;

    /// <summary>How many runs were shown together, each time.</summary>
    public List<int> Joined { get; } = [];

    public MachineFacts Describe() => inner.Describe();

    public IReadOnlyList<DiskIdentity> Disks() => inner.Disks();

    public DiskIdentity Identify(string disk) => inner.Identify(disk);

    public IReadOnlyList<DiskUse> Uses(DiskIdentity disk) => inner.Uses(disk);

    public bool LiesOn(string path, DiskIdentity disk) => inner.LiesOn(path, disk);

    public IBlockDevice OpenForReading(DiskIdentity disk) => inner.OpenForReading(disk);

    public IBlockDevice OpenExclusively(DiskIdentity disk) => inner.OpenExclusively(disk);

    public bool DropCaches(IBlockDevice device) => inner.DropCaches(device);

    public void RereadTable(IBlockDevice device) => inner.RereadTable(device);

    public IDeviceView Expose(IReadOnlyList<DeviceRun> runs)
    {
        Assert.True(joins || runs.Count == 1);
        Joined.Add(runs.Count);
        return runs.Count == 1 ? inner.Expose(runs) : new CopiedView(runs);
    }
}
