using DR.Core.Primitives;

namespace DR.Core.FileSystems;

/// <summary>Extents that come one after the other, in device order.</summary>
internal static class ExtentSequence
{
    /// <summary>Cuts each to the range, drops what is empty and joins what touches.</summary>
    public static IEnumerable<Extent> Within(this IEnumerable<Extent> extents, Extent range)
    {
        var pending = default(Extent);
        foreach (var extent in extents)
        {
            var part = extent.Intersect(range);
            if (part.IsEmpty)
            {
                continue;
            }

            if (!pending.IsEmpty && part.Start == pending.End)
            {
                pending = Extent.Between(pending.Start, part.End);
                continue;
            }

            if (!pending.IsEmpty)
            {
                yield return pending;
            }

            pending = part;
        }

        if (!pending.IsEmpty)
        {
            yield return pending;
        }
    }

    /// <summary>The sequence without the bytes of the set.</summary>
    public static IEnumerable<Extent> Without(this IEnumerable<Extent> extents, ExtentSet set)
    {
        foreach (var extent in extents)
        {
            if (!set.Overlaps(extent))
            {
                yield return extent;
                continue;
            }

            foreach (var left in ExtentSet.From(extent).Subtract(set.Intersect(extent)).AsEnumerable())
            {
                yield return left;
            }
        }
    }

    /// <summary>What of the set lies in the sequence too.</summary>
    public static ExtentSet Intersect(this ExtentSet set, IEnumerable<Extent> sequence)
    {
        var both = new List<Extent>();
        int index = 0;
        foreach (var extent in sequence)
        {
            while (index < set.Extents.Length && set.Extents[index].End <= extent.Start)
            {
                index++;
            }

            for (int i = index; i < set.Extents.Length && set.Extents[i].Start < extent.End; i++)
            {
                both.Add(set.Extents[i].Intersect(extent));
            }
        }

        return ExtentSet.From(both);
    }
}
