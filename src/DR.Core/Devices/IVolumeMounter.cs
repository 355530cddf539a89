using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>What a filesystem may live on: a partition, a whole disk, an optical disc, an assembled array or logical volume.</summary>
/// <param name="Path">/dev/sdb1.</param>
/// <param name="Kind">As blkid names it: "ext4", "vfat", "iso9660", "LVM2_member".</param>
/// <param name="Label">As blkid writes it; null where there is none.</param>
/// <param name="Uuid">As blkid writes it; null where there is none.</param>
/// <param name="Place">The disk in words: "usb disk SanDisk Ultra (serial 4C53), /dev/sdb1".</param>
/// <param name="MountedAt">The folder at which it is mounted already; null if it is not.</param>
/// <param name="Unusable">Why it cannot be looked into; null if it can.</param>
public sealed record AttachedVolume(string Path, string Kind, string? Label, string? Uuid, string Place, string? MountedAt, string? Unusable);

/// <summary>A folder that another computer gives.</summary>
/// <param name="Kind">"smb" or "nfs".</param>
/// <param name="Server">Name or address.</param>
/// <param name="Port">Null for the usual one.</param>
/// <param name="Path">smb: the name of the share; nfs: the exported folder, with a slash before it.</param>
public sealed record NetworkShare(string Kind, string Server, int? Port, string Path);

/// <summary>A folder that is there until this is disposed.</summary>
public interface IMountedFolder : IDisposable
{
    string Path { get; }
}

/// <summary>Makes volumes and shares readable as folders, without changing a byte of any disk.</summary>
public interface IVolumeMounter
{
    /// <summary>All volumes that hold something that is known, read afresh.</summary>
    /// <exception cref="DrException">They cannot be listed.</exception>
    IReadOnlyList<AttachedVolume> Volumes(CancellationToken cancel);

    /// <summary>Mounts read-only, over a view of the device that cannot be written, and without replaying a journal.</summary>
    /// <param name="volume">Neither mounted already nor unusable.</param>
    /// <param name="writable">Only for a place that the operator has named for reports or a new image; then as any system mounts it.</param>
    /// <exception cref="DrException">It cannot be mounted; nothing was changed.</exception>
    IMountedFolder Mount(AttachedVolume volume, bool writable, CancellationToken cancel);

    /// <param name="credential">Null to be a guest; always null for NFS.</param>
    /// <param name="writable">For images that are captured and reports that are laid down; otherwise read-only.</param>
    /// <exception cref="DrException">It cannot be reached, or does not let us in.</exception>
    IMountedFolder Mount(NetworkShare share, Credential? credential, bool writable, CancellationToken cancel);
}
