using System.Text.RegularExpressions;

namespace DR.Engine.Media;

/// <summary>What a controller is for, by its class code.</summary>
public enum ControllerKind
{
    /// <summary>Of no interest to a restore.</summary>
    Other,

    /// <summary>Disks; tape drives hang on it, too.</summary>
    Storage,
    Network,

    /// <summary>The USB bus itself: sticks, keyboards.</summary>
    UsbBus,
}

/// <summary>
/// The kernel's name of a device (Documentation, MODULE_ALIAS):
/// <code>
/// pci:v00008086d00002922sv…sd…bc01sc06i01          bc, sc: class and subclass, hex
/// usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00    ic: class of the interface
/// </code>
/// </summary>
public static partial class Modalias
{
    public static ControllerKind KindOf(string modalias)
    {
        var pci = PciClass().Match(modalias);
        if (pci.Success)
        {
            return (pci.Groups[3].Value, pci.Groups[4].Value) switch
            {
                ("01", _) or ("0C", "04") => ControllerKind.Storage,
                ("02", _) => ControllerKind.Network,
                ("0C", "03") => ControllerKind.UsbBus,
                _ => ControllerKind.Other,
            };
        }

        var usb = UsbClass().Match(modalias);
        return (usb.Groups[3].Value, usb.Groups[4].Value) switch
        {
            ("08", _) => ControllerKind.Storage,
            ("02", "06" or "0D" or "0E") => ControllerKind.Network,
            _ => ControllerKind.Other,
        };
    }

    /// <summary>"PCI 8086:2922", "USB 0781:5581", as lspci and lsusb write it.</summary>
    public static string Name(string modalias) =>
        PciClass().Match(modalias) is { Success: true } pci ? $"PCI {pci.Groups[1].Value}:{pci.Groups[2].Value}".ToLowerInvariant().Replace("pci", "PCI", StringComparison.Ordinal)
        : UsbClass().Match(modalias) is { Success: true } usb ? $"USB {usb.Groups[1].Value}:{usb.Groups[2].Value}".ToLowerInvariant().Replace("usb", "USB", StringComparison.Ordinal)
        : modalias;

    /// <summary>Whether a driver's pattern covers the device, as fnmatch(3) decides it: '*', '?', and sets in brackets.</summary>
    public static bool Matches(string pattern, string modalias) => Matches(pattern.AsSpan(), modalias.AsSpan());

    private static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0, t = 0, star = -1, resume = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, resume) = (p++, t);
            }
            else if (p < pattern.Length && One(pattern[p..], text[t], out int used))
            {
                (p, t) = (p + used, t + 1);
            }
            else if (star >= 0)
            {
                (p, t) = (star + 1, ++resume);
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].IndexOfAnyExcept('*') < 0;
    }

    /// <summary>One character against the pattern's next element, which is <paramref name="used"/> characters long.</summary>
    private static bool One(ReadOnlySpan<char> pattern, char c, out int used)
    {
        int close = pattern[0] == '[' ? pattern.IndexOf(']') : -1;
        used = close < 0 ? 1 : close + 1;
        return close < 0 ? pattern[0] == '?' || pattern[0] == c : InSet(pattern[1..close], c);
    }

    private static bool InSet(ReadOnlySpan<char> set, char c)
    {
        bool negated = set.Length > 0 && set[0] is '!' or '^';
        bool found = false;
        for (int i = negated ? 1 : 0; i < set.Length; i++)
        {
            bool range = i + 2 < set.Length && set[i + 1] == '-';
            found |= range ? c >= set[i] && c <= set[i + 2] : c == set[i];
            i += range ? 2 : 0;
        }

        return found != negated;
    }

    [GeneratedRegex("^pci:v0000([0-9A-F]{4})d0000([0-9A-F]{4})sv[0-9A-F]*sd[0-9A-F]*bc([0-9A-F]{2})sc([0-9A-F]{2})")]
    private static partial Regex PciClass();

    [GeneratedRegex("^usb:v([0-9A-F]{4})p([0-9A-F]{4}).*ic([0-9A-F]{2})isc([0-9A-F]{2})")]
    private static partial Regex UsbClass();
}
