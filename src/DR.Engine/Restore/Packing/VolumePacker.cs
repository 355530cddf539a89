namespace DR.Engine.Restore.Packing;

/// <summary>A disk that volumes can be put on.</summary>
/// <param name="Room">Bytes.</param>
/// <param name="Slots">Partitions that its table can still take.</param>
internal sealed record PackDisk(long Room, int Slots)
{
    /// <summary>Bytes that partitions can be put in.</summary>
    public long Usable => Slots > 0 ? Math.Max(0, Room) : 0;
}

/// <param name="Length">Bytes that it takes up.</param>
/// <param name="Disks">Indexes of the disks that it may go to, the best first.</param>
internal sealed record PackVolume(long Length, IReadOnlyList<int> Disks);

/// <summary>
/// Puts each of several volumes whole on one of several disks. Exact as long as one question takes no more than its steps. All that it is asked share
/// these: once they are used up by hard questions each of the others gets a few, so that a plan with many ways to try is made in bounded time.
/// </summary>
internal sealed class VolumePacker
{
    private const int MaxSteps = 200_000;
    private const int LeastSteps = 2000;

    private int _left = 25 * MaxSteps;

    /// <summary>Bytes, as many as there may be in an image whose partitions overlap.</summary>
    public static decimal Needed(IEnumerable<PackVolume> volumes) => volumes.Sum(v => (decimal)v.Length);

    public static decimal Room(IEnumerable<PackDisk> disks) => disks.Sum(d => (decimal)d.Usable);

    /// <param name="needed">Disks that have to get at least one.</param>
    /// <returns>Of each volume the index of its disk; null where there is no way, or none was found within the steps.</returns>
    public int[]? Pack(IReadOnlyList<PackVolume> volumes, IReadOnlyList<PackDisk> disks, IReadOnlyCollection<int>? needed = null)
    {
        if (volumes.Any(v => v.Disks.Count == 0) || Needed(volumes) > Room(disks) || needed?.Count > volumes.Count)
        {
            return null;
        }

        int[] order = [.. Enumerable.Range(0, volumes.Count).OrderBy(v => volumes[v].Disks.Count == 1 ? 0 : 1).ThenByDescending(v => volumes[v].Length)];
        int[] chosen = new int[volumes.Count];
        long[] room = [.. disks.Select(d => d.Room)];
        int[] slots = [.. disks.Select(d => d.Slots)];
        int steps = Math.Clamp(_left, LeastSteps, MaxSteps);
        return Put(0) ? chosen : null;

        bool Put(int at)
        {
            if (at == order.Length)
            {
                return needed?.All(chosen.Contains) != false;
            }

            var volume = volumes[order[at]];
            foreach (int disk in volume.Disks)
            {
                if (room[disk] < volume.Length || slots[disk] <= 0)
                {
                    continue;
                }

                if (steps == 0)
                {
                    return false;
                }

                (steps, _left) = (steps - 1, _left - 1);
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
