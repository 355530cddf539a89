using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Boot;

/// <summary>
/// A Boot#### variable as the firmware keeps it (UEFI 2.10, 3.1.3 and 10.3), little endian:
/// <code>
/// attributes u32, length of the path u16, description UTF-16 ended by 0, device path, optional data
/// node: type u8, subtype u8, length u16
///   4/1  hard drive: number u32, start u64, size u64, signature 16, format u8 (2: GPT), kind of signature u8 (2: GUID)
///   4/4  file: UTF-16 ended by 0
/// </code>
/// </summary>
/// <param name="Partition">GUID of the partition in lower case; null where the path does not lead to a GPT partition.</param>
/// <param name="Loader">"\EFI\debian\shimx64.efi"; null where the path ends in no file.</param>
public sealed record EfiLoadOption(string Description, string? Partition, string? Loader)
{
    private const byte Media = 4;
    private const byte HardDrive = 1;
    private const byte FilePath = 4;

    /// <exception cref="CorruptDataException">It is cut short.</exception>
    public static EfiLoadOption Parse(ReadOnlySpan<byte> variable, string name)
    {
        var reader = new SpanReader(variable, "boot entry " + name);
        _ = reader.U32();
        int pathLength = reader.U16();
        var description = new StringBuilder();
        for (char c = (char)reader.U16(); c != 0; c = (char)reader.U16())
        {
            description.Append(c);
        }

        var path = new SpanReader(reader.Bytes(pathLength), "device path of boot entry " + name);
        string? partition = null, loader = null;
        while (path.Remaining >= 4)
        {
            var (type, subtype, length) = (path.U8(), path.U8(), path.U16());
            var body = path.Bytes(Math.Max(4, (int)length) - 4);
            (partition, loader) = (type, subtype) switch
            {
                (Media, HardDrive) when body.Length >= 38 && body[37] == 2 => (new Guid(body.Slice(20, 16)).ToString(), loader),
                (Media, FilePath) => (partition, loader + Encoding.Unicode.GetString(body).TrimEnd('\0')),
                _ => (partition, loader),
            };
        }

        return new EfiLoadOption(description.ToString(), partition, loader);
    }

    /// <summary>The recorded entries, in the order in which the firmware tried them.</summary>
    public static IEnumerable<EfiLoadOption> InOrder(MachineFacts? recorded)
    {
        if (recorded is null || !recorded.BootEntries.TryGetValue("BootOrder", out var order))
        {
            yield break;
        }

        for (int i = 0; i + 1 < order.Length; i += 2)
        {
            string name = $"Boot{order[i] | (order[i + 1] << 8):X4}";
            if (recorded.BootEntries.TryGetValue(name, out var variable) && TryParse(variable, name) is { } option)
            {
                yield return option;
            }
        }
    }

    /// <summary>An entry that the saved machine's firmware has mutilated is no reason to fail.</summary>
    private static EfiLoadOption? TryParse(byte[] variable, string name)
    {
        try
        {
            return Parse(variable, name);
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }
}
