using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>
/// What a mount and a walk through the directories reads. It only decides what is saved first: a damaged record or an
/// unreadable sector costs the place of one directory in it, not the capture.
/// </summary>
internal sealed class NtfsControlSet(NtfsBootSector boot, NtfsMft mft)
{
    private readonly ExtentCollector _extents = new();

    public ExtentSet Collect()
    {
        Add(boot.Copies.AsEnumerable());
        Add(mft.Stream.Extents);
        for (long number = 0; number < mft.Count; number++)
        {
            Tolerate(number);
        }

        return _extents.ToSet();
    }

    /// <summary>Attributes are where they are, in the base record or in one that extends it: no list has to be followed.</summary>
    private void Tolerate(long number)
    {
        try
        {
            var record = mft[number];
            bool system = (record.IsExtension ? record.BaseRecord : number) < NtfsMft.FirstUserRecord;
            foreach (var attribute in record.Attributes.Where(a => a.Runs is not null && (system ? a.Name != "$Bad" : IsWalked(a.Type))))
            {
                Add(attribute.Runs!.Where(r => !r.IsHole).Select(r => boot.Bytes(r.Lcn, r.Count)));
            }
        }
        catch (CorruptDataException)
        {
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
        }
    }

    private static bool IsWalked(uint type) =>
        type is NtfsType.AttributeList or NtfsType.IndexAllocation or NtfsType.Bitmap or NtfsType.ReparsePoint;

    private void Add(IEnumerable<Extent> extents)
    {
        foreach (var extent in extents)
        {
            _extents.Add(extent);
        }
    }
}
