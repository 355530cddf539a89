using System.Diagnostics;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform;

/// <summary>
/// A terminal of Linux, by its device, opened without waiting and without becoming the controlling one. One that is not
/// there, or vanishes, is looked for again every second.
/// </summary>
public sealed class LinuxTerminal(string path) : ITerminal
{
    /// <summary>The terminal that the program was started from.</summary>
    public const string Current = "/dev/tty";

    private static readonly string[] SerialLines = ["/dev/ttyS", "/dev/ttyUSB", "/dev/ttyAMA", "/dev/hvc"];
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private SafeFileHandle? _file;
    private byte[] _modeBefore = [];
    private int _opened;
    private long _triedAt;
    private bool _ended;

    public string Name => path;

    public bool ShowsUnicode => !SerialLines.Any(p => path.StartsWith(p, StringComparison.Ordinal));

    public int Opened => _file is null ? 0 : _opened;

    public (int Columns, int Rows)? Size
    {
        get
        {
            lock (_lock)
            {
                return _file is null ? null : Termios.WindowOf(_file);
            }
        }
    }

    public int Read(Span<byte> buffer, TimeSpan patience)
    {
        if (Open() is not { } file)
        {
            Thread.Sleep(patience);
            return 0;
        }

        try
        {
            return Libc.WaitForInput(file, (int)patience.TotalMilliseconds) > 0 ? Take(file, buffer) : 0;
        }
        catch (ObjectDisposedException)
        {
            // The writer has found out that it is gone.
            return 0;
        }
    }

    public unsafe int Write(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_file is null)
            {
                return 0;
            }

            fixed (byte* from = bytes)
            {
                nint sent = Libc.write(_file, from, (nuint)bytes.Length);
                if (sent < 0 && Errno.Last is not (Errno.EINTR or Errno.EAGAIN))
                {
                    Lose();
                }

                return Math.Max(0, (int)sent);
            }
        }
    }

    /// <remarks>
    /// A session of its own makes the terminal the controlling one, without which a shell has no job control. When that
    /// session ends the kernel hangs the terminal up, so that it has to be closed here before and opened again afterwards.
    /// </remarks>
    public void Lend(string program, IReadOnlyList<string> arguments)
    {
        Close();
        string[] session = path == Current ? [] : ["setsid", "--ctty", "--wait"];
        try
        {
            using var process = Process.Start(new ProcessStartInfo("/bin/sh",
                ["-c", "terminal=$0; stty sane <\"$terminal\"; exec \"$@\" <\"$terminal\" >\"$terminal\" 2>&1", path, .. session, program, .. arguments])
            { UseShellExecute = false })
                ?? throw new InvalidOperationException(program);
            process.WaitForExit();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new DrException(Failure.Missing, $"{program} cannot be started on {path}: {e.Message}", e);
        }
        finally
        {
            _triedAt = 0;
            Open();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
            Close();
        }
    }

    private unsafe int Take(SafeFileHandle file, Span<byte> buffer)
    {
        fixed (byte* to = buffer)
        {
            nint got = Libc.read(file, to, (nuint)buffer.Length);
            if (got == 0 || got < 0 && Errno.Last is not (Errno.EINTR or Errno.EAGAIN))
            {
                Lose();
            }

            return Math.Max(0, (int)got);
        }
    }

    private SafeFileHandle? Open()
    {
        lock (_lock)
        {
            long now = Environment.TickCount64;
            if (_file is not null || _ended || _triedAt > 0 && now - _triedAt < BetweenTries.TotalMilliseconds)
            {
                return _file;
            }

            _triedAt = now;
            var file = Libc.open(path, Libc.O_RDWR | Libc.O_NOCTTY | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0);
            if (file.IsInvalid || Termios.MakeRaw(file) is not { } before)
            {
                file.Dispose();
                return null;
            }

            (_file, _modeBefore) = (file, before);
            _opened++;
            return file;
        }
    }

    private void Close()
    {
        lock (_lock)
        {
            if (_file is not null)
            {
                Termios.Restore(_file, _modeBefore);
                Lose();
            }
        }
    }

    private void Lose()
    {
        lock (_lock)
        {
            _file?.Dispose();
            _file = null;
        }
    }
}
