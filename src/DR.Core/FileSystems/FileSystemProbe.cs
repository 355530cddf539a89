using DR.Core.Devices;
using DR.Core.FileSystems.Btrfs;
using DR.Core.FileSystems.ExFat;
using DR.Core.FileSystems.Ext;
using DR.Core.FileSystems.Fat;
using DR.Core.FileSystems.Ntfs;
using DR.Core.FileSystems.Swap;
using DR.Core.FileSystems.Xfs;

namespace DR.Core.FileSystems;

/// <summary>Finds out what lives on a volume. Always answers: what it does not know is saved whole.</summary>
public static class FileSystemProbe
{
    /// <summary>
    /// Containers first: what lies in them may show through. Each returns null after reading a few KiB where it finds nothing of
    /// its kind; none throws because of what it reads.
    /// </summary>
    private static readonly Func<IBlockDevice, ProbeDepth, IFileSystemReader?>[] Probes =
    [
        (volume, _) => Containers.OpenMdRaid(volume),
        (volume, _) => Containers.OpenLvm2(volume),
        (volume, _) => Containers.OpenLdm(volume),
        (volume, _) => Containers.OpenLuks(volume),
        (volume, _) => Containers.OpenBitLocker(volume),
        NtfsProbe.Open,
        ExFatProbe.Open,
        FatProbe.Open,
        (volume, _) => SwapProbe.Open(volume),
        XfsProbe.Open,
        ExtProbe.Open,
        BtrfsProbe.Open,
    ];

    /// <param name="volume">Stays the caller's; read as long as the reader is used.</param>
    /// <exception cref="DeviceFaultException">The device failed in another way than by unreadable sectors.</exception>
    public static IFileSystemReader Open(IBlockDevice volume) => Open(volume, ProbeDepth.Map);

    /// <summary>What lives on a volume, for lists: without a look at what is in use.</summary>
    /// <exception cref="DeviceFaultException">The device failed in another way than by unreadable sectors.</exception>
    public static (string Kind, string? Label) NameOf(IBlockDevice volume)
    {
        var facts = Open(volume, ProbeDepth.Name).Facts;
        return (facts.Kind, facts.Label);
    }

    private static IFileSystemReader Open(IBlockDevice volume, ProbeDepth depth)
    {
        var faults = new List<DeviceFaultException>();
        var found = Probes.Select(probe => Try(probe, volume, depth, faults)).OfType<IFileSystemReader>().ToList();
        string reason = faults.Count == 0 ? "nothing known was found on it" : $"what it holds cannot be read ({faults[0].Message})";
        return found.Count switch
        {
            0 => Whole(volume, new FileSystemFacts("unknown", null, null, 0, volume.Length, volume.Length, faults.Count == 0, reason)),
            1 => found[0],
            _ => Whole(volume, found[0].Facts with
            {
                Length = volume.Length,
                AllocatedBytes = volume.Length,
                GrowTool = null,
                WholeBecause = $"it bears the marks of {string.Join(" and of ", found.Select(f => f.Facts.Kind))}",
            }),
        };
    }

    /// <summary>A sector that cannot be read where one kind keeps its header says nothing against the others.</summary>
    private static IFileSystemReader? Try(
        Func<IBlockDevice, ProbeDepth, IFileSystemReader?> probe, IBlockDevice volume, ProbeDepth depth, List<DeviceFaultException> faults)
    {
        try
        {
            return probe(volume, depth);
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            faults.Add(e);
            return null;
        }
    }

    private static WholeVolumeReader Whole(IBlockDevice volume, FileSystemFacts facts) => new(volume, facts);
}
