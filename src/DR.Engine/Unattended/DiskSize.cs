using System.Globalization;

namespace DR.Engine.Unattended;

/// <summary>
/// Sizes of disks in an answer. Disks are sold by powers of 1000: "80GB" there is less than 80 GiB, so the two units are
/// kept apart, and a bare "80G", which might be either, is no size.
/// </summary>
internal static class DiskSize
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("PiB", 1L << 50),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("PB", 1_000_000_000_000_000),
    ];

    /// <summary>Reads "80GB", "1.5 TiB", "512 B"; null where it is no positive size.</summary>
    public static long? Parse(string text)
    {
        var (unit, bytes) = Units.FirstOrDefault(u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase), ("B", 1));
        return text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)
            && decimal.TryParse(text[..^unit.Length].Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            && number > 0 && number <= long.MaxValue / (decimal)bytes
            ? (long)(number * bytes)
            : null;
    }

    /// <summary>As a disk's label would say it, three digits: "80.0 GB".</summary>
    public static string Format(long bytes)
    {
        string[] units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];
        double value = bytes;
        int unit = 0;
        for (; value >= 1000 && unit < units.Length - 1; unit++)
        {
            value /= 1000;
        }

        return value.ToString(unit == 0 || value >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + units[unit];
    }
}
