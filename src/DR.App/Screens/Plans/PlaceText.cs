using DR.Core.Layout;

namespace DR.App.Screens.Plans;

/// <summary>Places on disks in words.</summary>
internal static class PlaceText
{
    /// <summary>"/dev/sda 2"; the disk alone for the whole of it.</summary>
    public static string Place(string disk, int partition) => partition == 0 ? disk : $"{disk} {partition}";

    /// <summary>A column of two characters.</summary>
    public static string Number(int partition) => partition == 0 ? " -" : partition.ToString("0").PadLeft(2);

    public static string Table(DiskLayout layout) => layout.Table == TableKind.None ? "no table" : layout.Table.ToString().ToUpperInvariant();
}
