using DR.Core.Devices;
using DR.Core.Layout.Ldm;

namespace DR.Core.Image;

/// <summary>A group of Windows' dynamic disks (LDM).</summary>
/// <param name="Id">GUID in lower case.</param>
/// <param name="Sequence">Number of its database.</param>
/// <param name="Disks">All that it has, also those that are not in the image.</param>
public sealed record ManifestDynamicGroup(string Name, string Id, long Sequence, IReadOnlyList<ManifestDynamicDisk> Disks);

/// <param name="Name">As LDM calls it: "Disk1".</param>
/// <param name="Id">GUID in lower case.</param>
/// <param name="Disk">Index of the disk in the manifest; null where it is not in the image.</param>
public sealed record ManifestDynamicDisk(string Name, string Id, int? Disk);

/// <summary>
/// What LDM says of a volume. The segments of the volume are its pieces in their order, but for those that are missing: pieces after
/// one another, columns of a striped or RAID-5 volume (parity rotates from the last column towards the first, data begins behind it),
/// sides of a mirror.
/// </summary>
/// <param name="Group">Index into the manifest's groups of dynamic disks.</param>
/// <param name="Name">As LDM calls it: "Volume1".</param>
/// <param name="Id">GUID in lower case.</param>
/// <param name="Chunk">Bytes of a turn of a striped or RAID-5 volume; 0 for others.</param>
/// <param name="Type">As in an MBR: 7 for NTFS.</param>
/// <param name="Hint">The drive letter that it had.</param>
/// <param name="Pieces">Names of its pieces: "Disk1-01".</param>
/// <param name="Missing">Which of the pieces are not in the image.</param>
public sealed record ManifestDynamicVolume(
    int Group, string Name, string Id, LdmVolumeKind Kind, long Chunk, int Type, string? Hint, IReadOnlyList<string> Pieces, IReadOnlyList<int> Missing)
{
    /// <summary>The bytes of the volume.</summary>
    /// <param name="disks">What its segments lie on, in the order of the manifest; they stay the caller's.</param>
    /// <param name="name">What messages call it.</param>
    public IBlockDevice Open(ManifestVolume volume, string name, Func<int, IBlockDevice> disks)
    {
        var pieces = new (MappedColumn, long)?[Pieces.Count];
        int next = 0;
        for (int i = 0; i < pieces.Length; i++)
        {
            if (!Missing.Contains(i))
            {
                var segment = volume.Segments[next++];
                pieces[i] = (new MappedColumn(disks(segment.Disk), segment.Extent.Start), segment.Extent.Length);
            }
        }

        return LdmMapping.Open(name, Kind, volume.Length, Chunk, pieces);
    }
}
