using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>
/// The mode of a terminal, as in termios.h of glibc (60 bytes): c_iflag u32 @0, c_oflag u32 @4, c_cflag u32 @8, c_lflag u32 @12,
/// c_line u8 @16, c_cc[32] @17, c_ispeed u32 @52, c_ospeed u32 @56.
/// </summary>
internal static unsafe partial class Termios
{
    private const int Size = 60;
    private const int ControlFlags = 8;
    private const uint CLOCAL = 0x800;
    private const int TCSANOW = 0;
    private const uint TIOCGWINSZ = 0x5413;

    /// <summary>Raw: each byte as it is typed, nothing echoed, no signals; the line does not wait for a modem.</summary>
    /// <returns>The mode before; null where this is no terminal, or it is gone.</returns>
    public static byte[]? MakeRaw(SafeFileHandle terminal)
    {
        var before = new byte[Size];
        fixed (byte* mode = before)
        {
            if (tcgetattr(terminal, mode) < 0)
            {
                return null;
            }
        }

        var raw = (byte[])before.Clone();
        fixed (byte* mode = raw)
        {
            cfmakeraw(mode);
            *(uint*)(mode + ControlFlags) |= CLOCAL;
            return tcsetattr(terminal, TCSANOW, mode) < 0 ? null : before;
        }
    }

    /// <summary>Puts a mode back; nothing where the terminal is gone.</summary>
    public static void Restore(SafeFileHandle terminal, byte[] before)
    {
        fixed (byte* mode = before)
        {
            _ = tcsetattr(terminal, TCSANOW, mode);
        }
    }

    /// <summary>struct winsize: ws_row u16, ws_col u16, two more. Null where the terminal does not say.</summary>
    public static (int Columns, int Rows)? WindowOf(SafeFileHandle terminal)
    {
        ushort* window = stackalloc ushort[4];
        return LinuxIoctl.Call(terminal, TIOCGWINSZ, window) < 0 || window[0] == 0 || window[1] == 0 ? null : (window[1], window[0]);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(SafeFileHandle fd, byte* mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(SafeFileHandle fd, int actions, byte* mode);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* mode);
}
