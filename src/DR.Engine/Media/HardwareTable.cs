using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>A driver's claim on devices.</summary>
/// <param name="Pattern">Of modaliases, as in modules.alias.</param>
/// <param name="BuiltIn">Part of the kernel itself.</param>
public sealed record DriverAlias(string Pattern, string Driver, bool BuiltIn);

/// <summary>A firmware file that a driver may ask for.</summary>
public sealed record DriverFirmware(string Driver, string File, bool Present);

/// <summary>What the kernel of a medium can drive; /dr/hardware.json on the medium, so that it can be asked without being booted.</summary>
public sealed record HardwareTable(string Kernel, IReadOnlyList<DriverAlias> Aliases, IReadOnlyList<DriverFirmware> Firmware)
{
    public const string OnMedium = "/dr/hardware.json";

    private static readonly string[] Buses = ["pci:", "usb:"];

    /// <summary>Reads it from a root file system that has run live/hooks/customize-wanted-firmware.sh.</summary>
    public static HardwareTable Of(string root)
    {
        var kernels = Directory.GetDirectories(Path.Combine(root, "usr/lib/modules"));
        if (kernels.Length != 1)
        {
            throw new DrException(Failure.Failed, $"{root}/usr/lib/modules has {kernels.Length} kernels, one was expected");
        }

        var aliases = Loadable(File.ReadLines(Path.Combine(kernels[0], "modules.alias")))
            .Concat(BuiltIn(File.ReadAllBytes(Path.Combine(kernels[0], "modules.builtin.modinfo")))).ToList();
        var drivers = aliases.Select(a => a.Driver).ToHashSet();
        string firmware = Path.Combine(root, "usr/lib/firmware");
        return new HardwareTable(Path.GetFileName(kernels[0]), aliases, [..
            from line in File.ReadLines(Path.Combine(root, "usr/share/dr/firmware-wanted"))
            let parts = line.Split('\t')
            where drivers.Contains(parts[0])
            select new DriverFirmware(parts[0], parts[1], IsThere(firmware, parts[1]))]);
    }

    public static HardwareTable Parse(string json) => JsonSerializer.Deserialize(json, HardwareJson.Default.HardwareTable)
        ?? throw new CorruptDataException(OnMedium, "it holds nothing");

    public string ToJson() => JsonSerializer.Serialize(this, HardwareJson.Default.HardwareTable);

    /// <summary>"alias PATTERN MODULE" of modules.alias.</summary>
    public static IEnumerable<DriverAlias> Loadable(IEnumerable<string> lines) =>
        from line in lines
        let parts = line.Split(' ')
        where parts is ["alias", _, _] && Concerns(parts[1])
        select new DriverAlias(parts[1], parts[2], BuiltIn: false);

    /// <summary>"MODULE.alias=PATTERN", each ended by a zero byte, of modules.builtin.modinfo.</summary>
    public static IEnumerable<DriverAlias> BuiltIn(byte[] modinfo) =>
        from entry in Encoding.UTF8.GetString(modinfo).Split('\0')
        let dot = entry.IndexOf(".alias=", StringComparison.Ordinal)
        where dot > 0 && Concerns(entry[(dot + 7)..])
        select new DriverAlias(entry[(dot + 7)..], entry[..dot], BuiltIn: true);

    private static bool Concerns(string pattern) => Buses.Any(b => pattern.StartsWith(b, StringComparison.Ordinal));

    /// <summary>The name may hold wildcards; the file may be compressed.</summary>
    private static bool IsThere(string folder, string file)
    {
        string directory = Path.Combine(folder, Path.GetDirectoryName(file) ?? "");
        return Directory.Exists(directory)
            && Directory.EnumerateFileSystemEntries(directory, Path.GetFileName(file) + "*").Any(f => Path.GetFileName(f).Length - Path.GetFileName(file).Length is 0 or 3 or 4 || file.Contains('*', StringComparison.Ordinal));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HardwareTable))]
internal sealed partial class HardwareJson : JsonSerializerContext;
