using System.Text;
using DR.Platform.Native;

namespace DR.Platform;

/// <param name="Number">Major and minor of the device; anonymous ("0:31") for btrfs, overlay, network, memory.</param>
/// <param name="Source">What was mounted: a device, or whatever the file system calls it.</param>
/// <param name="Writable">Whether the file system itself is mounted for writing; a read-only bind of it does not count.</param>
/// <param name="Options">Of the file system: "rw,lowerdir=/a:/b".</param>
internal sealed record Mount(string Number, string Point, string Type, string Source, bool Writable, string Options);

/// <summary>What is mounted where, from mountinfo (proc(5)).</summary>
internal sealed class MountTable(IReadOnlyList<Mount> mounts, IReadOnlyList<Mount> elsewhere)
{
    /// <summary>Of this process, and those that only the first process of the machine sees.</summary>
    public IEnumerable<Mount> All => mounts.Concat(elsewhere);

    /// <summary>Whether this process sees it.</summary>
    public bool IsOwn(Mount mount) => mounts.Contains(mount);

    /// <param name="path">Without links.</param>
    /// <returns>Whether something is mounted there, as this process sees it.</returns>
    public bool IsPoint(string path) => mounts.Any(m => m.Point == path);

    public static MountTable Read(SystemFiles system)
    {
        var own = Parse(system.Lines("/proc/self/mountinfo"));
        var first = Parse(system.Lines("/proc/1/mountinfo"));
        return new MountTable(own, [.. first.Except(own)]);
    }

    /// <param name="path">Without links.</param>
    /// <returns>The mount that the path lies on; of several at one place the last, which covers the others.</returns>
    public Mount? For(string path) => mounts
        .Where(m => m.Point == "/" || path == m.Point || path.StartsWith(m.Point + "/", StringComparison.Ordinal))
        .Aggregate((Mount?)null, (best, m) => best is null || m.Point.Length >= best.Point.Length ? m : best);

    /// <summary>The device that the file system of a path lies on; null where it is none, as for memory and network.</summary>
    /// <param name="path">Without links.</param>
    /// <param name="status">Of the path; null where it is not known, as in a recording.</param>
    public BlockNode? DeviceBelow(string path, FileStatus? status, SystemFiles system, BlockTree tree) =>
        (status is null ? null : tree.ByNumber(status.Device)) ?? (For(path) is { } mount ? DeviceOf(mount, system, tree) : null);

    /// <summary>By number, or by name where the number is anonymous (btrfs).</summary>
    public static BlockNode? DeviceOf(Mount mount, SystemFiles system, BlockTree tree) =>
        tree.ByNumber(mount.Number)
        ?? (mount.Source.StartsWith("/dev/", StringComparison.Ordinal) && system.Real(mount.Source) is { } real ? tree.ByPath(real) : null);

    /// <summary>Fields: id, parent, device, root, mount point, options, optional ones, "-", type, source, super options.</summary>
    private static List<Mount> Parse(IReadOnlyList<string> lines) => [..
        from line in lines
        let fields = line.Split(' ')
        let dash = Array.IndexOf(fields, "-")
        where dash >= 6 && fields.Length > dash + 3
        select new Mount(
            fields[2],
            Unescape(fields[4]),
            fields[dash + 1],
            Unescape(fields[dash + 2]),
            fields[dash + 3].Split(',').Contains("rw"),
            Unescape(fields[dash + 3]))];

    /// <summary>Space, tab, newline and backslash are written as backslash and three octal digits.</summary>
    internal static string Unescape(string text)
    {
        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            bool escaped = text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0;
            result.Append(escaped ? (char)Convert.ToInt32(text.Substring(i + 1, 3), 8) : text[i]);
            i += escaped ? 3 : 0;
        }

        return result.ToString();
    }
}
