using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>An image, or the part of one, on a cartridge.</summary>
/// <param name="End">Null where the part has no end: it was interrupted, or its end cannot be read.</param>
/// <param name="IsLast">Whether the image ends on this cartridge.</param>
public sealed record TapeImage(ImageLabel Label, ImageEnd? End, bool IsLast)
{
    public string Words => $"#{Label.Image} \"{Label.Name}\" of {Label.Written:yyyy-MM-dd HH:mm} UTC"
        + (Label.Part > 1 ? $", part {Label.Part} (it begins on cartridge {Label.FirstCartridge})" : "")
        + (IsLast ? "" : End is null ? ", unfinished" : ", goes on with the next cartridge");
}

/// <summary>Lists what lies on a cartridge by spacing: from its end back, from each end to the label that it names.</summary>
public static class CartridgeContents
{
    private const int MaxFiles = 1 << 20;

    /// <summary>The images on the cartridge in the drive, in their order. The drive stands anywhere afterwards.</summary>
    /// <exception cref="DeviceFaultException">The drive cannot move the tape.</exception>
    public static IReadOnlyList<TapeImage> List(ITapeDrive drive, CancellationToken cancel)
    {
        int file = LastFile(drive);
        var found = new List<TapeImage>();
        var buffer = new byte[TapeFormat.ReadBufferLength];
        while (file >= 1)
        {
            cancel.ThrowIfCancellationRequested();
            var (image, before) = At(drive, file, buffer);
            if (image is not null)
            {
                found.Insert(0, image);
            }

            file = before;
        }

        return found;
    }

    /// <summary>The number of the last file with something in it. Where the end cannot be reached, of the last that can.</summary>
    private static int LastFile(ITapeDrive drive)
    {
        try
        {
            drive.SpaceToEnd();
            if (drive.Position is { IsKnown: true } end)
            {
                return end.Block > 0 ? end.File : end.File - 1;
            }
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            // Counted from the beginning instead.
        }

        int file = 0;
        try
        {
            for (drive.Rewind(); file < MaxFiles; file++)
            {
                drive.SpaceFilemarks(1);
            }
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            // So far, and no further.
        }

        return file;
    }

    /// <summary>The label at the beginning of a file; null where there is none that can be read. The drive stands behind it.</summary>
    internal static ImageLabel? LabelAt(ITapeDrive drive, int file, byte[] buffer)
    {
        var block = FirstOf(drive, file, buffer, out var header);
        try
        {
            return header is { Kind: TapeBlockKind.ImageLabel } ? TapeLabels.ImageLabel(block, Where(drive, file)) : null;
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }

    /// <returns>The image to which the file belongs, if it can be told, and the file before it.</returns>
    private static (TapeImage? Image, int Before) At(ITapeDrive drive, int file, byte[] buffer)
    {
        var block = FirstOf(drive, file, buffer, out var header);
        try
        {
            switch (header?.Kind)
            {
                case TapeBlockKind.ImageLabel:
                    return (new TapeImage(TapeLabels.ImageLabel(block, Where(drive, file)), null, false), file - 1);
                case TapeBlockKind.ImageEnd or TapeBlockKind.EndOfCartridge:
                    var end = TapeLabels.ImageEnd(block, Where(drive, file));
                    return end.LabelFile < file && LabelAt(drive, end.LabelFile, buffer) is { } label && label.ImageId == end.ImageId
                        ? (new TapeImage(label, end, header.Value.Kind == TapeBlockKind.ImageEnd), end.LabelFile - 1)
                        : (null, file - 1);
            }
        }
        catch (CorruptDataException)
        {
            // What lies there is no label that names anything.
        }

        return (null, file - 1);
    }

    private static ReadOnlySpan<byte> FirstOf(ITapeDrive drive, int file, byte[] buffer, out TapeBlock? header)
    {
        header = null;
        try
        {
            drive.Locate(new TapePosition(file, 0));
            var read = drive.ReadBlock(buffer);
            header = read.Kind == TapeReadKind.Data ? TapeBlock.Parse(buffer.AsSpan(0, read.Length), out _) : null;
            return buffer.AsSpan(0, read.Length);
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            return [];
        }
    }

    private static string Where(ITapeDrive drive, int file) => $"{drive.Name}, file {file}";
}
