using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>Whole reads and writes at an offset. The kernel may do less than asked, or be interrupted; this goes on.</summary>
internal static unsafe class PositionalIo
{
    /// <summary>Returned instead of an error number where the file ended before the request did.</summary>
    public const int EndOfFile = -1;

    /// <param name="unit">
    /// Direct I/O goes on only at a multiple of this, so a transfer that stops in between is continued from the last one.
    /// </param>
    /// <param name="done">Bytes transferred: where the request failed, if it did.</param>
    /// <returns>0, an error number, or <see cref="EndOfFile"/>.</returns>
    public static int Read(SafeFileHandle file, byte* buffer, long length, long offset, int unit, out long done)
    {
        done = 0;
        while (done < length)
        {
            nint count = Libc.pread(file, buffer + done, (nuint)(length - done), offset + done);
            if (count < 0 && Errno.Last != Errno.EINTR)
            {
                return Errno.Last;
            }

            if (count >= 0 && !Advance(count, length, unit, ref done))
            {
                return EndOfFile;
            }
        }

        return 0;
    }

    /// <inheritdoc cref="Read"/>
    public static int Write(SafeFileHandle file, byte* buffer, long length, long offset, int unit, out long done)
    {
        done = 0;
        while (done < length)
        {
            nint count = Libc.pwrite(file, buffer + done, (nuint)(length - done), offset + done);
            if (count < 0 && Errno.Last != Errno.EINTR)
            {
                return Errno.Last;
            }

            if (count >= 0 && !Advance(count, length, unit, ref done))
            {
                return EndOfFile;
            }
        }

        return 0;
    }

    private static bool Advance(nint count, long length, int unit, ref long done)
    {
        long step = done + count == length ? count : count - count % unit;
        done += step;
        return step > 0;
    }
}
