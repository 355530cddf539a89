using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Lvm;

/// <summary>A copy of a group's metadata that was found.</summary>
public sealed record LvmCopy(LvmGroup Group, string Text);

/// <summary>A partition or disk that says that it is a physical volume.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Length">Bytes that it really has.</param>
/// <param name="Label">Null where it is damaged.</param>
/// <param name="Copies">Of sound metadata; none on a physical volume that keeps none.</param>
/// <param name="Problems">What is damaged, in sentences.</param>
public sealed record LvmMember(string Name, long Length, LvmLabel? Label, IReadOnlyList<LvmCopy> Copies, IReadOnlyList<string> Problems)
{
    /// <summary>Type of a partition for a physical volume, in a GPT.</summary>
    public const string GptType = "e6d6d379-f507-44c2-a23c-238f2a3df928";

    /// <summary>The same in an MBR.</summary>
    public const string MbrType = "0x8e";

    /// <summary>Whether a partition is meant for a physical volume.</summary>
    public static bool IsMeant(PartitionEntry partition) => partition.Type is GptType or MbrType;

    /// <summary>Looks at its label and metadata; damage is in <see cref="Problems"/>, sectors that cannot be read too.</summary>
    public static LvmMember Read(IBlockDevice volume)
    {
        var problems = new List<string>();
        LvmLabel? label = null;
        Try(() => label = LvmLabel.Read(volume), problems);
        var copies = new List<LvmCopy>();
        foreach (var area in label?.MetadataAreas ?? [])
        {
            Try(() => Add(copies, volume, area), problems);
        }

        return new LvmMember(volume.Name, volume.Length, label, copies, problems);
    }

    private static void Add(List<LvmCopy> copies, IBlockDevice volume, Extent area)
    {
        if (LvmMetadataArea.ReadText(volume, area) is { } text)
        {
            copies.Add(new LvmCopy(LvmGroupReader.Read(text, $"{volume.Name}, metadata at offset {area.Start}"), text));
        }
    }

    private static void Try(Action read, List<string> problems)
    {
        try
        {
            read();
        }
        catch (DrException e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium or FaultKind.Timeout })
        {
            problems.Add(e.Message);
        }
    }
}
