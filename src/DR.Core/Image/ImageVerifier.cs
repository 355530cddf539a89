using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>Reads a whole image and checks everything in it, writing nowhere.</summary>
public static class ImageVerifier
{
    /// <exception cref="CorruptDataException">The first damage that is found.</exception>
    public static PumpResult Verify(ImageStreamReader reader, IFrameCompressor compressor, int workers, IJobReport report, CancellationToken cancel) =>
        new ImagePump(compressor, workers).Run(reader, new NoSink(report), salvage: false, cancel);

    private sealed class NoSink(IJobReport report) : IImageSink
    {
        public void TakeMap(MapItem map)
        {
        }

        public void TakeFrame(DecodedFrame frame)
        {
        }

        public void Done(FrameSummary frame) => report.Advance(frame.Bytes);

        public void TakeLoss(Space space, Extent extent)
        {
        }
    }
}
