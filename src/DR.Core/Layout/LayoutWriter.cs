using DR.Core.Primitives;

namespace DR.Core.Layout;

/// <summary>Turns a layout into the bytes that make a disk have it.</summary>
public static class LayoutWriter
{
    /// <param name="layout">The layout of the target disk.</param>
    /// <param name="bootSector">
    /// One sector: LBA 0 of the source, whose boot code is kept; the table in it is replaced, but for entries that say the
    /// same. Empty for none.
    /// </param>
    /// <returns>In the order in which they have to be written; LBA 0 is the last. Nothing for a disk without a table.</returns>
    /// <exception cref="DrException">The table cannot hold the layout, or the layout contradicts itself.</exception>
    public static IReadOnlyList<TableWrite> Build(DiskLayout layout, ReadOnlySpan<byte> bootSector)
    {
        if (LayoutRules.Violations(layout) is [var violation, ..])
        {
            throw new CorruptDataException("disk layout", violation);
        }

        if (bootSector.Length != 0 && bootSector.Length != layout.SectorSize)
        {
            throw new CorruptDataException("boot sector", $"it has {bootSector.Length} bytes on a disk with sectors of {layout.SectorSize}");
        }

        return layout.Table switch
        {
            TableKind.Gpt => [.. Gpt.Build(layout), new TableWrite(0, Mbr.BuildProtective(layout, bootSector), "protective MBR")],
            TableKind.Mbr => [.. ExtendedChain.Build(layout), new TableWrite(0, Mbr.Build(layout, bootSector), "MBR")],
            _ => [],
        };
    }
}
