using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>Labels and erases cartridges. One that holds data only where it is named.</summary>
public static class CartridgeKeeper
{
    /// <summary>The cartridge in the drive, if it may be labelled or erased. Nothing is written.</summary>
    /// <param name="overwrite">Names of cartridges that may lose their data.</param>
    /// <exception cref="DrException">It may not (<see cref="Failure.Refused"/>); nothing was changed.</exception>
    public static Cartridge Require(ITapeDrive drive, IReadOnlyList<string> overwrite)
    {
        var cartridge = Cartridge.In(drive);
        string? problem = cartridge.Unwritable is { } why ? why
            : cartridge.HasData && !overwrite.Any(cartridge.Answers) ? $"in the drive is {cartridge.Words}, whose data is kept unless it is named: --overwrite-tape \"{cartridge.Name}\""
            : null;
        return problem is null ? cartridge : throw new DrException(Failure.Refused, $"{drive.Name}: {problem}; nothing was changed");
    }

    /// <summary>Writes a label and nothing behind it, and reads it again.</summary>
    /// <param name="seen">What <see cref="Require"/> has found; looked at again.</param>
    public static Cartridge Label(ITapeDrive drive, Cartridge seen, string text, string program, DateTimeOffset now)
    {
        if (!TapeLabels.IsLabel(text))
        {
            throw new DrException(Failure.Usage, $"\"{text}\" is no label: 1 to 64 characters without slashes and quotes are wanted");
        }

        RequireSame(drive, seen);
        var label = new CartridgeLabel(Guid.NewGuid(), 1, text, TapeFormat.DefaultBlockSize, null, now, program);
        drive.Rewind();
        if (drive.WriteBlock(TapeLabels.Encode(label)) is TapeWrite.EndOfTape or TapeWrite.NotWrittenEarlyWarning)
        {
            throw new DrException(Failure.Failed, $"{drive.Name}: the cartridge takes no label: there is no tape on it");
        }

        drive.WriteFilemark(immediate: false);
        var after = Cartridge.In(drive);
        return after is { State: CartridgeState.Labelled } && after.Label!.SetId == label.SetId
            ? after
            : throw new DrException(Failure.Failed, $"{drive.Name}: the label was written and reads as {after.Words}");
    }

    public static void Erase(ITapeDrive drive, Cartridge seen)
    {
        RequireSame(drive, seen);
        drive.Rewind();
        drive.EraseTape();
        var after = Cartridge.In(drive);
        if (after.State != CartridgeState.Blank)
        {
            throw new DrException(Failure.Failed, $"{drive.Name}: the cartridge was erased and still is {after.Words}");
        }
    }

    private static void RequireSame(ITapeDrive drive, Cartridge seen)
    {
        var now = Cartridge.In(drive);
        if (!now.IsStill(seen) || now.Status.WriteProtected)
        {
            throw new DrException(Failure.Refused, $"{drive.Name}: {seen.Words} was in the drive, and now it is {now.Words}; nothing was changed");
        }
    }
}
