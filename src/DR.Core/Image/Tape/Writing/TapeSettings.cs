using DR.Core.Devices;

namespace DR.Core.Image.Tape;

/// <summary>How an image is put onto tape.</summary>
/// <param name="ImageName">What lists call the image.</param>
/// <param name="Program">Name and version of the program.</param>
public sealed record TapeSettings(string ImageName, string Program)
{
    public const long DefaultBuffer = 512 << 20;

    public const long MinBuffer = 4 << 20;

    /// <summary>Bytes of a data block with its header, 4096 to 1 MiB.</summary>
    public int BlockSize { get; init; } = TapeFormat.DefaultBlockSize;

    /// <summary>Bytes of memory between the job and the drive: one half of it keeps what was written, the other what comes.</summary>
    public long BufferBytes { get; init; } = DefaultBuffer;

    /// <summary>Bytes of blocks between two filemarks.</summary>
    public long SectionBytes { get; init; } = 2L << 30;

    /// <summary>
    /// Bytes of blocks after which a filemark is a synchronising one. It makes a drive write out its own memory and stop, for
    /// some seconds: at half the buffer, LTO-9 would stop all the time. What a drive may lose is what its own memory holds,
    /// 1 GiB or less (docs/operating.md).
    /// </summary>
    public long SyncBytes { get; init; } = 64L << 30;

    /// <summary>Names of cartridges that may be overwritten although they hold data.</summary>
    public IReadOnlyList<string> Overwrite { get; init; } = [];

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Blocks that the buffer holds.</summary>
    internal int BufferBlocks => (int)Math.Clamp(BufferBytes / BlockSize, 4, 1 << 20);

    /// <summary>That no block is larger than the drive takes.</summary>
    internal TapeSettings For(ITapeDrive drive) => this with { BlockSize = Math.Min(BlockSize, drive.MaxBlockSize) };
}
