namespace DR.Platform;

/// <summary>A block device as sysfs shows it.</summary>
/// <param name="Name">As in /sys/block, "sda", "sda1", "cciss!c0d0".</param>
/// <param name="Number">Major and minor, "8:0".</param>
/// <param name="Disk">The name of the disk that it is a partition of; null for a whole device.</param>
/// <param name="Folder">/sys/block/sda or /sys/block/sda/sda1.</param>
/// <param name="Holders">Names of the devices made of it (LVM, RAID, encryption).</param>
/// <param name="Slaves">Names of the devices that it is made of.</param>
/// <param name="BackingFile">Loop devices: the path of what they show; null for others and free ones.</param>
internal sealed record BlockNode(
    string Name,
    string Number,
    string? Disk,
    string Folder,
    long Length,
    IReadOnlyList<string> Holders,
    IReadOnlyList<string> Slaves,
    string? BackingFile)
{
    /// <summary>The kernel writes "!" where the name of the node has a slash.</summary>
    public string Path => "/dev/" + Name.Replace('!', '/');

    public bool IsLoop => Name.StartsWith("loop", StringComparison.Ordinal);

    /// <summary>How the kernel marks the path of a backing file that has been deleted since.</summary>
    public const string DeletedMark = " (deleted)";
}

/// <summary>All block devices at one moment.</summary>
internal sealed class BlockTree
{
    /// <summary>sysfs counts in these, whatever the sector of the disk.</summary>
    private const long SysfsSector = 512;

    private readonly Dictionary<string, BlockNode> _byName;
    private readonly Dictionary<string, BlockNode> _byNumber;

    private BlockTree(IReadOnlyList<BlockNode> nodes)
    {
        Nodes = nodes;
        _byName = nodes.DistinctBy(n => n.Name).ToDictionary(n => n.Name);
        _byNumber = nodes.DistinctBy(n => n.Number).ToDictionary(n => n.Number);
    }

    public IReadOnlyList<BlockNode> Nodes { get; }

    public static BlockTree Read(SystemFiles system) => new([..
        from disk in system.Names("/sys/block")
        let folder = "/sys/block/" + disk
        where system.Text(folder + "/dev") is not null
        from node in Partitions(system, disk).Prepend(Node(system, disk, null, folder))
        select node]);

    public BlockNode? ByName(string name) => _byName.GetValueOrDefault(name);

    public BlockNode? ByNumber(string number) => _byNumber.GetValueOrDefault(number);

    /// <param name="path">Without links: /dev/sda, /dev/cciss/c0d0.</param>
    public BlockNode? ByPath(string path) =>
        path.StartsWith("/dev/", StringComparison.Ordinal) ? ByName(path["/dev/".Length..].Replace('/', '!')) : null;

    public IEnumerable<BlockNode> PartitionsOf(BlockNode disk) => Nodes.Where(n => n.Disk == disk.Name);

    public IEnumerable<BlockNode> HoldersOf(BlockNode node) => node.Holders.Select(ByName).OfType<BlockNode>();

    private static IEnumerable<BlockNode> Partitions(SystemFiles system, string disk) =>
        from name in system.Names("/sys/block/" + disk)
        let folder = $"/sys/block/{disk}/{name}"
        where name.StartsWith(disk, StringComparison.Ordinal) && system.Exists(folder + "/partition")
        select Node(system, name, disk, folder);

    private static BlockNode Node(SystemFiles system, string name, string? disk, string folder) => new(
        name,
        system.Text(folder + "/dev") ?? "",
        disk,
        folder,
        system.Number(folder + "/size") * SysfsSector,
        system.Names(folder + "/holders"),
        system.Names(folder + "/slaves"),
        system.Text(folder + "/loop/backing_file"));
}
