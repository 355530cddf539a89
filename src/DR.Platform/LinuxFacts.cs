using DR.Core.Devices;

namespace DR.Platform;

/// <summary>The machine as the manifest records it.</summary>
internal static class LinuxFacts
{
    /// <summary>EFI_GLOBAL_VARIABLE.</summary>
    private const string GlobalVariable = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";

    private const string Variables = "/sys/firmware/efi/efivars";

    private static readonly string[] Buses = ["/sys/bus/pci/devices", "/sys/bus/usb/devices"];

    /// <summary>efivarfs puts the attributes of a variable before its content.</summary>
    private const int AttributeBytes = 4;

    public static MachineFacts Read(SystemFiles system)
    {
        bool uefi = system.Exists("/sys/firmware/efi");
        byte[]? secureBoot = Variable(system, "SecureBoot" + GlobalVariable);
        return new MachineFacts(
            system.Text("/proc/sys/kernel/hostname") ?? "",
            OperatingSystemOf(system),
            uefi ? "uefi" : "bios",
            secureBoot is { Length: 1 } ? secureBoot[0] == 1 : null,
            Dmi(system, "sys_vendor"),
            Dmi(system, "product_name"),
            Dmi(system, "product_serial"),
            Modaliases(system),
            BootEntries(system));
    }

    private static string OperatingSystemOf(SystemFiles system) =>
        system.Lines("/etc/os-release")
            .Where(l => l.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))
            .Select(l => l["PRETTY_NAME=".Length..].Trim('"', '\'', ' '))
            .FirstOrDefault() ?? "Linux";

    private static string? Dmi(SystemFiles system, string name) =>
        system.Text("/sys/class/dmi/id/" + name) is { Length: > 0 } text ? text : null;

    private static IReadOnlyList<string> Modaliases(SystemFiles system) => [..
        Buses.SelectMany(bus => system.Names(bus).Select(device => system.Text($"{bus}/{device}/modalias")))
            .OfType<string>()
            .Where(m => m.Length > 0)
            .Distinct()
            .Order(StringComparer.Ordinal)];

    private static Dictionary<string, byte[]> BootEntries(SystemFiles system)
    {
        var entries = new Dictionary<string, byte[]>();
        foreach (string file in system.Names(Variables).Where(IsBootEntry))
        {
            if (Variable(system, file) is { } content)
            {
                entries[file[..^GlobalVariable.Length]] = content;
            }
        }

        return entries;
    }

    /// <summary>BootOrder, or Boot and four hexadecimal digits.</summary>
    private static bool IsBootEntry(string file)
    {
        string name = file.EndsWith(GlobalVariable, StringComparison.OrdinalIgnoreCase) ? file[..^GlobalVariable.Length] : "";
        return name == "BootOrder" || name.Length == 8 && name.StartsWith("Boot", StringComparison.Ordinal) && name.Skip(4).All(char.IsAsciiHexDigit);
    }

    private static byte[]? Variable(SystemFiles system, string file) =>
        system.Bytes($"{Variables}/{file}") is { Length: > AttributeBytes } bytes ? bytes[AttributeBytes..] : null;
}
