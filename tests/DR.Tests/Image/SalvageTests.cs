using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

/// <summary>While salvaging, a block either comes as it was or is listed as lost.</summary>
[Trait("Category", "Slow")]
public class SalvageTests
{
    [Fact]
    public void A_whole_image_has_no_losses()
    {
        var sample = TinyImage.Make();
        var sink = TinyImage.Read(sample.Write(), salvage: true, out var result);
        Assert.Empty(result.Losses);
        Assert.Empty(sink.Losses);
        Assert.All(sample.Spaces, s => SampleImage.Check(s, sink));
    }

    [Fact]
    public void A_flipped_bit_costs_no_more_than_its_record()
    {
        var sample = TinyImage.Make();
        var whole = TinyImage.Bytes();
        int head = (int)BitConverter.ToUInt64(whole, 184);
        for (int at = head + Random.Shared.Next(3); at < whole.Length; at += 3)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << (at % 8));
            var sink = TinyImage.Read(MemoryImageStore.Of(damaged), salvage: true, out var result);
            Assert.NotEmpty(result.Losses);
            int lost = Check(sample, sink);
            Assert.InRange(lost, 0, 2);
        }
    }

    [Fact]
    public void A_cut_costs_what_lies_behind_it() => Property.Holds(
        random =>
        {
            var sample = TinyImage.Make();
            var whole = TinyImage.Bytes();
            int length = random.Next((int)BitConverter.ToUInt64(whole, 184), whole.Length);
            var sink = TinyImage.Read(MemoryImageStore.Of(whole[..length]), salvage: true, out var result);
            Assert.NotEmpty(result.Losses);
            Assert.Null(result.Trailer);
            Check(sample, sink);
        },
        100);

    [Fact]
    public void A_lost_piece_costs_only_its_blocks()
    {
        var (sample, whole) = TinyImage.Split();
        foreach (int number in whole.Pieces.Keys)
        {
            var store = whole.Copy();
            store.Pieces[number] = null;
            var sink = TinyImage.Read(store, salvage: true, out var result);
            Assert.NotEmpty(result.Losses);
            Assert.InRange(Check(sample, sink), number == 1 || number == whole.Pieces.Count ? 0 : 1, 3);
            Assert.Equal(number == 1, sink.Maps.Count == 0);
        }
    }

    [Theory]
    [InlineData(new[] { 2, 3 })]
    [InlineData(new[] { 1, 2 })]
    [InlineData(new[] { 1, 3 })]
    public void Several_lost_pieces_cost_only_their_blocks(int[] numbers)
    {
        var (sample, store) = TinyImage.Split();
        foreach (int number in numbers)
        {
            store.Pieces[number] = null;
        }

        Assert.InRange(Check(sample, TinyImage.Read(store, salvage: true)), 2, 6);
    }

    [Fact]
    public void A_damaged_head_of_a_piece_costs_no_block()
    {
        var (sample, whole) = TinyImage.Split();
        foreach (int number in whole.Pieces.Keys)
        {
            var store = whole.Copy();
            store.Pieces[number]![100] ^= 1;
            var sink = TinyImage.Read(store, salvage: true, out var result);
            Assert.NotEmpty(result.Losses);
            Assert.Equal(0, Check(sample, sink));
        }
    }

    [Fact]
    public void Pieces_in_the_wrong_order_and_of_other_images_cost_no_more_than_they_must()
    {
        var (sample, whole) = TinyImage.Split();
        var swapped = whole.Copy();
        (swapped.Pieces[2], swapped.Pieces[3]) = (swapped.Pieces[3], swapped.Pieces[2]);
        Assert.Equal(0, Check(sample, TinyImage.Read(swapped, salvage: true)));
        var first = whole.Copy();
        (first.Pieces[1], first.Pieces[3]) = (first.Pieces[3], first.Pieces[1]);
        Assert.Equal(0, Check(sample, TinyImage.Read(first, salvage: true)));
        var foreign = whole.Copy();
        foreign.Pieces[2] = TinyImage.Split(Guid.NewGuid()).Store.Pieces[2];
        Assert.InRange(Check(sample, TinyImage.Read(foreign, salvage: true)), 1, 3);
        var doubled = whole.Copy();
        doubled.Pieces[3] = doubled.Pieces[2];
        Assert.InRange(Check(sample, TinyImage.Read(doubled, salvage: true)), 1, 3);
    }

    [Fact]
    public void Whatever_is_damaged_no_block_is_wrong_and_unlisted() => Property.Holds(
        random =>
        {
            var (sample, store) = random.Next(2) == 0 ? TinyImage.Split() : (TinyImage.Make(), MemoryImageStore.Of(TinyImage.Bytes()));
            for (int i = random.Next(1, 30); i > 0; i--)
            {
                Damage(random, store);
            }

            try
            {
                Check(sample, TinyImage.Read(store, salvage: true));
            }
            catch (CorruptDataException e)
            {
                Assert.Contains(store.Name, e.Message, StringComparison.Ordinal);
            }
        },
        150);

    /// <summary>A billion free-standing blocks are lost, and neither the list nor the memory grows with them.</summary>
    [Fact]
    public void The_list_of_losses_is_bounded()
    {
        var space = RoundTripTests.Space(0, 4096 * 5000);
        for (long block = 0; block < space.Map.BlockCount; block += 2)
        {
            space.Map.Set(block, 1, MapState.Free);
        }

        var surgeon = new ImageSurgeon((SampleImage.Of([space]) with { FrameBlocks = 200 }).Write().Pieces[1]!);
        surgeon.Records.RemoveAll(r => r.Kind == RecordKind.Frame);
        var sink = TinyImage.Read(surgeon.Store(), salvage: true, out var result);
        Assert.Equal(2500, sink.Losses.Count);
        Assert.InRange(result.Losses.Count, 1000, 1001);
        Assert.Contains("more losses", result.Losses[^1], StringComparison.Ordinal);
    }

    internal static void Damage(Random random, MemoryImageStore store)
    {
        int number = store.Pieces.Keys.ElementAt(random.Next(store.Pieces.Count));
        if (store.Pieces[number] is not { Length: > 0 } piece)
        {
            return;
        }

        int at = random.Next(piece.Length);
        int length = random.Next(piece.Length - at);
        store.Pieces[number] = random.Next(6) switch
        {
            0 => [.. piece[..at], .. piece[Math.Min(piece.Length, at + random.Next(3000))..]],
            1 => [.. piece[..at], .. piece[at..(at + length)], .. piece[at..]],
            2 when number > 1 => null,
            _ => [.. piece[..at], (byte)(piece[at] ^ 1 << random.Next(8)), .. piece[(at + 1)..]],
        };
    }

    /// <returns>Blocks that are listed as lost.</returns>
    internal static int Check(SampleImage sample, ExpandingSink sink)
    {
        int lost = 0;
        foreach (var space in sample.Spaces)
        {
            int number = space.Space.Number;
            var content = sink.Content[number];
            foreach (long block in space.Allocated())
            {
                var extent = space.Map.ExtentOf(block);
                bool known = sink.Maps.ContainsKey(number) || !space.Space.HasMap;
                bool came = sink.Times.ContainsKey((number, block));
                bool listed = sink.Losses.Any(l => l.Space == number && l.Extent.Contains(extent));
                Assert.True(came ^ listed || !came && !known, $"block {block} of space {number}: came {came}, listed {listed}");
                Assert.True(!came || content.AsSpan((int)extent.Start, (int)extent.Length).SequenceEqual(space.Bytes(block)), $"block {block} of space {number} is wrong");
                lost += came ? 0 : 1;
            }
        }

        return lost;
    }
}
