using DR.Core.Image;
using DR.Core.Primitives;

namespace DR.Tests.Image;

public class BlockMapTests
{
    [Fact]
    public void A_map_does_as_a_naive_list_of_states_does() => Property.Holds(random =>
    {
        long length = random.Next(1, 300) * 4096 - random.Next(4096);
        var map = new BlockMap(length, 4096);
        var model = new MapState[map.BlockCount];
        for (int i = 0; i < 20; i++)
        {
            int first = random.Next(model.Length);
            int count = random.Next(model.Length - first + 1);
            var state = (MapState)random.Next(3);
            map.Set(first, count, state);
            Array.Fill(model, state, first, count);
            var extent = new Extent(random.NextInt64(length), random.NextInt64(10_000));
            map.Mark(extent, state);
            Mark(model, extent, state);
        }

        Compare(map, model, random);
        Compare(BlockMap.Decode(map.Encode(), length, 4096, "map"), model, random);
        Compare(map.Clone(), model, random);
    });

    [Fact]
    public void A_set_of_blocks_does_as_a_naive_set_does() => Property.Holds(random =>
    {
        int length = random.Next(1, 300);
        var set = new BlockSet(length);
        var model = new SortedSet<long>();
        for (int i = 0; i < 30; i++)
        {
            int first = random.Next(length);
            int count = random.Next(1, Math.Min(40, length - first) + 1);
            var run = Enumerable.Range(first, count).Select(b => (long)b).ToList();
            if (random.Next(2) == 0)
            {
                set.Include(first, count);
                model.UnionWith(run);
            }
            else
            {
                bool all = run.All(model.Contains);
                Assert.Equal(all, set.Remove(first, count));
                model.ExceptWith(all ? run : []);
            }
        }

        Assert.Equal(model.Count, set.Count);
        Assert.Equal(model, set.Runs().SelectMany(r => Enumerable.Range(0, (int)r.Count).Select(i => r.First + i)));
    });

    [Fact]
    public void Whatever_bytes_are_decoded_give_a_map_or_a_clear_error() => Property.Holds(random =>
    {
        var bytes = new byte[random.Next(40)];
        random.NextBytes(bytes);
        try
        {
            Assert.Equal(200, BlockMap.Decode(bytes, 200 * 4096, 4096, "map").Runs().Sum(r => r.Count));
        }
        catch (CorruptDataException)
        {
        }
    });

    private static void Mark(MapState[] model, Extent extent, MapState state)
    {
        for (long block = extent.Start / 4096; extent.Length > 0 && block * 4096 < extent.End && block < model.Length; block++)
        {
            model[block] = state;
        }
    }

    private static void Compare(BlockMap map, MapState[] model, Random random)
    {
        Assert.Equal(model, Enumerable.Range(0, model.Length).Select(i => map[i]));
        Assert.Equal(model, map.Runs().SelectMany(r => Enumerable.Repeat(r.State, (int)r.Count)));
        Assert.All(map.Runs().Zip(map.Runs().Skip(1)), pair => Assert.NotEqual(pair.First.State, pair.Second.State));
        foreach (var state in Enum.GetValues<MapState>())
        {
            Assert.Equal(model.Count(s => s == state), map.Count(state));
            int from = random.Next(model.Length);
            int found = Array.IndexOf(model, state, from);
            Assert.Equal(found < 0 ? model.Length : found, map.Find(from, state));
            int count = random.Next(1, model.Length - from + 1);
            Assert.Equal(model.Skip(from).Take(count).All(s => s == state), map.All(from, count, state));
        }
    }
}
