using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Ldm;

/// <summary>A disk that its table calls dynamic.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Header">Null where none of its copies can be read.</param>
/// <param name="Group">By its own database; null where that is damaged.</param>
/// <param name="Others">Partitions that are no part of LDM, bytes on the disk.</param>
/// <param name="Problems">What is damaged, in sentences.</param>
public sealed record LdmMember(string Name, LdmHeader? Header, LdmGroup? Group, IReadOnlyList<Extent> Others, IReadOnlyList<string> Problems)
{
    private const string MbrType = "0x42";
    private const string GptMetadata = "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3";
    private const string GptData = "af9b60a0-1431-4f62-bc68-3311714a69ad";

    /// <summary>Where copies of the header lie in a database of the usual size, bytes from its end.</summary>
    private static readonly long[] Copies = [1 * LdmHeader.Sector, 192 * LdmHeader.Sector];

    /// <summary>Whether dynamic volumes may lie in the partition.</summary>
    public static bool IsData(PartitionEntry partition) => partition.Type is MbrType or GptData;

    /// <summary>Whether it is the partition of a GPT disk that holds the database.</summary>
    public static bool IsDatabase(PartitionEntry partition) => partition.Type == GptMetadata;

    /// <summary>Looks at header and database; damage is in <see cref="Problems"/>, sectors that cannot be read too.</summary>
    /// <returns>Null for a disk that is not dynamic.</returns>
    public static LdmMember? Read(IBlockDevice disk, DiskLayout layout)
    {
        if (layout.Table == TableKind.None || layout.Errors.Count > 0 || !layout.Partitions.Any(p => IsData(p) || IsDatabase(p)))
        {
            return null;
        }

        var problems = new List<string>();
        var others = layout.Partitions.Where(p => p.Role != PartitionRole.Extended && !IsData(p) && !IsDatabase(p)).Select(p => p.Extent).ToList();
        if (layout.SectorSize != LdmHeader.Sector)
        {
            problems.Add($"{disk.Name}: dynamic disks with sectors of {layout.SectorSize} bytes are not known here");
            return new LdmMember(disk.Name, null, null, others, problems);
        }

        LdmHeader? header = null;
        foreach (long offset in Headers(layout))
        {
            header ??= Try(() => LdmHeader.Read(disk, offset), problems);
        }

        var group = header is null ? null : Try(() => LdmDatabase.Read(disk, header), problems);
        return new LdmMember(disk.Name, header, group, others, problems);
    }

    private static IEnumerable<long> Headers(DiskLayout layout)
    {
        if (layout.Table == TableKind.Mbr)
        {
            return [6 * LdmHeader.Sector, .. Copies.Select(c => layout.Length / LdmHeader.Sector * LdmHeader.Sector - c)];
        }

        return layout.Partitions.FirstOrDefault(IsDatabase) is { } database ? Copies.Select(c => database.Extent.End - c) : [];
    }

    private static T? Try<T>(Func<T> read, List<string> problems)
        where T : class
    {
        try
        {
            return read();
        }
        catch (DrException e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium or FaultKind.Timeout })
        {
            problems.Add(e.Message);
            return null;
        }
    }
}
