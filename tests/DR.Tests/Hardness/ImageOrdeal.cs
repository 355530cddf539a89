using System.Buffers.Binary;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;
using DR.Tests.Image;

namespace DR.Tests.Hardness;

/// <summary>
/// An image that is damaged anew each time, blindly or so that its checksums, its chain or even its index are right again. Blind
/// damage is always found. What is read without an error is what was saved. Salvage leaves out no block silently.
/// </summary>
internal sealed class ImageOrdeal(SampleImage sample, MemoryImageStore whole) : IOrdeal
{
    public long Believed { get; private set; }

    public static IOrdeal Whole() => new ImageOrdeal(TinyImage.Make(), MemoryImageStore.Of(TinyImage.Bytes()));

    public static IOrdeal InPieces()
    {
        var (sample, store) = TinyImage.Split();
        return new ImageOrdeal(sample, store);
    }

    public void Try(Random random)
    {
        var store = whole.Copy();
        bool forged = random.Next(2) == 0;
        if (forged)
        {
            Forge(random, store);
        }
        else
        {
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                SalvageTests.Damage(random, store);
            }
        }

        if (!whole.Pieces.All(p => store.Pieces[p.Key] is { } piece && piece.AsSpan().SequenceEqual(p.Value)))
        {
            Read(store, forged);
            Salvage(store, forged);
        }
    }

    public void Dispose()
    {
    }

    /// <summary>Changes some of the numbers of a record, and makes it agree with itself, with its chain, or with everything.</summary>
    internal static void Forge(Random random, MemoryImageStore store)
    {
        int number = random.Next(1, store.Pieces.Count + 1);
        var surgeon = new ImageSurgeon(store.Pieces[number]!);
        var record = surgeon.Records[random.Next(surgeon.Records.Count)];
        bool isFrame = record.Kind == RecordKind.Frame;
        byte[] content = isFrame ? record.Payload : record.Content();
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            bool inside = content.Length > 8 && random.Next(2) == 0;
            Change(random, inside ? content : record.Header, inside ? 0 : 8);
        }

        if (!isFrame && content.Length > 0)
        {
            record.SetContent(content);
        }

        record.FixChecksums();
        try
        {
            store.Pieces[number] = (number == 1 ? random.Next(3) : 0) switch
            {
                0 => surgeon.Join(),
                1 => surgeon.Relink().Join(),
                _ => surgeon.Reindex().Join(),
            };
        }
        catch (Exception e) when (e is CorruptDataException or InvalidOperationException)
        {
            store.Pieces[number] = surgeon.Join();
        }
    }

    private static void Change(Random random, byte[] bytes, int from)
    {
        int at = random.Next(from, bytes.Length - 3);
        uint old = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
        uint value = random.Next(6) switch
        {
            0 => 0,
            1 => uint.MaxValue,
            2 => old ^ 1u << random.Next(32),
            3 => unchecked(old + 1),
            4 => 0x7FFFFFFF,
            _ => (uint)random.Next(),
        };
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
    }

    private void Read(MemoryImageStore store, bool forged)
    {
        if (HostileTests.Bounded(store, "damaged") is not null)
        {
            return;
        }

        Assert.True(forged, "blind damage was not found");
        Believed++;
        var sink = TinyImage.Read(store);
        foreach (var space in sample.Spaces)
        {
            foreach (long block in space.Allocated())
            {
                var extent = space.Map.ExtentOf(block);
                var found = sink.Content[space.Space.Number].AsSpan((int)extent.Start, (int)extent.Length);
                Assert.True(found.SequenceEqual(space.Bytes(block)), $"block {block} of space {space.Space.Number} is wrong, and nothing says so");
            }
        }
    }

    private void Salvage(MemoryImageStore store, bool forged)
    {
        try
        {
            var sink = TinyImage.Read(store, salvage: true);
            if (!forged)
            {
                SalvageTests.Check(sample, sink);
            }
        }
        catch (CorruptDataException)
        {
        }
    }
}
