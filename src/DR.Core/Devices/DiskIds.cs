using System.Globalization;
using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>Resolves DISK-IDs: the strings by which the operator names a disk that must be no other.</summary>
public static class DiskIds
{
    /// <summary>
    /// The one disk that <paramref name="diskId"/> names: <c>wwn:…</c>, <c>serial:…</c>, <c>file:PATH</c> or
    /// <c>path:…,size:…,content:…</c>. The last form names any disk, also one with a serial number that another has too.
    /// </summary>
    /// <exception cref="DrException">
    /// Several disks answer to it (<see cref="Failure.Refused"/>), none does (<see cref="Failure.Failed"/>), or it is no
    /// DISK-ID (<see cref="Failure.Usage"/>).
    /// </exception>
    public static DiskIdentity Find(this IMachine machine, string diskId)
    {
        int colon = diskId.IndexOf(':', StringComparison.Ordinal);
        string value = diskId[(colon + 1)..];
        return (colon < 0 || value.Length == 0 ? "" : diskId[..colon]) switch
        {
            "wwn" => Only(diskId, machine.Disks().Where(d => d.Wwn == value)),
            "serial" => Only(diskId, machine.Disks().Where(d => d.Serial == value)),
            "file" => Only(diskId, new[] { machine.Identify(value) }.Where(d => d.Bus == "file")),
            "path" => Only(diskId, ByContent(machine, diskId, value)),
            _ => throw NotAnId(diskId),
        };
    }

    /// <summary>
    /// Whether two paths lead to one disk: what has a world wide name is seen once for each cable on SAS, Fibre Channel and
    /// iSCSI. All else that is known has to be the same too, since a name that two disks share is no name.
    /// </summary>
    public static bool AreOne(DiskIdentity one, DiskIdentity other) =>
        one.Path != other.Path && !string.IsNullOrEmpty(one.Wwn) && one.Bus is "scsi" or "fc" or "iscsi" && one with { Path = other.Path } == other;

    private static DiskIdentity Only(string diskId, IEnumerable<DiskIdentity> found)
    {
        var disks = found.ToList();
        disks.RemoveAll(d => disks.TakeWhile(e => e != d).Any(e => AreOne(e, d)));
        return disks.Count switch
        {
            1 => disks[0],
            0 => throw new DrException(Failure.Failed, $"no disk of this machine is {diskId}; dr disks lists them"),
            _ => throw new DrException(Failure.Refused,
                $"{diskId} is not one disk but {disks.Count}: {string.Join(", ", disks.Select(d => d.Path))}. "
                + $"Disconnect the others, or name it as {PathForm(disks[0])}"),
        };
    }

    private static IEnumerable<DiskIdentity> ByContent(IMachine machine, string diskId, string value)
    {
        int content = value.LastIndexOf(",content:", StringComparison.Ordinal);
        int size = content < 0 ? -1 : value.LastIndexOf(",size:", content, StringComparison.Ordinal);
        if (size < 0 || !long.TryParse(value[(size + 6)..content], NumberStyles.None, CultureInfo.InvariantCulture, out long length))
        {
            throw NotAnId(diskId);
        }

        string fingerprint = value[(content + 9)..];
        return machine.Disks().Where(d =>
            d.Path == value[..size] && d.Length == length && d.Fingerprint == fingerprint && fingerprint.Length > 0);
    }

    private static string PathForm(DiskIdentity disk) => $"path:{disk.Path},size:{disk.Length},content:{disk.Fingerprint}";

    private static DrException NotAnId(string diskId) => new(Failure.Usage,
        $"{diskId} is no DISK-ID; use wwn:…, serial:…, file:PATH or path:…,size:…,content:… as dr disks prints it");
}
