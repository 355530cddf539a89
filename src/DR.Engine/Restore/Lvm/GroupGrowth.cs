using DR.Core.Image;
using DR.Core.Layout.Lvm;
using DR.Core.Primitives;
using DR.Engine.Restore.Fitting;

namespace DR.Engine.Restore.Lvm;

/// <summary>
/// Which logical volumes get the extents that a group has more than it had. Under "last" that is none: the space stays free in the group, where it
/// can be handed out later, while the filesystems are in use. Under "proportional" all that can grow get their share, under a label those that
/// have it, or are called so ("root", "vg0/root").
/// </summary>
/// <param name="joins">Whether a logical volume in several pieces can be grown here.</param>
internal sealed class GroupGrowth(Manifest manifest, GrowPolicy policy, bool joins)
{
    public GrowPolicy Policy => policy;

    /// <summary>Whether the policy names a logical volume of this group.</summary>
    public bool Names(int group) => policy.Kind == GrowKind.Label && VolumesOf(group).Any(IsNamed);

    /// <param name="gained">Extents that the group has more than it had.</param>
    /// <returns>Extents that logical volumes get, by their names.</returns>
    public IReadOnlyDictionary<string, long> Shares(int index, LvmGroup group, long gained, List<string> remarks)
    {
        var chosen = policy.Kind switch
        {
            GrowKind.Proportional => VolumesOf(index).Where(v => v.GrowTool is not null),
            GrowKind.Label => VolumesOf(index).Where(IsNamed),
            _ => [],
        };
        var able = new List<ManifestVolume>();
        foreach (var volume in chosen)
        {
            string? obstacle = gained <= 0 ? "the targets have no more room than the disks had" : Obstacle(index, group, volume);
            if (obstacle is null)
            {
                able.Add(volume);
            }
            else if (policy.Kind == GrowKind.Label)
            {
                remarks.Add(Keeps(group, volume.LogicalVolume!.Name, obstacle));
            }
        }

        if (able.Count == 0)
        {
            return new Dictionary<string, long>();
        }

        var candidates = able.Select((v, i) => new Growable(i, new Extent(0, v.Length), v.MaximumLength, manifest.NameOf(v))).ToList();
        return Growth.Distribute(candidates, gained * group.ExtentSize, group.ExtentSize, policy, remarks)
            .ToDictionary(g => able[g.Number].LogicalVolume!.Name, g => g.By / group.ExtentSize);
    }

    /// <summary>Gives logical volumes their shares of the extents that are free, right behind them where that can be.</summary>
    /// <param name="after">With the physical volumes of the targets.</param>
    public LvmGroup Extend(LvmGroup after, IReadOnlyDictionary<string, long> shares, List<string> remarks)
    {
        foreach (var (name, share) in shares.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var volume = after.LogicalVolume(name);
            var grown = volume with { Segments = Longer(volume.Segments, share, FreeIn(after)) };
            if (!joins && grown.Segments.Count > 1)
            {
                remarks.Add(Keeps(after, name, InPieces));
                continue;
            }

            after = after with { LogicalVolumes = [.. after.LogicalVolumes.Select(v => v.Name == name ? grown : v)] };
        }

        return after;
    }

    /// <summary>A group whose logical volumes have their new lengths, for an allocator to find places for.</summary>
    public static LvmGroup Wanted(LvmGroup group, IReadOnlyDictionary<string, long> shares) => group with
    {
        LogicalVolumes = [.. group.LogicalVolumes.Select(v => shares.TryGetValue(v.Name, out long share) ? v with { Segments = [v.Segments[0] with { First = 0, ExtentCount = v.Extents + share }] } : v)],
    };

    /// <summary>Whether every logical volume with a share can be grown where it lies.</summary>
    public bool Allows(IEnumerable<LvmLogicalVolume> volumes, IReadOnlyDictionary<string, long> shares) =>
        joins || volumes.All(v => !shares.ContainsKey(v.Name) || v.Segments.Count == 1);

    public static string Keeps(LvmGroup group, string volume, string because) => $"{group.Name}/{volume} keeps its size: {because}";

    public const string InPieces = "it would lie in several pieces, and growing it needs device-mapper and dmsetup then, which this computer does not have" + Later;

    private const string Later = "; lvextend --resizefs grows it in the restored system";

    private IEnumerable<ManifestVolume> VolumesOf(int group) => manifest.Volumes.Where(v => v.LogicalVolume?.Group == group);

    private bool IsNamed(ManifestVolume volume) => volume.LogicalVolume is { } logical
        && policy.Label is { } label && (label == volume.Label || label == logical.Name || label == manifest.NameOf(volume));

    private string? Obstacle(int index, LvmGroup group, ManifestVolume volume)
    {
        var logical = group.LogicalVolume(volume.LogicalVolume!.Name);
        return volume.GrowTool is null ? $"{volume.Kind} is not grown"
            : logical.Mirror is not null ? "it is a mirror" + Later
            : logical.Segments.Any(s => s.Stripes.Count > 1) ? "it is striped" + Later
            : manifest.Groups[index].PhysicalVolumes.Any(p => p.Disk >= manifest.Disks.Count) ? "its group lies on an array" + Later
            : manifest.Groups[index].PhysicalVolumes.Any(p => (group.ExtentSize | p.Extent.Start) % manifest.Disks[p.Disk].Layout.SectorSize != 0)
                || group.PhysicalVolumes.Any(p => p.Start % 4096 != 0) ? "its extents are no whole sectors" + Later
            : null;
    }

    private static List<LvmSegment> Longer(IReadOnlyList<LvmSegment> segments, long share, List<(string Key, long First, long Count)> free)
    {
        var longer = segments.ToList();
        while (share > 0)
        {
            var last = longer[^1];
            var end = last.Stripes[0] with { Extent = last.Stripes[0].Extent + last.ExtentCount };
            int next = free.FindIndex(f => f.Key == end.PhysicalVolume && f.First == end.Extent);
            int at = next >= 0 ? next : free.FindIndex(f => f.Count == free.Max(o => o.Count));
            var (key, first, count) = free[at];
            long taken = Math.Min(share, count);
            if (next >= 0)
            {
                longer[^1] = last with { ExtentCount = last.ExtentCount + taken };
            }
            else
            {
                longer.Add(new LvmSegment(last.First + last.ExtentCount, taken, 0, [new LvmStripe(key, first)]));
            }

            free.RemoveAt(at);
            share -= taken;
        }

        return longer;
    }

    /// <summary>Runs of extents that nothing has, in the order of the physical volumes.</summary>
    private static List<(string Key, long First, long Count)> FreeIn(LvmGroup group)
    {
        var free = new List<(string, long, long)>();
        foreach (var physical in group.PhysicalVolumes)
        {
            long at = 0;
            foreach (var (first, count) in group.LogicalVolumes.SelectMany(v => v.Segments)
                .SelectMany(s => s.Stripes.Where(t => t.PhysicalVolume == physical.Key).Select(t => (t.Extent, s.StripeExtents))).Append((physical.ExtentCount, 0)).Order())
            {
                if (first > at)
                {
                    free.Add((physical.Key, at, first - at));
                }

                at = first + count;
            }
        }

        return free;
    }
}
