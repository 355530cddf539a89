namespace DR.Core.Layout;

/// <summary>Turns a layout into the bytes that make a disk have it.</summary>
public static class LayoutWriter
{
    /// <param name="layout">The layout of the target disk.</param>
    /// <param name="bootSector">
    /// One sector: LBA 0 of the source, whose boot code is kept; the table in it is replaced. Empty for none.
    /// </param>
    /// <returns>In the order in which they have to be written; LBA 0 is the last. Nothing for a disk without a table.</returns>
    public static IReadOnlyList<TableWrite> Build(DiskLayout layout, ReadOnlySpan<byte> bootSector) => [];
}
