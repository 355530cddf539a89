namespace DR.Engine.Restore.Packing;

/// <summary>A disk that volumes can be put on.</summary>
/// <param name="Room">Bytes.</param>
/// <param name="Slots">Partitions that its table can still take.</param>
internal sealed record PackDisk(long Room, int Slots);

/// <param name="Length">Bytes that it takes up.</param>
/// <param name="Disks">Indexes of the disks that it may go to, the best first.</param>
internal sealed record PackVolume(long Length, IReadOnlyList<int> Disks);

/// <summary>Puts each of several volumes whole on one of several disks. Exact as long as it takes no more than its steps.</summary>
internal static class VolumePacker
{
    private const int MaxSteps = 200_000;

    /// <param name="needed">Disks that have to get at least one.</param>
    /// <returns>Of each volume the index of its disk; null where there is no way, or none was found within the steps.</returns>
    public static int[]? Pack(IReadOnlyList<PackVolume> volumes, IReadOnlyList<PackDisk> disks, IReadOnlyCollection<int>? needed = null)
    {
        int[] order = [.. Enumerable.Range(0, volumes.Count).OrderBy(v => volumes[v].Disks.Count == 1 ? 0 : 1).ThenByDescending(v => volumes[v].Length)];
        int[] chosen = new int[volumes.Count];
        long[] room = [.. disks.Select(d => d.Room)];
        int[] slots = [.. disks.Select(d => d.Slots)];
        int steps = 0;
        return Put(0) ? chosen : null;

        bool Put(int at)
        {
            if (at == order.Length)
            {
                return needed?.All(chosen.Contains) != false;
            }

            var volume = volumes[order[at]];
            foreach (int disk in volume.Disks.Where(d => room[d] >= volume.Length && slots[d] > 0))
            {
                if (++steps > MaxSteps)
                {
                    return false;
                }

                (chosen[order[at]], room[disk], slots[disk]) = (disk, room[disk] - volume.Length, slots[disk] - 1);
                if (Put(at + 1))
                {
                    return true;
                }

                (room[disk], slots[disk]) = (room[disk] + volume.Length, slots[disk] + 1);
            }

            return false;
        }
    }
}
