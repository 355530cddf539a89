using DR.Core.Devices;

namespace DR.Tests.Conformance;

/// <summary>A tape as a list: null is a filemark.</summary>
internal sealed class TapeModel
{
    public List<(int Seed, int Length)?> Items { get; } = [];

    public int At { get; set; }

    public int MarksBefore => Items.Take(At).Count(i => i is null);

    public void Write((int Seed, int Length)? item)
    {
        Items.RemoveRange(At, Items.Count - At);
        Items.Add(item);
        At++;
    }

    /// <summary>Before the last but <paramref name="marks"/> - 1 filemark.</summary>
    public void Back(int marks)
    {
        while (marks > 0)
        {
            marks -= Items[--At] is null ? 1 : 0;
        }
    }

    public TapePosition PositionOf(int place) =>
        new(Items.Take(place).Count(i => i is null), Items.Take(place).Reverse().TakeWhile(i => i is not null).Count());
}
