using System.Text.Json;
using DR.Tests.Architecture;
using DR.Tests.Doubles;

namespace DR.Tests.Ldm;

/// <summary>The nine dynamic disks that a Windows Server 2008 R2 made, and ldmtool as their judge.</summary>
internal static class LdmDisks
{
    public const string Group = "06495a84-fbfd-11e1-8cf9-52540061f5db";

    /// <summary>In the order of LDM's names for them, Disk1 to Disk9.</summary>
    public static readonly string[] Names = ["spanned-1", "spanned-2", "striped-1", "striped-2", "mirrored-1", "mirrored-2", "raid5-1", "raid5-2", "raid5-3"];

    /// <summary>Unpacks them; skips the test where they are not there.</summary>
    public static string[] Unpack(string folder)
    {
        string archive = Path.GetFullPath(Path.Combine(SourceTree.Root, "../shared/testdata/ldm/ldm-2008r2.tar.xz"));
        Tools.Need(File.Exists(archive), $"the disks of Windows Server 2008 R2 are not there ({archive})");
        Tools.Run("tar", "--no-same-owner", "-xf", archive, "-C", folder);
        return [.. Names.Select(n => Path.Combine(folder, $"ldm-2008r2-{n}.img"))];
    }

    /// <summary>What ldmtool shows of a thing of the group: volume, partition or disk.</summary>
    public static JsonElement Show(IEnumerable<string> disks, string what, string name) =>
        JsonDocument.Parse(Ldmtool(disks, "show", what, Group, name)).RootElement;

    public static JsonElement ShowGroup(IEnumerable<string> disks) => JsonDocument.Parse(Ldmtool(disks, "show", "diskgroup", Group)).RootElement;

    public static string[] Strings(this JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];

    private static string Ldmtool(IEnumerable<string> disks, params string[] arguments) =>
        Tools.Run("ldmtool", [.. disks.SelectMany(d => (string[])["-d", d]), .. arguments]);
}
