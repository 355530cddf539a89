using System.Buffers.Binary;
using System.Text;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Image;

/// <summary>Takes a piece apart into its records and puts it together again, with right checksums where asked for.</summary>
internal sealed class ImageSurgeon
{
    public ImageSurgeon(byte[] piece)
    {
        for (int at = 0; at < piece.Length;)
        {
            int header = RecordHeader.LengthAt(piece.AsSpan(at));
            int payload = RecordHeader.Parse(piece.AsSpan(at, header), "surgeon").PayloadLength;
            Records.Add(new Cut(piece[at..(at + header)], piece[(at + header)..(at + header + payload)]));
            at += header + payload;
        }
    }

    public List<Cut> Records { get; } = [];

    public Cut First(RecordKind kind) => Records.First(r => r.Kind == kind);

    /// <summary>Puts the piece together as it is.</summary>
    public byte[] Join() => [.. Records.SelectMany(r => r.Header.Concat(r.Payload))];

    /// <summary>Gives every record the checksums, sequence numbers and chain that it should have.</summary>
    public ImageSurgeon Relink()
    {
        var chain = new byte[ImageFormat.DigestLength];
        for (int i = 0; i < Records.Count; i++)
        {
            var record = Records[i];
            BinaryPrimitives.WriteInt64LittleEndian(record.Header.AsSpan(16), i);
            chain.CopyTo(record.Header, 44);
            record.FixChecksums();
            chain = ImageFormat.DigestOf(record.Header);
        }

        return this;
    }

    /// <summary>Makes a forgery that agrees with itself: data offset, index and trailer too are as the records lie now.</summary>
    public ImageSurgeon Reindex()
    {
        var manifest = First(RecordKind.Manifest);
        BinaryPrimitives.WriteInt64LittleEndian(Records[0].Header.AsSpan(184), Records[0].Length + manifest.Length);
        var spaces = Manifest.Decode(manifest.Content(), "surgeon").Spaces().ToDictionary(s => s.Number);
        var entries = new List<IndexEntry>();
        var pages = new List<IndexPagePosition>();
        var totals = ImageTrailer.Nothing;
        long at = 0;
        for (int i = 0; i < Records.Count; at += Records[i++].Length)
        {
            var record = Records[i];
            var place = new RecordPosition(1, at);
            switch (record.Kind)
            {
                case RecordKind.Map:
                    entries.Add(new IndexEntry(i, place, record.Length, MapRecord.SpaceOf(record.Header, spaces, "surgeon").Number, []));
                    break;
                case RecordKind.Frame:
                    record.FixChecksums();
                    var frame = Frame.Parse(record.Header, RecordHeader.Parse(record.Header, "surgeon"), spaces, "surgeon");
                    entries.Add(new IndexEntry(i, place, record.Length, frame.Space, frame.Runs));
                    totals = totals.With(frame, BinaryPrimitives.ReadInt32LittleEndian(record.Header.AsSpan(32)));
                    break;
                case RecordKind.Findings:
                    totals = totals with { Findings = place, FindingsLength = record.Length };
                    break;
                case RecordKind.IndexPage:
                    record.SetContent(ImageIndex.Encode(entries));
                    pages.Add(new IndexPagePosition(place, record.Length, ImageFormat.DigestOf(record.Payload)));
                    entries.Clear();
                    break;
                case RecordKind.Trailer:
                    record.SetContent((totals with { Pages = pages }).Encode(at, record.Header.Length));
                    break;
            }
        }

        return Relink();
    }

    /// <summary>Replaces the manifest's JSON, with the digest and the data offset that it calls for.</summary>
    public ImageSurgeon WithManifest(Func<string, string> change)
    {
        var record = First(RecordKind.Manifest);
        record.SetContent(Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(record.Content()))));
        BinaryPrimitives.WriteInt64LittleEndian(Records[0].Header.AsSpan(184), Records[0].Header.Length + record.Header.Length + record.Payload.Length);
        return Relink();
    }

    public MemoryImageStore Store() => MemoryImageStore.Of(Join());

    internal sealed class Cut(byte[] header, byte[] payload)
    {
        public byte[] Header { get; set; } = header;

        public byte[] Payload { get; set; } = payload;

        public RecordKind Kind => (RecordKind)BinaryPrimitives.ReadUInt16LittleEndian(Header.AsSpan(4));

        public int Length => Header.Length + Payload.Length;

        public Cut Copy() => new((byte[])Header.Clone(), (byte[])Payload.Clone());

        public void U32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Header.AsSpan(at), value);

        public void FixChecksums()
        {
            U32(36, Crc32C.Compute(Payload));
            FixHeader();
        }

        public void FixHeader()
        {
            U32(60, 0);
            U32(60, Crc32C.Compute(Header));
        }

        public byte[] Content()
        {
            var header = RecordHeader.Parse(Header, "surgeon");
            var content = new byte[header.DecodedLength];
            using var context = SampleImage.Compressor.CreateContext();
            FrameCodec.Expand(context, header, Payload, content, "surgeon");
            return content;
        }

        /// <summary>Of a record that is no frame: stored, with its digest and lengths.</summary>
        public void SetContent(byte[] content)
        {
            Payload = content;
            U32(28, (uint)content.Length);
            U32(32, (uint)content.Length);
            Header[40] = 0;
            ImageFormat.Digest(content, Header.AsSpan(64));
        }
    }
}
