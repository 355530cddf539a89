namespace DR.Core.Image;

public sealed class ImageReader(IImageInput input)
{
    public static ImageReader Open(IImageInput input, IFrameCompressor compressor)
    {
        _ = compressor;
        return new ImageReader(input);
    }

    public void ProveComplete() => _ = input.Name;
}
