namespace DR.Core.FileSystems;

/// <summary>How far a probe looks.</summary>
public enum ProbeDepth
{
    /// <summary>Kind, label and UUID: what a list of disks shows. Little is read, however much the volume holds; of exFAT the root directory.</summary>
    Name,

    /// <summary>The map, proven: all that says what is in use is read and held against itself.</summary>
    Map,
}
