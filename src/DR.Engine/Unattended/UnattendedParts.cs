using DR.Core.Devices;
using DR.Core.Image;
using DR.Engine.Restore;
using DR.Engine.Sources;

namespace DR.Engine.Unattended;

/// <summary>What an unattended restore works with.</summary>
/// <param name="Program">Name and version, for the report.</param>
public sealed record UnattendedParts(
    IMachine Machine,
    IToolRunner Tools,
    IFrameCompressor Compressor,
    IImageLibrary Images,
    IFileLibrary Files,
    INetworkSetup Network,
    TimeProvider Clock,
    string Program)
{
    public RestorePipeline Pipeline { get; init; } = new(Machine, Tools, Compressor);
}
