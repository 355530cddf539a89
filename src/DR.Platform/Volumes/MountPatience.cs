namespace DR.Platform.Volumes;

/// <summary>How long is waited for a disk or a server before the tool that waits for it is stopped.</summary>
/// <param name="Disk">For a volume to be mounted; a journal may have to be replayed.</param>
/// <param name="Server">For a share to be mounted.</param>
/// <param name="Unmount">For the end of either; what was written is on the medium by then.</param>
internal sealed record MountPatience(TimeSpan Disk, TimeSpan Server, TimeSpan Unmount)
{
    public static MountPatience Default { get; } = new(TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2));
}
