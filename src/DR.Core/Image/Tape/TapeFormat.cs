namespace DR.Core.Image.Tape;

/// <summary>What a block on a tape is. See docs/image-format.md, section "On tape".</summary>
public enum TapeBlockKind : ushort
{
    None = 0,

    /// <summary>The first block of every cartridge.</summary>
    CartridgeLabel = 1,

    /// <summary>The first block of an image, or of its continuation, on a cartridge.</summary>
    ImageLabel = 2,

    /// <summary>Bytes of the image.</summary>
    Data = 3,

    /// <summary>The first bytes of the image once more, on each further cartridge.</summary>
    Head = 4,

    /// <summary>The image goes on with the next cartridge of the set.</summary>
    EndOfCartridge = 5,

    /// <summary>The image ends here.</summary>
    ImageEnd = 6,
}

/// <summary>
/// Numbers of the format on tape, version 0. A cartridge (| is a filemark):
/// <code>
/// [cartridge label] | [image label][head…] | [data…] | [data…] | [image end] | [image label] | [data…] | [end of cartridge] |
/// </code>
/// </summary>
public static class TapeFormat
{
    public const int Version = 0;

    /// <summary>"DRT0", the first four bytes of every block.</summary>
    public const uint Magic = 0x30545244;

    public const int HeaderLength = 64;

    public const int MinBlockSize = 4096;

    public const int DefaultBlockSize = 256 << 10;

    public const int MaxBlockSize = 1 << 20;

    /// <summary>Bytes of a label, an end and all else that is no data.</summary>
    public const int MaxLabelLength = 64 << 10;

    /// <summary>A head longer than this is not repeated.</summary>
    public const int MaxRepeatedHead = (16 << 20) + (64 << 10);

    /// <summary>Bytes that a buffer needs for reading whatever block there is: twice the largest (see docs/image-format.md).</summary>
    public const int ReadBufferLength = 2 * MaxBlockSize;
}
