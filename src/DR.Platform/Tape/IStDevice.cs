namespace DR.Platform.Tape;

/// <summary>
/// The calls that a tape device node of Linux takes: the seam under <see cref="StTapeDrive"/>, so that a simulated
/// driver can stand in. Every call gives 0 or an error number of <see cref="Native.Errno"/>. Disposing closes.
/// </summary>
internal interface IStDevice : IDisposable
{
    /// <summary>/dev/nst0.</summary>
    string Path { get; }

    bool IsOpen { get; }

    /// <summary>Serial number of the drive; null where it does not tell.</summary>
    string? Serial { get; }

    /// <summary>In words, what the error number of the last failed call means.</summary>
    string Words(int errno);

    /// <param name="wait">Waits until the drive is ready, two minutes at most; else opens it as it is.</param>
    int Open(bool writable, bool wait);

    void Close();

    /// <summary>MTIOCTOP.</summary>
    int Operate(short operation, int count);

    /// <summary>MTIOCGET: the generic status. What the driver counts besides is not used: it loses count.</summary>
    int Get(out long gstat);

    /// <summary>MTIOCPOS: the logical block, filemarks counted.</summary>
    int Tell(out long block);

    /// <param name="count">Bytes of the block; 0 for a filemark or the end of data.</param>
    int Read(Span<byte> buffer, out int count);

    int Write(ReadOnlySpan<byte> block, out int count);
}
