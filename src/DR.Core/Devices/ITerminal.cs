namespace DR.Core.Devices;

/// <summary>
/// A screen with a keyboard, in raw mode: bytes in, bytes out. It may vanish and come back, or take nothing for hours; none
/// of that is an error. One thread reads and lends, another writes.
/// </summary>
public interface ITerminal : IDisposable
{
    /// <summary>"/dev/tty1".</summary>
    string Name { get; }

    /// <summary>Whether it surely shows UTF-8; otherwise it gets ASCII only.</summary>
    bool ShowsUnicode { get; }

    /// <summary>Null where the terminal does not say, as most serial lines.</summary>
    (int Columns, int Rows)? Size { get; }

    /// <summary>How often it has been opened: when this changes, nothing that was written before is on it. 0 while it is not there.</summary>
    int Opened { get; }

    /// <summary>Takes what has been typed; 0 after <paramref name="patience"/> without anything.</summary>
    int Read(Span<byte> buffer, TimeSpan patience);

    /// <summary>Writes what can be written at once, and says how many bytes that was; never waits.</summary>
    int Write(ReadOnlySpan<byte> bytes);

    /// <summary>Gives it, in its ordinary mode, to a program until that ends, and opens it again.</summary>
    /// <exception cref="Primitives.DrException">The program cannot be started.</exception>
    void Lend(string program, IReadOnlyList<string> arguments);
}
