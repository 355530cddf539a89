using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>Where on which cartridge a new image is going to begin. Nothing is written yet.</summary>
/// <param name="Cartridge">As it was seen.</param>
/// <param name="Label">What its label says or is going to say.</param>
/// <param name="Append">Whether the image goes behind what lies there; otherwise it begins the cartridge anew.</param>
/// <param name="Image">Number of the image in its set.</param>
/// <param name="Before">What lies on the cartridge, where it is appended to.</param>
public sealed record TapeTarget(Cartridge Cartridge, CartridgeLabel Label, bool Append, int Image, IReadOnlyList<TapeImage> Before)
{
    public string Words => Append
        ? $"{Cartridge.Words}, behind {(Before.Count == 1 ? "the image" : $"the {Before.Count} images")} on it, as image #{Image}"
        : $"{Cartridge.Words}, as image #1 of set {Tape.Cartridge.ShortOf(Label.SetId)}"
            + (Cartridge.HasData ? ": EVERYTHING ON IT IS OVERWRITTEN" : "");
}

/// <summary>Finds cartridges that may be written. A cartridge with data is appended to, or overwritten where it is named; never else.</summary>
internal sealed class TapeTargetFinder(ITapeDrive drive, ICartridgeFeeder feeder, TapeSettings settings)
{
    private readonly HashSet<string> _used = [];

    /// <summary>The cartridge for the first part of an image.</summary>
    /// <exception cref="DrException">There is none that may be written (<see cref="Failure.Refused"/>); nothing was changed.</exception>
    public TapeTarget First(CancellationToken cancel)
    {
        TapeTarget? target = null;
        CartridgeGate.Pass(drive, feeder.IsAutomatic ? feeder : new NoFeeder(), "a cartridge that may be written", true,
            c => (target = Judge(c, out string problem, cancel)) is null ? problem : null, null, Refused, cancel);
        return target!;
    }

    /// <summary>That the cartridge still is what it was; leaves the drive where the image begins.</summary>
    public void Place(TapeTarget target)
    {
        var now = Cartridge.In(drive);
        if (!now.IsStill(target.Cartridge) || now.Status.WriteProtected)
        {
            throw new DrException(Failure.Refused, $"{drive.Name}: {target.Cartridge.Words} was in the drive when the capture was planned, and now it is {now.Words}; nothing was changed. Start it again");
        }

        if (target.Append)
        {
            drive.SpaceToEnd();
        }
        else
        {
            drive.Rewind();
        }

        _used.Add(target.Label.Label);
    }

    /// <summary>A cartridge for the next part of an image; the drive stands at its beginning.</summary>
    /// <param name="number">Of the cartridge in the set.</param>
    public CartridgeLabel Next(Guid set, int number, Guid image, string because, CancellationToken cancel)
    {
        string wanted = $"a blank cartridge, as number {number} of set {Cartridge.ShortOf(set)}";
        var cartridge = CartridgeGate.Pass(drive, feeder, wanted, true, JudgeNext, because,
            wish => new DrException(Failure.Failed, $"{wish.Words}; there is none. The image is unfinished"), cancel);
        drive.Rewind();
        var label = LabelFor(cartridge, set, number, image);
        _used.Add(label.Label);
        return label;
    }

    private TapeTarget? Judge(Cartridge cartridge, out string problem, CancellationToken cancel)
    {
        problem = cartridge.Unwritable ?? "";
        if (problem.Length > 0)
        {
            return null;
        }

        if (!cartridge.HasData || settings.Overwrite.Any(cartridge.Answers))
        {
            return new TapeTarget(cartridge, LabelFor(cartridge, Guid.NewGuid(), 1, null), false, 1, []);
        }

        if (cartridge.State != CartridgeState.Used)
        {
            problem = NotOverwritten(cartridge);
            return null;
        }

        var images = CartridgeContents.List(drive, cancel);
        problem = images.Count == 0 ? NotOverwritten(cartridge)
            : images[^1] is { End: not null, IsLast: false } ? $"{cartridge.Words} is full: image {images[^1].Words}"
            : "";
        return problem.Length > 0 ? null : new TapeTarget(cartridge, cartridge.Label!, true, images.Max(i => i.Label.Image) + 1, images);
    }

    private string? JudgeNext(Cartridge cartridge) =>
        cartridge.Unwritable
        ?? (cartridge.Label is { } label && _used.Contains(label.Label) && cartridge.HasData ? $"{cartridge.Words} is one that this image has been written on"
        : cartridge.HasData && !settings.Overwrite.Any(cartridge.Answers) ? NotOverwritten(cartridge)
        : null);

    private static string NotOverwritten(Cartridge cartridge) =>
        $"in the drive is {cartridge.Words}, which is not overwritten unless it is named: --overwrite-tape \"{cartridge.Name}\"";

    /// <summary>A cartridge keeps its label for ever; one that has none is called by its barcode, or by its place in the set.</summary>
    private CartridgeLabel LabelFor(Cartridge cartridge, Guid set, int number, Guid? image)
    {
        string name = cartridge.Label?.Label
            ?? (cartridge.Status.Barcode is { } code && TapeLabels.IsLabel(code) ? code : $"{Cartridge.ShortOf(set)}-{number}");
        return new CartridgeLabel(set, number, name, settings.BlockSize, image, settings.Time.GetUtcNow(), settings.Program);
    }

    private static DrException Refused(CartridgeWish wish) =>
        new(Failure.Refused, $"{wish.Drive}: {wish.Problem}; nothing was changed");
}
