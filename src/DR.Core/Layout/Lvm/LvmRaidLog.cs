using System.Buffers.Binary;
using DR.Core.Devices;

namespace DR.Core.Layout.Lvm;

/// <summary>
/// What dm-raid keeps of each side of a mirror (struct dm_raid_superblock, drivers/md/dm-raid.c): a side that failed for a while is known
/// there only, not to LVM's metadata.
/// </summary>
public static class LvmRaidLog
{
    private const uint Magic = 0x64526D44;
    private const int Length = 512;

    /// <summary>Why the sides of a mirror may not be equal; null if they are, or have not been used yet.</summary>
    /// <param name="open">The bytes of a logical volume.</param>
    public static string? Problem(LvmLogicalVolume volume, LvmGroup group, Func<LvmLogicalVolume, IBlockDevice> open)
    {
        if (volume.Mirror is not { Type: "raid1" } mirror)
        {
            return null;
        }

        var logs = mirror.Logs.Select(l => open(group.LogicalVolume(l)).ReadBytes(0, Length)).ToList();
        if (logs.All(l => !l.AsSpan().ContainsAnyExcept((byte)0)))
        {
            return null;
        }

        ulong events = logs.Max(l => Long(l, 16));
        for (int side = 0; side < logs.Count; side++)
        {
            byte[] log = logs[side];
            string? problem = BinaryPrimitives.ReadUInt32LittleEndian(log) != Magic ? "its log is damaged"
                : BinaryPrimitives.ReadUInt32LittleEndian(log.AsSpan(12)) != side ? "its log is that of another side"
                : Long(log, 24) != 0 ? "its log says that a side has failed"
                : Long(log, 16) + 1 < events ? $"it counts {Long(log, 16)} events, another {events}"
                : Long(log, 32) != ulong.MaxValue ? "it was being filled"
                : null;
            if (problem is not null)
            {
                return $"side {mirror.Images[side]} of logical volume {volume.Name} may be older than the others: {problem}";
            }
        }

        return null;
    }

    private static ulong Long(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
}
