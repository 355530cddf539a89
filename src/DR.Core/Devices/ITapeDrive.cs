namespace DR.Core.Devices;

/// <summary>
/// Where a drive stands: <paramref name="File"/> filemarks and, since the last of them, <paramref name="Block"/> blocks lie
/// between the beginning of the tape and the next read or write. Both from 0. A drive that does not know after an error or a
/// reset says so by <see cref="Unknown"/> until it is rewound or located.
/// </summary>
public readonly record struct TapePosition(int File, long Block)
{
    public static TapePosition Unknown => new(-1, -1);

    public bool IsKnown => File >= 0 && Block >= 0;
}

/// <summary>What the drive says of itself and its cartridge, without moving the tape.</summary>
/// <param name="Loaded">A cartridge is in and ready.</param>
/// <param name="WriteProtected">The cartridge, or the way the drive was opened, forbids writing.</param>
/// <param name="CleaningWanted">The drive asks for its cleaning cartridge.</param>
/// <param name="Serial">Of the drive; null where it has none or does not tell.</param>
/// <param name="Barcode">Of the cartridge; null where nothing reads it.</param>
public sealed record TapeStatus(bool Loaded, bool WriteProtected, bool CleaningWanted, string? Serial, string? Barcode);

public enum TapeReadKind
{
    Data,

    /// <summary>A filemark was passed; the drive stands behind it.</summary>
    Filemark,

    /// <summary>Nothing was ever written from here on. The drive does not move.</summary>
    EndOfData,
}

/// <param name="Length">Bytes of the block, for <see cref="TapeReadKind.Data"/>; else 0.</param>
public readonly record struct TapeRead(TapeReadKind Kind, int Length);

public enum TapeWrite
{
    Written,

    /// <summary>Written, and the end of the tape is near: finish, label the end, change the cartridge.</summary>
    WrittenEarlyWarning,

    /// <summary>Not written, because the end is near; a further write is tried (st answers so once after the warning).</summary>
    NotWrittenEarlyWarning,

    /// <summary>Not written: there is no more tape. What was written since the last synchronising filemark may be lost as well.</summary>
    EndOfTape,
}

/// <summary>
/// One drive with at most one cartridge: blocks of any length between filemarks, in sequence. Variable block mode always.
/// Not thread-safe: one thread at a time. Failures are <see cref="DeviceFaultException"/>s (protected, vanished, medium,
/// timeout) that name drive, operation and position; after one the position may be <see cref="TapePosition.Unknown"/>.
/// A failed write or filemark may report an earlier one (deferred error): only what lies before a synchronising filemark is
/// known to be on the tape. Nothing is written by closing: filemarks are explicit.
/// </summary>
public interface ITapeDrive : IDisposable
{
    /// <summary>What messages call it: <c>tape:/dev/nst0</c>, <c>vtape:DIR</c>.</summary>
    string Name { get; }

    /// <summary>Bytes of the largest block that it reads and writes.</summary>
    int MaxBlockSize { get; }

    TapePosition Position { get; }

    TapeStatus Status();

    /// <summary>
    /// Reads the next block, whatever its length. <paramref name="buffer"/> holds at least twice the largest block expected;
    /// a block that does not fit is an error that names its length where the drive tells it, and the drive stands where it stood.
    /// </summary>
    TapeRead ReadBlock(Span<byte> buffer);

    /// <summary>Writes one block of 1 to <see cref="MaxBlockSize"/> bytes. What lay behind it on the tape is gone.</summary>
    TapeWrite WriteBlock(ReadOnlySpan<byte> block);

    /// <summary>
    /// Writes a filemark. Unless <paramref name="immediate"/>, returns when everything before it is on the tape.
    /// Succeeds behind the early warning as well.
    /// </summary>
    void WriteFilemark(bool immediate);

    void Rewind();

    /// <summary>
    /// Passes <paramref name="count"/> filemarks; forward (positive) the drive then stands behind the last one, backward
    /// (negative) before it. End of data on the way is an error that says how many were passed.
    /// </summary>
    void SpaceFilemarks(int count);

    /// <summary>To where the next write appends.</summary>
    void SpaceToEnd();

    /// <summary>To a position that <see cref="Position"/> has told; by locating where the drive can, else by spacing.</summary>
    void Locate(TapePosition position);

    /// <summary>Erases from the beginning of the tape, the quick way where the drive has one.</summary>
    void EraseTape();

    /// <summary>Puts the cartridge out; the drive is usable again when another is in.</summary>
    void Unload();
}
