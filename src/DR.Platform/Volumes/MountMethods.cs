namespace DR.Platform.Volumes;

/// <param name="Type">For mount -t.</param>
/// <param name="Options">Besides ro, nosuid, nodev and noexec.</param>
internal sealed record MountMethod(string Type, params string[] Options);

/// <summary>
/// How a filesystem is mounted so that nothing is written and nothing is replayed. Where there are several ways, the next is
/// tried when the kernel does not know the one before.
/// </summary>
internal static class MountMethods
{
    private static readonly Dictionary<string, MountMethod[]> Methods = new()
    {
        ["ext2"] = [new("ext4"), new("ext2")],
        ["ext3"] = [new("ext4", "noload"), new("ext3", "noload")],
        ["ext4"] = [new("ext4", "noload")],
        ["xfs"] = [new("xfs", "norecovery", "nouuid")],
        ["btrfs"] = [new("btrfs", "rescue=nologreplay"), new("btrfs", "norecovery")],
        ["vfat"] = [new("vfat")],
        ["exfat"] = [new("exfat")],
        ["ntfs"] = [new("ntfs3"), new("ntfs-3g", "norecover")],
        ["iso9660"] = [new("iso9660")],
        ["udf"] = [new("udf")],
    };

    /// <param name="kind">As blkid names it.</param>
    /// <returns>Empty where it is not known how.</returns>
    public static IReadOnlyList<MountMethod> Of(string kind) => Methods.GetValueOrDefault(kind, []);
}
