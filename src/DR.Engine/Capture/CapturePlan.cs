using DR.Core.Image;

namespace DR.Engine.Capture;

/// <summary>What the operator asked for.</summary>
/// <param name="Disks">DISK arguments.</param>
/// <param name="Image">Location of the image.</param>
public sealed record CaptureRequest(IReadOnlyList<string> Disks, string Image, string Name)
{
    /// <summary>A path of the file or device that will hold the image, to refuse writing it onto a source; null where it is on another computer.</summary>
    public string? Carrier { get; init; } = Image;

    /// <summary>zstd level, 1 to 19.</summary>
    public int Level { get; init; } = 1;

    /// <summary>Save free space too.</summary>
    public bool AllBlocks { get; init; }

    /// <summary>Save page files and swap space too.</summary>
    public bool KeepPagefiles { get; init; }

    /// <summary>Only look: nothing is refused for where an image would go.</summary>
    public bool Looking { get; init; }

    /// <summary>Accept sources that are being written to; the image is then marked inconsistent.</summary>
    public bool AllowLive { get; init; }
}

/// <summary>Everything that a capture is going to do; computed without changing anything.</summary>
/// <param name="Bytes">Bytes that will be read from the sources.</param>
public sealed record CapturePlan(CaptureRequest Request, Manifest Manifest, long Bytes)
{
    public IReadOnlyList<string> Warnings => Manifest.Warnings;
}

/// <param name="ImageBytes">Bytes of the image, all pieces together.</param>
public sealed record CaptureResult(ImageHeader Header, ImageTrailer Trailer, Findings Findings, long ImageBytes);
