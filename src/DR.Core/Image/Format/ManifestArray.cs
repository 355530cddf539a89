using System.Text.Json.Serialization;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Layout.Md;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// An array of Linux' software RAID: what lies on it is saved once, as of a disk. What is not said here is in its superblocks.
/// </summary>
/// <param name="Name">As mdadm calls it: "server:0", or the UUID of one without a name.</param>
/// <param name="Id">UUID as mdadm prints it.</param>
/// <param name="Members">All that are there, spares too.</param>
/// <param name="Layout">How it is divided.</param>
public sealed record ManifestArray(string Name, string Id, IReadOnlyList<ManifestArrayMember> Members, DiskLayout Layout)
{
    /// <summary>"/dev/md/0", as udev would name it.</summary>
    public string Path => "/dev/md/" + (Name == Id ? "md-uuid-" + Id : Name[(Name.IndexOf(':', StringComparison.Ordinal) + 1)..]);

    /// <summary>The array as a disk; it has no serial number, and its path is its name.</summary>
    public DiskIdentity Identity => new(Path, Layout.Length, Layout.SectorSize, Layout.SectorSize, null, null, null, "md", Id);

    /// <summary>The array, read from its superblocks.</summary>
    /// <param name="where">The object for error messages.</param>
    /// <exception cref="CorruptDataException">They do not make it up.</exception>
    public MdFoundArray Read(string where) => MdAssembly.Of(Superblocks(where)) is { Arrays: [var one] } && one.Members.Count == Members.Count
        ? one
        : throw new CorruptDataException(where, "its members do not make up an array");

    /// <exception cref="CorruptDataException">One is none.</exception>
    public IReadOnlyList<MdMember> Superblocks(string where) =>
        [.. Members.Select((m, i) => $"{where}, member {i}" is var name ? new MdMember(name, MdSuperblock.Parse(m.Superblock, m.Offset, m.Extent.Length, name), m.Superblock, null) : null!)];

    /// <summary>The bytes of the array, of what holds the newest.</summary>
    /// <param name="disks">What its members lie on; they stay the caller's.</param>
    public IBlockDevice Open(Func<int, IBlockDevice> disks)
    {
        var found = Read(Path);
        return found.Shape.Open(Path, [.. found.Readable.Select(d => d is { } m ? new MappedColumn(disks(Members[m].Disk), DataOf(m).Start) : (MappedColumn?)null)]);
    }

    /// <summary>Where a member's share lies on its disk, bytes.</summary>
    /// <param name="member">Index of the member.</param>
    public Extent DataOf(int member) => Superblocks(Path)[member].Superblock!.Data.Shift(Members[member].Extent.Start);
}

/// <param name="Disk">Index of its disk in the manifest.</param>
/// <param name="Partition">Number of the partition that it fills; 0 for the whole disk.</param>
/// <param name="Extent">Bytes on the disk.</param>
/// <param name="Offset">Where its superblock lies, bytes from the start of <paramref name="Extent"/>.</param>
/// <param name="Superblock">As it was, 4096 bytes.</param>
public sealed record ManifestArrayMember(int Disk, int Partition, Extent Extent, long Offset, byte[] Superblock)
{
    /// <summary>The first 256 bytes of its write-intent bitmap; null where it has none that can be read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public byte[]? Bitmap { get; init; }
}
