using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>Finds the cartridge and the place on it with which an image begins.</summary>
internal sealed class TapeImageFinder(ITapeDrive drive, ICartridgeFeeder feeder, TapeReadSettings settings)
{
    private readonly Dictionary<Guid, int> _highest = [];
    private ImageLabel? _found;
    private CartridgeLabel? _cartridge;

    /// <summary>The label of the image's first part that there is; the drive stands behind it.</summary>
    /// <param name="cartridge">The cartridge on which that is.</param>
    public ImageLabel Find(CancellationToken cancel, out CartridgeLabel cartridge)
    {
        string wanted = _found is null
            ? $"the first cartridge of the image{(settings.Selection.Number > 0 ? $" #{settings.Selection.Number}" : "")}"
            : $"{_cartridge!.Label}, cartridge {_cartridge.Number} of set {Cartridge.ShortOf(_found.SetId)}";
        ImageLabel? label = null;
        Guid? set = null;
        bool any = false;
        Cartridge now;
        try
        {
            now = Pass(wanted);
        }
        catch (NoCartridgeException) when (settings.Salvage && set is not null)
        {
            // The first cartridge is lost: any other part of the image will do.
            any = true;
            now = Pass("any cartridge of the image");
        }

        (_found, _cartridge) = (label!, now.Label!);
        cartridge = now.Label!;
        return label!;

        Cartridge Pass(string what) => CartridgeGate.Pass(drive, feeder, what, false,
            c => Judge(c, any, ref set, out label, cancel), null, wish => new NoCartridgeException(wish), cancel);
    }

    /// <summary>What is wrong with a cartridge as the one on which the image begins.</summary>
    private string? Judge(Cartridge cartridge, bool any, ref Guid? set, out ImageLabel? label, CancellationToken cancel)
    {
        label = null;
        if (ProblemOf(cartridge) is { } problem)
        {
            return problem;
        }

        var images = CartridgeContents.List(drive, cancel);
        var image = _found is { } found ? images.FirstOrDefault(i => i.Label.ImageId == found.ImageId) : Choose(images, cartridge);
        if (image is null)
        {
            return images.Count == 0 ? $"on {cartridge.Words} is no image"
                : $"{cartridge.Words} holds {string.Join("; ", images.Select(i => i.Words))}";
        }

        set = image.Label.SetId;
        if (image.Label.FirstBlock > 0 && !any && _found?.FirstBlock is null or 0)
        {
            return $"{cartridge.Words} holds part {image.Label.Part} of image #{image.Label.Image}, which begins on cartridge {image.Label.FirstCartridge}";
        }

        label = CartridgeContents.LabelAt(drive, image.Label.File, new byte[TapeFormat.ReadBufferLength]);
        return label is null ? $"the label of the image on {cartridge.Words} cannot be read" : null;
    }

    internal static string? ProblemOf(Cartridge cartridge) => cartridge.State switch
    {
        CartridgeState.None => "there is no cartridge in the drive",
        CartridgeState.Used => null,
        CartridgeState.Labelled => $"{cartridge.Words} holds no image",
        _ => $"in the drive is {cartridge.Words}",
    };

    /// <exception cref="DrException">There are several images, and none was named.</exception>
    private TapeImage? Choose(IReadOnlyList<TapeImage> images, Cartridge cartridge)
    {
        int number = settings.Selection.Number;
        if (number == 0 && images.Count > 1)
        {
            throw new DrException(Failure.Usage,
                $"{drive.Name}: on {cartridge.Words} are {images.Count} images: {string.Join("; ", images.Select(i => i.Words))}. Say which: {drive.Name}#{images[^1].Label.Image}");
        }

        if (number == TapeSelection.Last && images.Count > 0)
        {
            // The last of the set, which may begin on a cartridge where others are.
            var set = images[0].Label.SetId;
            _highest[set] = number = Math.Max(_highest.GetValueOrDefault(set), images.Max(i => i.Label.Image));
        }

        return number > 0 ? images.FirstOrDefault(i => i.Label.Image == number) : images.Count > 0 ? images[0] : null;
    }
}

/// <summary>The cartridge that a restore needs is not to be had.</summary>
internal sealed class NoCartridgeException(CartridgeWish wish) : DrException(Failure.Damaged, $"{wish.Words}; there is no other cartridge");
