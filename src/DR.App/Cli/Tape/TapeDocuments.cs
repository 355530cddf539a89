using DR.Core.Devices;
using DR.Core.Image.Tape;

namespace DR.App.Cli.Tape;

/// <param name="State">none, blank, labelled, used, foreign, unreadable.</param>
/// <param name="Name">What --overwrite-tape takes.</param>
internal sealed record TapeStatusDocument(
    int ExitCode, string Drive, bool Loaded, bool WriteProtected, bool CleaningWanted, string? Serial, string? Barcode, string State, string Name,
    string? Set, int? Number, DateTimeOffset? Written);

/// <param name="Complete">Whether the image ends on this cartridge.</param>
/// <param name="Bytes">Of the image, up to the end of this cartridge; null where that is not known.</param>
internal sealed record TapeImageDocument(
    int Image, string Id, string Name, DateTimeOffset Written, string Program, int Part, int FirstCartridge, bool Complete, bool Unfinished, long? Bytes);

internal sealed record TapeListDocument(TapeStatusDocument Cartridge, IReadOnlyList<TapeImageDocument> Images);

internal sealed record TapeMadeDocument(int ExitCode, bool Planned, IReadOnlyList<string> Cartridges);

/// <summary>A cartridge that a job has used.</summary>
internal sealed record CartridgeDocument(int Number, string Label);

/// <summary>Turns what is known of tapes into what --json prints.</summary>
internal static class TapeDocuments
{
    public static TapeStatusDocument Status(ITapeDrive drive, Cartridge cartridge) => new(
        ExitCodes.Done, drive.Name, cartridge.Status.Loaded, cartridge.Status.WriteProtected, cartridge.Status.CleaningWanted, cartridge.Status.Serial,
        cartridge.Status.Barcode, cartridge.State.ToString().ToLowerInvariant(), cartridge.Name, cartridge.Label?.SetId.ToString(), cartridge.Label?.Number,
        cartridge.Label?.Written);

    public static TapeListDocument List(ITapeDrive drive, Cartridge cartridge, IReadOnlyList<TapeImage> images) => new(
        Status(drive, cartridge),
        [.. images.Select(i => new TapeImageDocument(i.Label.Image, i.Label.ImageId.ToString(), i.Label.Name, i.Label.Written, i.Label.Program, i.Label.Part,
            i.Label.FirstCartridge, i.IsLast, i.End is null, i.End?.Bytes))]);

    public static IReadOnlyList<CartridgeDocument>? Cartridges(TapeProgress? tape) => tape is null ? null : [.. tape.Cartridges.Select(c => new CartridgeDocument(c.Number, c.Label))];
}
