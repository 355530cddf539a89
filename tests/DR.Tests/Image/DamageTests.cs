using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

/// <summary>Whatever happens to an image on its medium is a clear error, and never taken for the image.</summary>
[Trait("Category", "Slow")]
public class DamageTests
{
    [Fact]
    public void A_truncated_image_is_refused_wherever_it_is_cut()
    {
        var whole = TinyImage.Bytes();
        for (int length = 0; length < whole.Length; length++)
        {
            var store = MemoryImageStore.Of(whole[..length]);
            var error = Refused(store, $"cut at {length}", forwardOnly: length % 7 > 0);
            Assert.True(length == 0 || error.Message.Contains("truncated", StringComparison.Ordinal), error.Message);
        }
    }

    [Fact]
    public void An_unfinished_image_is_called_so()
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        while (surgeon.Records.Count > 2)
        {
            surgeon.Records.RemoveAt(surgeon.Records.Count - 1);
            Assert.Contains("unfinished", Refused(surgeon.Store(), "").Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_flipped_bit_is_found_in_every_byte()
    {
        var whole = TinyImage.Bytes();
        for (int at = 0; at < whole.Length; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << (at % 8));
            Refused(MemoryImageStore.Of(damaged), $"flipped at {at}", forwardOnly: at % 7 > 0);
        }
    }

    [Fact]
    public void The_same_in_pieces() => Property.Holds(
        random =>
        {
            var (_, store) = TinyImage.Split();
            int number = random.Next(1, store.Pieces.Count + 1);
            var piece = store.Pieces[number]!;
            if (random.Next(2) == 0)
            {
                piece[random.Next(piece.Length)] ^= (byte)(1 << random.Next(8));
            }
            else
            {
                store.Pieces[number] = piece[..random.Next(piece.Length)];
            }

            Refused(store, $"piece {number}");
        },
        200);

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 2, 3 })]
    public void What_is_no_image_is_called_so(byte[] bytes) => Refused(MemoryImageStore.Of(bytes), "foreign");

    [Fact]
    public void A_foreign_file_is_called_so() => Property.Holds(
        random =>
        {
            var bytes = new byte[random.Next(100, 5000)];
            random.NextBytes(bytes);
            Assert.Contains("this is not an image of this program", Refused(MemoryImageStore.Of(bytes), "foreign").Message, StringComparison.Ordinal);
        },
        20);

    [Fact]
    public void A_missing_image_is_called_so()
    {
        Assert.Throws<DrException>(() => TinyImage.Read(MemoryImageStore.Of()));
        Assert.Throws<DrException>(() => ImageReader.Open(MemoryImageStore.Of(), SampleImage.Compressor));
    }

    [Fact]
    public void Pieces_that_are_missing_are_named()
    {
        var (_, whole) = TinyImage.Split();
        Assert.InRange(whole.Pieces.Count, 4, 8);
        for (int number = 2; number <= whole.Pieces.Count; number++)
        {
            var store = whole.Copy();
            store.Pieces[number] = null;
            var error = Refused(store, $"piece {number} missing");
            Assert.Contains($".{number:000}", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pieces_that_are_swapped_or_doubled_are_named()
    {
        var (_, whole) = TinyImage.Split();
        var swapped = whole.Copy();
        (swapped.Pieces[2], swapped.Pieces[3]) = (swapped.Pieces[3], swapped.Pieces[2]);
        Assert.Contains("this is piece 3; piece 2 is wanted", Refused(swapped, "swapped").Message, StringComparison.Ordinal);
        var doubled = whole.Copy();
        doubled.Pieces[3] = doubled.Pieces[2];
        Assert.Contains("this is piece 2; piece 3 is wanted", Refused(doubled, "doubled").Message, StringComparison.Ordinal);
        var late = MemoryImageStore.Of(whole.Pieces[2], whole.Pieces[3]);
        Assert.Contains("piece 2", Refused(late, "late").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pieces_of_another_image_are_named()
    {
        var (_, whole) = TinyImage.Split();
        var (_, other) = TinyImage.Split(Guid.NewGuid());
        var (_, again) = TinyImage.Split();
        var foreign = whole.Copy();
        foreign.Pieces[2] = other.Pieces[2];
        Assert.Contains("belongs to image", Refused(foreign, "foreign").Message, StringComparison.Ordinal);
        Assert.Equal(whole.Pieces[2], again.Pieces[2]);
    }

    /// <summary>The same ids, but not the same image: a tool restored an old piece, say.</summary>
    [Fact]
    public void A_piece_of_an_earlier_run_with_the_same_ids_breaks_the_chain()
    {
        var (sample, whole) = TinyImage.Split();
        new Random(6).NextBytes(sample.Spaces[0].Bytes(1));
        var later = sample.Write(14_000);
        Assert.Equal(whole.Pieces.Count, later.Pieces.Count);
        var mixed = whole.Copy();
        mixed.Pieces[1] = later.Pieces[1];
        Refused(mixed, "mixed");
    }

    [Fact]
    public void Anything_behind_the_trailer_is_refused()
    {
        Refused(MemoryImageStore.Of([.. TinyImage.Bytes(), 0]), "one byte");
        Refused(MemoryImageStore.Of([.. TinyImage.Bytes(), .. TinyImage.Bytes()]), "another image");
        var (_, store) = TinyImage.Split();
        store.Pieces[2] = [.. store.Pieces[2]!, 1, 2, 3];
        Refused(store, "behind a piece");
    }

    [Fact]
    public void Records_that_are_moved_dropped_or_doubled_are_found() => Property.Holds(
        random =>
        {
            var surgeon = new ImageSurgeon(TinyImage.Bytes());
            int one = random.Next(surgeon.Records.Count);
            int other = random.Next(surgeon.Records.Count);
            switch (random.Next(3))
            {
                case 0 when one != other:
                    (surgeon.Records[one], surgeon.Records[other]) = (surgeon.Records[other], surgeon.Records[one]);
                    break;
                case 1:
                    surgeon.Records.Insert(one, surgeon.Records[other]);
                    break;
                default:
                    surgeon.Records.RemoveAt(one);
                    break;
            }

            Refused(surgeon.Store(), "moved");
        },
        200);

    [Fact]
    public void Records_of_another_image_are_found() => Property.Holds(
        random =>
        {
            var surgeon = new ImageSurgeon(TinyImage.Bytes());
            var other = new ImageSurgeon(TinyImage.Make(id: Guid.NewGuid()).Write().Pieces[1]!);
            int at = random.Next(2, surgeon.Records.Count);
            surgeon.Records[at] = other.Records[at];
            Refused(surgeon.Store(), "spliced");
        },
        50);

    /// <summary>Checksums find accidents; that a record was exchanged for another one is found by the chain.</summary>
    [Fact]
    public void A_record_with_right_checksums_in_place_of_another_breaks_the_chain() => Property.Holds(
        random =>
        {
            var surgeon = new ImageSurgeon(TinyImage.Bytes());
            var victim = surgeon.Records[random.Next(surgeon.Records.Count - 1)];
            bool payload = victim.Payload.Length > 0 && random.Next(2) == 0;
            var bytes = payload ? victim.Payload : victim.Header;
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            victim.U32(0, ImageFormat.Magic);
            if (payload)
            {
                victim.FixChecksums();
            }
            else
            {
                victim.FixHeader();
            }

            if (!surgeon.Join().SequenceEqual(TinyImage.Bytes()))
            {
                Refused(surgeon.Store(), victim.Kind.ToString());
            }
        },
        400);

    [Fact]
    public void A_replaced_frame_with_right_checksums_and_digests_breaks_the_chain()
    {
        var sample = TinyImage.Make();
        var surgeon = new ImageSurgeon(sample.Write().Pieces[1]!);
        sample.Spaces[1].Bytes(0).Fill(99);
        var other = new ImageSurgeon(sample.Write().Pieces[1]!);
        int at = surgeon.Records.FindIndex(r => r.Kind == RecordKind.Frame && r.Header[64] == 1);
        Assert.NotEqual(surgeon.Records[at].Payload, other.Records[at].Payload);
        surgeon.Records[at] = other.Records[at];
        Assert.Contains("one of them was replaced", Refused(surgeon.Store(), "replaced").Message, StringComparison.Ordinal);
    }

    /// <summary>Refused by both readers, with a message that names file and place.</summary>
    internal static CorruptDataException Refused(MemoryImageStore store, string what, bool forwardOnly = false)
    {
        var forward = Record.Exception(() => TinyImage.Read(store));
        Assert.True(forward is CorruptDataException, $"{what}, forward: {forward?.ToString() ?? "it was read"}");
        Assert.True(forward!.Message.Contains(store.Name, StringComparison.Ordinal) || forward.Message.StartsWith("image ", StringComparison.Ordinal), forward.Message);
        if (forwardOnly)
        {
            return (CorruptDataException)forward;
        }

        var structure = Record.Exception(() => ImageVerifier.VerifyStructure(store, SampleImage.Compressor, new SilentReport(), CancellationToken.None));
        Assert.True(structure is null or CorruptDataException, $"{what}, structure: {structure}");
        var index = Record.Exception(() => TinyImage.ReadByIndex(store));
        Assert.True(index is null or CorruptDataException, $"{what}, by index: {index}");
        return (CorruptDataException)forward;
    }
}
