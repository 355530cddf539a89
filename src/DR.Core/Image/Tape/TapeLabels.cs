using System.Text.Json;
using System.Text.Json.Serialization;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>What the first block of a cartridge says. UTF-8 JSON.</summary>
/// <param name="SetId">The media set: all cartridges that were written one after the other.</param>
/// <param name="Number">In the set, from 1.</param>
/// <param name="Label">What the cartridge is called; people write it on its case.</param>
/// <param name="BlockSize">Bytes of a data block with its header.</param>
/// <param name="ImageId">Of the image that begins or goes on behind the label; null where it was labelled only.</param>
/// <param name="Program">Name and version of what wrote it.</param>
public sealed record CartridgeLabel(Guid SetId, int Number, string Label, int BlockSize, Guid? ImageId, DateTimeOffset Written, string Program);

/// <summary>What stands before an image, or the part of one, on a cartridge. UTF-8 JSON.</summary>
/// <param name="Image">Number of the image in the set, from 1.</param>
/// <param name="Part">From 1: how many cartridges the image has begun on so far.</param>
/// <param name="FirstCartridge">The cartridge with part 1.</param>
/// <param name="File">Filemarks on this cartridge before this label.</param>
/// <param name="BlockSize">Bytes of a data block with its header; the last may be shorter.</param>
/// <param name="FirstBlock">Sequence number of the first data block that follows.</param>
/// <param name="FirstByte">Where that block's payload begins in the image.</param>
/// <param name="HeadBytes">The first bytes of the image, which head blocks repeat behind this label; 0 in part 1.</param>
public sealed record ImageLabel(
    Guid SetId, int Cartridge, int Image, Guid ImageId, string Name, int Part, int FirstCartridge, int File, int BlockSize,
    long FirstBlock, long FirstByte, long HeadBytes, DateTimeOffset Written, string Program);

/// <summary>What stands behind an image, or behind the part of one that a cartridge holds. UTF-8 JSON.</summary>
/// <param name="LabelFile">Filemarks on this cartridge before the image label.</param>
/// <param name="Blocks">Data blocks of the image up to here, on all its cartridges: the next one's sequence number.</param>
/// <param name="Bytes">Bytes of the image up to here.</param>
public sealed record ImageEnd(Guid SetId, int Cartridge, int Image, Guid ImageId, int Part, int LabelFile, long Blocks, long Bytes);

/// <summary>Labels as blocks.</summary>
public static class TapeLabels
{
    /// <summary>People type it; it has no slash, quote or control character, and no blank at its ends.</summary>
    public static bool IsLabel(string text) =>
        text.Length is > 0 and <= 64 && text.Trim() == text && !text.Any(c => char.IsControl(c) || c is '"' or '\'' or '/' or '\\');

    public static byte[] Encode(CartridgeLabel label) =>
        Block(TapeBlockKind.CartridgeLabel, Guid.Empty, JsonSerializer.SerializeToUtf8Bytes(label, TapeJson.Default.CartridgeLabel));

    public static byte[] Encode(ImageLabel label) =>
        Block(TapeBlockKind.ImageLabel, label.ImageId, JsonSerializer.SerializeToUtf8Bytes(label, TapeJson.Default.ImageLabel));

    /// <param name="last">Whether the image ends, and not only the cartridge.</param>
    public static byte[] Encode(ImageEnd end, bool last) =>
        Block(last ? TapeBlockKind.ImageEnd : TapeBlockKind.EndOfCartridge, end.ImageId, JsonSerializer.SerializeToUtf8Bytes(end, TapeJson.Default.ImageEnd));

    /// <exception cref="CorruptDataException">Its numbers cannot be.</exception>
    public static CartridgeLabel CartridgeLabel(ReadOnlySpan<byte> block, string where) =>
        Decode(block, where, TapeJson.Default.CartridgeLabel, l => l.Number is >= 1 and < 1 << 24 && IsBlockSize(l.BlockSize) && IsLabel(l.Label));

    /// <exception cref="CorruptDataException">Its numbers cannot be.</exception>
    public static ImageLabel ImageLabel(ReadOnlySpan<byte> block, string where) =>
        Decode(block, where, TapeJson.Default.ImageLabel, l => l.Cartridge >= 1 && l.Image >= 1 && l.Part >= 1 && l.FirstCartridge >= 1
            && l.FirstCartridge <= l.Cartridge && l.File >= 1 && IsBlockSize(l.BlockSize) && l.FirstBlock is >= 0 and < 1L << 62
            && l.FirstByte is >= 0 and < 1L << 62 && l.HeadBytes is >= 0 and <= TapeFormat.MaxRepeatedHead);

    /// <exception cref="CorruptDataException">Its numbers cannot be.</exception>
    public static ImageEnd ImageEnd(ReadOnlySpan<byte> block, string where) =>
        Decode(block, where, TapeJson.Default.ImageEnd, e => e.LabelFile >= 1 && e.Image >= 1 && e.Part >= 1 && e.Blocks is >= 0 and < 1L << 62 && e.Bytes is >= 0 and < 1L << 62);

    private static bool IsBlockSize(int size) => size is >= TapeFormat.MinBlockSize and <= TapeFormat.MaxBlockSize;

    private static byte[] Block(TapeBlockKind kind, Guid image, byte[] payload)
    {
        var block = new byte[TapeFormat.HeaderLength + payload.Length];
        payload.CopyTo(block, TapeFormat.HeaderLength);
        new TapeBlock(kind, kind == TapeBlockKind.CartridgeLabel ? 0 : RecordHeader.TagOf(image), 0, 0, payload.Length).Write(block);
        return block;
    }

    private static T Decode<T>(ReadOnlySpan<byte> block, string where, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, Func<T, bool> right)
        where T : class
    {
        try
        {
            var label = block.Length <= TapeFormat.HeaderLength + TapeFormat.MaxLabelLength
                ? JsonSerializer.Deserialize(block[TapeFormat.HeaderLength..], type)
                : null;
            return label is not null && right(label) ? label : throw new CorruptDataException(where, "the label on the tape says what cannot be");
        }
        catch (JsonException e)
        {
            throw new CorruptDataException(where, $"the label on the tape cannot be read: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 8)]
[JsonSerializable(typeof(CartridgeLabel))]
[JsonSerializable(typeof(ImageLabel))]
[JsonSerializable(typeof(ImageEnd))]
internal sealed partial class TapeJson : JsonSerializerContext;
