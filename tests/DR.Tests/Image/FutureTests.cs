using System.Buffers.Binary;
using System.Security.Cryptography;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

/// <summary>
/// A trial, by test code only, of what the format has places for and the program does not do yet (docs/image-format.md,
/// section 12): the places suffice, and a reader of today stops or passes over as it should.
/// </summary>
public class FutureTests
{
    [Theory]
    [InlineData(1, "Incremental")]
    [InlineData(2, "Encrypted")]
    [InlineData(4, "Deduplicated")]
    [InlineData(1L << 40, "0x10000000000")]
    public void A_required_feature_that_is_not_known_is_named_and_stops(long bit, string name)
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        BinaryPrimitives.WriteInt64LittleEndian(surgeon.Records[0].Header.AsSpan(160), bit);
        var error = DamageTests.Refused(surgeon.Relink().Store(), name);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains("newer version", error.Message, StringComparison.Ordinal);
        Assert.Throws<CorruptDataException>(() => TinyImage.Read(surgeon.Store(), salvage: true));
    }

    /// <summary>A medium made before volume groups were read would write logical volumes to a wrong place.</summary>
    [Fact]
    public void An_image_with_volume_groups_stops_a_reader_that_does_not_know_them()
    {
        var (first, second) = Lvm.LvmSample.Disks();
        var image = new Engine.Workbench().With("/dev/one", first).With("/dev/two", second).Capture("/dev/one", "/dev/two");
        var surgeon = new ImageSurgeon(image.Pieces[1]!);
        Assert.Equal((ulong)RequiredFeatures.VolumeGroups, ImageHeader.Parse(surgeon.Records[0].Header, "image").Required);
        var error = Assert.Throws<CorruptDataException>(() => ImageHeader.Parse(surgeon.Records[0].Header, "image", RequiredFeatures.None));
        Assert.Contains("newer version", error.Message, StringComparison.Ordinal);
        Assert.Contains("VolumeGroups", error.Message, StringComparison.Ordinal);
        surgeon.Records[0].Header[160] = 0;
        Assert.Contains("1 volume groups, 0 groups of dynamic disks and 0 arrays, but the header announces None", DamageTests.Refused(surgeon.Relink().Store(), "volume groups").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Volume_groups_that_are_announced_have_to_be_there()
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        Assert.Equal(0, surgeon.Records[0].Header[160]);
        surgeon.Records[0].Header[160] = (byte)RequiredFeatures.VolumeGroups;
        Assert.Contains("0 volume groups, 0 groups of dynamic disks and 0 arrays, but the header announces VolumeGroups", DamageTests.Refused(surgeon.Relink().Store(), "volume groups").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_optional_feature_that_is_not_known_is_ignored()
    {
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        BinaryPrimitives.WriteInt64LittleEndian(surgeon.Records[0].Header.AsSpan(168), 1L << 50);
        TinyImage.Make().Check(surgeon.Relink().Store());
    }

    [Fact]
    public void Records_of_an_unknown_kind_are_passed_over_if_they_are_optional_and_named_if_not()
    {
        for (int at = 2; at < 12; at++)
        {
            var surgeon = new ImageSurgeon(TinyImage.Bytes());
            surgeon.Records.Insert(at, Unknown(required: false));
            var store = surgeon.Reindex().Store();
            TinyImage.Make().Check(store);
            TinyImage.ReadByIndex(store);
            surgeon.Records[at] = Unknown(required: true);
            Assert.Contains("required record of kind 99", DamageTests.Refused(surgeon.Reindex().Store(), "required").Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_signature_has_its_places()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var surgeon = new ImageSurgeon(TinyImage.Bytes());
        surgeon.Records.Insert(2, Signature());
        surgeon.Records.Insert(surgeon.Records.Count - 1, Signature());
        surgeon.Reindex();
        Sign(surgeon, 2, key);
        Sign(surgeon, surgeon.Records.Count - 2, key);
        TinyImage.Make().Check(surgeon.Store());
        Assert.All(surgeon.Records.Where(r => r.Kind == RecordKind.Signature), r => Assert.True(IsSigned(r, key)));
        surgeon.First(RecordKind.Frame).Payload[5] ^= 1;
        surgeon.Relink();
        Assert.True(IsSigned(surgeon.Records[2], key));
        Assert.False(IsSigned(surgeon.Records[^2], key));
    }

    [Fact]
    public void An_incremental_image_takes_from_its_parent_what_has_not_changed()
    {
        var parent = TinyImage.Make();
        var child = TinyImage.Make(id: Guid.NewGuid());
        child.Spaces[2].Bytes(1).Fill(0x77);
        var bytes = WriteIncremental(child, parent);
        Assert.Contains("Incremental", DamageTests.Refused(MemoryImageStore.Of(bytes), "incremental").Message, StringComparison.Ordinal);
        var before = TinyImage.Read(parent.Write()).Content;
        Assert.Equal(child.Spaces[2].Content, Resolve(child, bytes, before)[2]);
        before[2][0] ^= 1;
        Assert.Throws<CorruptDataException>(() => Resolve(child, bytes, before));
    }

    [Fact]
    public void A_frame_can_be_encrypted_in_place_and_the_structure_checked_without_the_key()
    {
        using var key = new AesGcm(RandomNumberGenerator.GetBytes(32), 16);
        var id = TinyImage.Make().Header.ImageId;
        var plain = new ImageSurgeon(TinyImage.Bytes());
        var hidden = new ImageSurgeon(TinyImage.Bytes());
        hidden.Records[0].Header[160] = (byte)RequiredFeatures.Encrypted;
        hidden.Relink();
        for (int i = 0; i < hidden.Records.Count; i++)
        {
            if (hidden.Records[i].Kind == RecordKind.Frame)
            {
                hidden.Records[i] = Encrypt(hidden.Records[i], id, key);
                hidden.Relink();
            }
        }

        CheckChain(hidden);
        foreach (var (open, closed) in plain.Records.Zip(hidden.Records).Where(p => p.First.Kind == RecordKind.Frame))
        {
            var (digests, payload) = Decrypt(closed, id, key);
            Assert.Equal(open.Payload, payload);
            Assert.Equal(open.Header[DigestsOf(open)], digests);
            Assert.False(closed.Payload.Length > 0 && closed.Payload.SequenceEqual(open.Payload));
            closed.Header[70] ^= 1;
            Assert.Throws<AuthenticationTagMismatchException>(() => Decrypt(closed, id, key));
        }
    }

    private static ImageSurgeon.Cut Unknown(bool required) => New(99, required, [1, 2, 3, 4, 5], codec: 77);

    private static ImageSurgeon.Cut Signature() => New((ushort)RecordKind.Signature, required: false, new byte[64], codec: 0);

    private static ImageSurgeon.Cut New(ushort kind, bool required, byte[] payload, byte codec)
    {
        var header = new RecordHeader((RecordKind)kind, required ? RecordTraits.Required : RecordTraits.None, TinyImage.Make().Header.Tag, 0)
        {
            PayloadLength = payload.Length,
            DecodedLength = payload.Length,
            Codec = (Codec)codec,
        };
        return new ImageSurgeon.Cut(header.Write(ImageFormat.DigestOf(payload)), payload);
    }

    /// <summary>Signs the record's own chain, and gives the records behind it theirs.</summary>
    private static void Sign(ImageSurgeon surgeon, int at, ECDsa key)
    {
        var record = surgeon.Records[at];
        record.SetContent(key.SignData(record.Header.AsSpan(44, 16), HashAlgorithmName.SHA256));
        surgeon.Relink();
    }

    private static bool IsSigned(ImageSurgeon.Cut record, ECDsa key) =>
        key.VerifyData(record.Header.AsSpan(44, 16), record.Payload, HashAlgorithmName.SHA256);

    /// <summary>Volume 2 of the child, in which only block 1 has changed, by the program's own writer.</summary>
    private static byte[] WriteIncremental(SampleImage child, SampleImage parent)
    {
        var store = new MemoryImageStore();
        var header = child.Header with { ParentId = parent.Header.ImageId, Required = (ulong)RequiredFeatures.Incremental };
        using (var writer = new ImageWriter(store, header, child.Manifest, SampleImage.Compressor, 1))
        {
            WriteChanged(writer, child.Spaces[2]);
            writer.Finish(new Findings([], []));
        }

        return store.Pieces[1]!;
    }

    private static void WriteChanged(ImageWriter writer, SampleSpace space)
    {
        using var pool = new BufferPool(ImageFormat.MaxFrameBytes, 1);
        writer.WriteMap(space.Space, space.Map);
        BlockRun[] runs = [new(0, 1, Disposition.SameAsParent), new(1, 1, Disposition.Stored), new(2, 1, Disposition.SameAsParent)];
        byte[] digests = [.. Enumerable.Range(0, 3).SelectMany(b => ImageFormat.DigestOf(space.Bytes(b)))];
        var payload = pool.Rent();
        space.Bytes(1).CopyTo(payload.Span);
        int length = space.Bytes(1).Length;
        writer.WriteFrame(new EncodedFrame(
            new Frame(2, space.Space.BlockSize, runs, digests), payload, length, length, Codec.Stored, Crc32C.Compute(payload.Span[..length])));
    }

    private static Dictionary<int, byte[]> Resolve(SampleImage child, byte[] image, Dictionary<int, byte[]> parent)
    {
        var spaces = child.Manifest.Spaces().ToDictionary(s => s.Number);
        var result = parent.ToDictionary(p => p.Key, p => (byte[])p.Value.Clone());
        foreach (var cut in new ImageSurgeon(image).Records.Where(r => r.Kind == RecordKind.Frame))
        {
            var frame = Frame.Parse(cut.Header, RecordHeader.Parse(cut.Header, "child"), spaces, "child", RequiredFeatures.Incremental);
            int digest = 0;
            int at = 0;
            foreach (var (block, run) in frame.Runs.SelectMany(r => Enumerable.Range((int)r.First, r.Count).Select(b => (b, r))))
            {
                var target = result[frame.Space].AsSpan(block * frame.BlockSize, frame.BlockSize);
                if (run.HasContent)
                {
                    cut.Payload.AsSpan(at, frame.BlockSize).CopyTo(target);
                    at += frame.BlockSize;
                }

                if (!ImageFormat.DigestOf(target).AsSpan().SequenceEqual(frame.Digests.AsSpan(digest++ * 16, 16)))
                {
                    throw new CorruptDataException("child", $"the parent's block {block} has changed");
                }
            }
        }

        return result;
    }

    private static Range DigestsOf(ImageSurgeon.Cut frame)
    {
        int start = 80 + 16 * BinaryPrimitives.ReadUInt16LittleEndian(frame.Header.AsSpan(72));
        return start..(start + 16 * BinaryPrimitives.ReadUInt16LittleEndian(frame.Header.AsSpan(74)));
    }

    private static ImageSurgeon.Cut Encrypt(ImageSurgeon.Cut frame, Guid image, AesGcm key)
    {
        var digests = DigestsOf(frame);
        byte[] plain = [.. frame.Header[digests], .. frame.Payload];
        var header = new byte[(digests.End.Value + 16 + 7) & ~7];
        frame.Header.AsSpan(0, digests.End.Value).CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(24), header.Length);
        var hidden = new byte[plain.Length];
        var tag = new byte[16];
        key.Encrypt(Nonce(header), plain, hidden, tag, Associated(header, digests, image));
        int split = digests.End.Value - digests.Start.Value;
        hidden.AsSpan(0, split).CopyTo(header.AsSpan(digests.Start.Value));
        tag.CopyTo(header, digests.End.Value);
        return new ImageSurgeon.Cut(header, hidden[split..]);
    }

    private static (byte[] Digests, byte[] Payload) Decrypt(ImageSurgeon.Cut frame, Guid image, AesGcm key)
    {
        var digests = DigestsOf(frame);
        byte[] hidden = [.. frame.Header[digests], .. frame.Payload];
        var plain = new byte[hidden.Length];
        var tag = frame.Header.AsSpan(digests.End.Value, 16);
        key.Decrypt(Nonce(frame.Header), hidden, tag, plain, Associated(frame.Header, digests, image));
        int split = digests.End.Value - digests.Start.Value;
        return (plain[..split], plain[split..]);
    }

    private static byte[] Nonce(byte[] header) => [0, 0, 0, 0, .. header.AsSpan(16, 8)];

    private static byte[] Associated(byte[] header, Range digests, Guid image)
    {
        var bytes = (byte[])header.Clone();
        bytes.AsSpan(36, 4).Clear();
        bytes.AsSpan(60, 4).Clear();
        bytes.AsSpan(digests.Start.Value..(digests.End.Value + 16)).Clear();
        return [.. bytes, .. image.ToByteArray()];
    }

    private static void CheckChain(ImageSurgeon surgeon)
    {
        using var context = SampleImage.Compressor.CreateContext();
        using var records = new RecordReader(context);
        records.Open(new MemoryStream(surgeon.Join()), "hidden");
        for (int i = 0; i < surgeon.Records.Count; i++)
        {
            var header = records.NextHeader(surgeon.Records[0].Kind == RecordKind.ImageHeader ? TinyImage.Make().Header.Tag : null);
            Assert.Equal(surgeon.Records[i].Payload, records.TakeStored(header!));
        }
    }
}
