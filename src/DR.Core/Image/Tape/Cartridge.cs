using System.Security.Cryptography;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

public enum CartridgeState
{
    /// <summary>There is no cartridge in the drive.</summary>
    None,

    /// <summary>Nothing was ever written on it.</summary>
    Blank,

    /// <summary>It has a label of this program and nothing else.</summary>
    Labelled,

    /// <summary>It has a label of this program, and something behind it.</summary>
    Used,

    /// <summary>It holds something that is not of this program.</summary>
    Foreign,

    /// <summary>Its beginning cannot be read. Counts as having data.</summary>
    Unreadable,
}

/// <summary>The cartridge in a drive, by its beginning.</summary>
/// <param name="Label">Where it has one of this program.</param>
/// <param name="Content">Of a foreign cartridge: <c>content:</c> and a digest of its first block; else null.</param>
/// <param name="Problem">Why it is unreadable; else null.</param>
public sealed record Cartridge(CartridgeState State, CartridgeLabel? Label, TapeStatus Status, string? Content, string? Problem)
{
    public const string Unreadable = "unreadable";

    public bool HasData => State is CartridgeState.Used or CartridgeState.Foreign or CartridgeState.Unreadable;

    /// <summary>The name by which it may be overwritten: its label, its barcode, or what its first block is.</summary>
    public string Name => Label?.Label ?? Status.Barcode ?? Content ?? (State == CartridgeState.Unreadable ? Unreadable : "");

    /// <summary>For a sentence: "cartridge MON-1 (number 1 of set 3f2a91c0)".</summary>
    public string Words => State switch
    {
        CartridgeState.None => "no cartridge",
        CartridgeState.Blank => $"a blank cartridge{Barcode}",
        CartridgeState.Foreign => $"a cartridge{Barcode} with data of another program ({Content})",
        CartridgeState.Unreadable => $"a cartridge{Barcode} whose beginning cannot be read ({Problem})",
        _ => $"cartridge {Label!.Label} (number {Label.Number} of set {ShortOf(Label.SetId)})",
    };

    /// <summary>Why nothing can be written on it, whatever it holds; null where something can.</summary>
    public string? Unwritable =>
        State == CartridgeState.None ? "there is no cartridge in the drive"
        : Status.WriteProtected ? $"{Words} is write-protected"
        : null;

    private string Barcode => Status.Barcode is { } code ? $" {code}" : "";

    /// <summary>How a media set is called in messages: the first eight digits of its id.</summary>
    public static string ShortOf(Guid set) => set.ToString()[..8];

    /// <summary>Looks at the cartridge in the drive, which stands anywhere afterwards. Nothing is written.</summary>
    /// <exception cref="DeviceFaultException">The drive is gone or does not answer.</exception>
    public static Cartridge In(ITapeDrive drive)
    {
        var status = drive.Status();
        if (!status.Loaded)
        {
            return new Cartridge(CartridgeState.None, null, status, null, null);
        }

        try
        {
            drive.Rewind();
            return Look(drive, status);
        }
        catch (DeviceFaultException e) when (e.Kind is FaultKind.Medium or FaultKind.Full or FaultKind.Protected)
        {
            return drive.Status() is { Loaded: false } gone
                ? new Cartridge(CartridgeState.None, null, gone, null, null)
                : new Cartridge(CartridgeState.Unreadable, null, status, null, e.Message);
        }
        catch (CorruptDataException e)
        {
            return new Cartridge(CartridgeState.Unreadable, null, status, null, e.Message);
        }
    }

    /// <summary>Whether it still is the cartridge that an earlier look has seen, with the same beginning.</summary>
    public bool IsStill(Cartridge before) =>
        State == before.State && Label == before.Label && Content == before.Content && Status.Barcode == before.Status.Barcode;

    /// <summary>Whether the operator's name means this cartridge.</summary>
    public bool Answers(string name) => name == Label?.Label || name == Status.Barcode || name == Content || name == Unreadable && State == CartridgeState.Unreadable;

    private static Cartridge Look(ITapeDrive drive, TapeStatus status)
    {
        var buffer = new byte[TapeFormat.ReadBufferLength];
        var read = drive.ReadBlock(buffer);
        if (read.Kind == TapeReadKind.EndOfData)
        {
            return new Cartridge(CartridgeState.Blank, null, status, null, null);
        }

        var first = buffer.AsSpan(0, read.Length);
        if (TapeBlock.Parse(first, out _) is not { Kind: TapeBlockKind.CartridgeLabel })
        {
            return new Cartridge(CartridgeState.Foreign, null, status, "content:" + Convert.ToHexStringLower(SHA256.HashData(first)[..6]), null);
        }

        var label = TapeLabels.CartridgeLabel(first, $"{drive.Name}, first block");
        return new Cartridge(HoldsMore(drive, buffer) ? CartridgeState.Used : CartridgeState.Labelled, label, status, null, null);
    }

    /// <summary>What cannot be read behind the label is something, too.</summary>
    private static bool HoldsMore(ITapeDrive drive, byte[] buffer)
    {
        try
        {
            var read = drive.ReadBlock(buffer);
            return read.Kind == TapeReadKind.Data
                || read.Kind == TapeReadKind.Filemark && drive.ReadBlock(buffer).Kind != TapeReadKind.EndOfData;
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            return true;
        }
    }
}
