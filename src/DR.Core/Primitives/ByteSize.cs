using System.Globalization;

namespace DR.Core.Primitives;

/// <summary>Amounts of bytes as people write and read them: 1024-based, "4.0 GiB".</summary>
public static class ByteSize
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Four digits at most and a unit, such as "512 B", "1.5 GiB", "930 GiB".</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (Math.Abs(value) >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string format = unit == 0 || Math.Abs(value) >= 100 ? "0" : "0.0";
        return value.ToString(format, CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary>Reads "4096", "64K", "1.5GiB", "2 TB" (all 1024-based); false where the text is no positive size.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        string trimmed = text.Trim();
        int digits = trimmed.Length;
        while (digits > 0 && !char.IsAsciiDigit(trimmed[digits - 1]))
        {
            digits--;
        }

        string unit = trimmed[digits..].Trim().ToUpperInvariant().Replace("IB", "", StringComparison.Ordinal);
        unit = unit.Length > 1 ? unit.TrimEnd('B') : unit == "B" ? "" : unit;
        int power = unit.Length == 0 ? 0 : 1 + "KMGTPE".IndexOf(unit, StringComparison.Ordinal);
        if (power == 0 && unit.Length > 0 || unit.Length > 1
            || !decimal.TryParse(trimmed[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            || number > 1L << 60)
        {
            return false;
        }

        decimal value = number * (1L << (10 * power));
        if (value <= 0 || value > long.MaxValue)
        {
            return false;
        }

        bytes = (long)value;
        return true;
    }
}
