using DR.Core.Layout.Md;

namespace DR.Core.Image;

/// <summary>Holds the arrays of a manifest to their superblocks and their disks.</summary>
internal static class ManifestArrayChecks
{
    private const int MaxArrays = 1000;
    private const int MaxMembers = 1024;

    public static void Check(Manifest manifest, string where)
    {
        ManifestChecks.Require(manifest.Arrays.Count <= MaxArrays, where, $"it has {manifest.Arrays.Count} arrays");
        for (int i = 0; i < manifest.Arrays.Count; i++)
        {
            Check(manifest, manifest.Arrays[i], $"{where}, array {i}");
        }

        ManifestChecks.Require(manifest.Arrays.DistinctBy(a => a.Id).Count() == manifest.Arrays.Count, where, "two arrays have one UUID");
    }

    private static void Check(Manifest manifest, ManifestArray array, string where)
    {
        ManifestChecks.Require(array.Members.Count is > 0 and <= MaxMembers, where, $"it has {array.Members.Count} members");
        foreach (var member in array.Members)
        {
            ManifestChecks.Require(member.Disk < manifest.Disks.Count, where, "one of its members lies on an array");
            ManifestChecks.CheckExtent(manifest, member.Disk, member.Extent, where);
        }

        var found = array.Read(where);
        ManifestChecks.Require(found.Super.Title == array.Name && found.Super.ArrayId == array.Id, where, $"its superblocks describe {found.Super.Title} ({found.Super.ArrayId})");
        ManifestChecks.CheckLayout(array.Layout, where);
        ManifestChecks.Require(array.Layout.Length == found.Shape.Length, where, $"it has {array.Layout.Length} bytes, its superblocks say {found.Shape.Length}");
        foreach (var (member, super) in array.Members.Zip(array.Superblocks(where)))
        {
            int sector = manifest.Disks[member.Disk].Layout.SectorSize;
            ManifestChecks.Require(super.Superblock!.Data.Start % sector == 0 && super.Superblock.Offset % sector == 0 && super.Superblock.Size % sector == 0 && array.Layout.SectorSize >= sector, where,
                $"a member lies on no sectors of {sector} bytes");
            ManifestChecks.Require(member.Bitmap is null || MdWriter.IsSound(member.Bitmap, super.Superblock, member.Extent.Length), where, "the bitmap of a member cannot be");
        }
    }
}
