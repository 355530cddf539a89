namespace DR.Core.FileSystems;

/// <summary>How far a probe looks.</summary>
public enum ProbeDepth
{
    /// <summary>Kind, label and UUID: what a list of disks shows. About a MiB is read at most, whatever the size of the volume.</summary>
    Name,

    /// <summary>The map, proven: all that says what is in use is read and held against itself.</summary>
    Map,
}
