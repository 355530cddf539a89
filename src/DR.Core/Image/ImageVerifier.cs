using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>Reads a whole image and checks everything in it, writing nowhere.</summary>
public static class ImageVerifier
{
    /// <exception cref="CorruptDataException">The first damage that is found.</exception>
    public static PumpResult Verify(ImageStreamReader reader, IFrameCompressor compressor, int workers, IJobReport report, CancellationToken cancel) =>
        new ImagePump(compressor, workers).Run(reader, new NoSink(report), salvage: false, cancel);

    /// <summary>
    /// Checks all but the payloads of frames: every header, the chain, maps, index, trailer, and that each allocated block has
    /// a frame. On a random-access medium the payloads are not read.
    /// </summary>
    /// <exception cref="CorruptDataException">The first damage that is found.</exception>
    public static PumpResult VerifyStructure(IImageInput input, IFrameCompressor compressor, IJobReport report, CancellationToken cancel)
    {
        if (input.IsRandomAccess)
        {
            using var image = ImageReader.Open(input, compressor);
            image.ProveComplete();
        }

        using var reader = new ImageStreamReader(input.IsRandomAccess ? new HeadsOnly(input) : input, compressor);
        string name = $"image {reader.Header.ImageId}";
        var coverage = new Coverage(reader.Spaces, salvage: false);
        var result = new PumpResult(null, new Findings([], []), []);
        while (reader.NextHead(cancel) is { } item)
        {
            switch (item)
            {
                case MapItem map:
                    coverage.Add(map, name);
                    break;
                case FrameHeadItem frame:
                    coverage.Add(frame.Frame, frame.Space, frame.Where);
                    report.Advance(frame.Frame.Runs.Sum(r => Frame.BytesOf(r, frame.Space)));
                    break;
                case FindingsItem findings:
                    result = result with { Findings = findings.Findings };
                    break;
                case EndItem end:
                    result = result with { Trailer = end.Trailer };
                    break;
            }
        }

        coverage.RequireAll(name);
        return result;
    }

    /// <summary>Pieces as streams that pass over what nobody wants to see.</summary>
    private sealed class HeadsOnly(IImageInput input) : IImageInput
    {
        public string Name => input.Name;

        public bool IsRandomAccess => true;

        public Stream? OpenForward(int number) => input.OpenPiece(number) is { } source ? new SourceStream(source, 0, owns: true) : null;

        public IImageSource? OpenPiece(int number) => input.OpenPiece(number);

        public string NameOf(int number) => input.NameOf(number);

        public void Dispose()
        {
        }
    }

    private sealed class NoSink(IJobReport report) : IImageSink
    {
        public void TakeMap(MapItem map)
        {
        }

        public void TakeFrame(DecodedFrame frame)
        {
        }

        public void Done(FrameSummary frame) => report.Advance(frame.Frame.Space, frame.Bytes);

        public void TakeLoss(Space space, Extent extent)
        {
        }
    }
}
