namespace DR.Core.Layout.Ldm;

/// <summary>How a dynamic volume lies on its disks.</summary>
public enum LdmVolumeKind
{
    /// <summary>One piece.</summary>
    Simple,

    /// <summary>Pieces after one another.</summary>
    Spanned,

    /// <summary>Equal pieces in turns of a chunk.</summary>
    Striped,

    /// <summary>Each piece is the whole volume.</summary>
    Mirrored,

    /// <summary>Equal pieces in turns of a chunk, one of each stripe parity.</summary>
    Raid5,

    /// <summary>What is there of a volume that cannot be read: one piece, saved as it is.</summary>
    Piece,
}

/// <summary>A group of Windows' dynamic disks, as one of its disks describes it.</summary>
/// <param name="Name">Such as "SERVER-Dg0".</param>
/// <param name="Id">GUID in lower case.</param>
/// <param name="Sequence">Counts the changes of the database.</param>
/// <param name="Fingerprint">The same for databases that say the same.</param>
public sealed record LdmGroup(
    string Name, string Id, long Sequence, IReadOnlyList<LdmDisk> Disks, IReadOnlyList<LdmVolume> Volumes, string Fingerprint);

/// <param name="Name">Such as "Disk1".</param>
/// <param name="Id">GUID in lower case; stands in the private header of the disk too.</param>
public sealed record LdmDisk(string Name, string Id);

/// <param name="Name">Such as "Volume1".</param>
/// <param name="Id">GUID in lower case.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Chunk">Bytes of a turn; 0 where it is neither striped nor RAID-5.</param>
/// <param name="Type">As in an MBR: 7 for NTFS.</param>
/// <param name="Hint">The drive letter that Windows last gave it: "E:"; null where it has none.</param>
/// <param name="Pieces">In the order of the volume's bytes, of its columns, or of its sides.</param>
public sealed record LdmVolume(
    string Name, string Id, LdmVolumeKind Kind, long Length, long Chunk, byte Type, string? Hint, IReadOnlyList<LdmPiece> Pieces)
{
    /// <summary>What keeps it from being read; null if nothing does.</summary>
    public string? Unsupported { get; init; }
}

/// <summary>What a volume has of a disk; LDM calls it a partition.</summary>
/// <param name="Name">Such as "Disk1-01".</param>
/// <param name="Disk">Index into the group's disks.</param>
/// <param name="Start">Bytes from the start of the disk's data.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Active">Whether LDM keeps it up to date: not so for a side of a mirror that has failed.</param>
public sealed record LdmPiece(string Name, int Disk, long Start, long Length, bool Active);
