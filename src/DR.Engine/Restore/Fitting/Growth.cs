using DR.Core.Primitives;

namespace DR.Engine.Restore.Fitting;

/// <summary>A volume that may grow.</summary>
/// <param name="Extent">Where it lies on the source, bytes.</param>
internal sealed record Growable(int Number, Extent Extent, long MaximumLength, string Title);

/// <summary>How far a volume grows, and what that does to the positions behind it.</summary>
/// <param name="Extent">Where it lies on the source, bytes.</param>
/// <param name="By">Bytes, more than 0.</param>
internal sealed record Growth(int Number, Extent Extent, long By, string Title)
{
    /// <summary>Where an offset of the source lies on the target.</summary>
    public static long Moved(long offset, IReadOnlyList<Growth> growth) =>
        offset + growth.Where(g => g.Extent.End <= offset).Sum(g => g.By);

    /// <param name="candidates">In the order of positions; each gets a share by its length, within its maximum.</param>
    /// <param name="room">Bytes to hand out, a multiple of <paramref name="unit"/>, as is each share.</param>
    public static IReadOnlyList<Growth> Distribute(
        IReadOnlyList<Growable> candidates, long room, long unit, GrowPolicy policy, List<string> remarks)
    {
        var shares = candidates.ToDictionary(c => c.Number, _ => 0L);
        long Most(Growable c) => Math.Max(0, c.MaximumLength - c.Extent.Length) / unit * unit;
        var open = candidates.ToList();
        for (List<Growable> full; ; open.RemoveAll(full.Contains))
        {
            var total = open.Aggregate(Int128.Zero, (sum, c) => sum + c.Extent.Length);
            full = open.FindAll(c => (Int128)room * c.Extent.Length / total > Most(c));
            full.ForEach(c => shares[c.Number] = Most(c));
            if (full.Count == 0)
            {
                open.ForEach(c => shares[c.Number] = (long)((Int128)room * c.Extent.Length / total) / unit * unit);
                break;
            }

            room -= full.Sum(Most);
        }

        // What rounding left over goes to the last ones that still can.
        long left = room - open.Sum(c => shares[c.Number]);
        foreach (var candidate in Enumerable.Reverse(open))
        {
            long extra = Math.Min(left, Most(candidate) - shares[candidate.Number]);
            shares[candidate.Number] += extra;
            left -= extra;
        }

        RemarkOnMaximum(candidates.Where(c => left >= unit && Most(c) == shares[c.Number]), left, policy, remarks);
        return [.. candidates.Where(c => shares[c.Number] > 0).Select(c => new Growth(c.Number, c.Extent, shares[c.Number], c.Title))];
    }

    private static void RemarkOnMaximum(IEnumerable<Growable> capped, long left, GrowPolicy policy, List<string> remarks)
    {
        foreach (var candidate in capped)
        {
            remarks.Add($"{candidate.Title} cannot grow beyond {candidate.MaximumLength} bytes; "
                + $"{ByteSize.Format(left)} stay unused under --grow {policy.Label ?? policy.Kind.ToString().ToLowerInvariant()}");
        }
    }
}
