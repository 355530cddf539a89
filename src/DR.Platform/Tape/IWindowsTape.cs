namespace DR.Platform.Tape;

/// <summary>
/// The tape functions of Windows that are used: the seam under <see cref="WindowsStDevice"/>, so that a simulated Windows can
/// stand in. Every call gives 0 or an error number of winerror.h. Disposing closes.
/// </summary>
internal interface IWindowsTape : IDisposable
{
    /// <summary>\\.\TAPE0.</summary>
    string Path { get; }

    bool IsOpen { get; }

    int Open(bool writable);

    void Close();

    int Read(Span<byte> buffer, out int count);

    int Write(ReadOnlySpan<byte> block, out int count);

    /// <param name="method">TAPE_REWIND, TAPE_LOGICAL_BLOCK and so on.</param>
    int SetPosition(uint method, long offset);

    /// <summary>The logical block, filemarks counted.</summary>
    int GetPosition(out long block);

    int WriteFilemarks(int count, bool immediate);

    int Unload();

    /// <param name="type">TAPE_ERASE_SHORT or TAPE_ERASE_LONG.</param>
    int Erase(uint type);

    int Status();

    int IsProtected(out bool isProtected);

    /// <param name="bytes">0 for blocks of any length.</param>
    int SetBlockSize(int bytes);
}
