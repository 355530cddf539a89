using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>
/// The tape functions of Windows (winbase.h, winnt.h), named as there. They return 0 or an error number of winerror.h, but for
/// CreateFileW, ReadFile and WriteFile, whose error is in <see cref="Marshal.GetLastPInvokeError"/>.
/// </summary>
internal static unsafe partial class TapeApi
{
    public const uint GENERIC_READ = 0x80000000;
    public const uint GENERIC_WRITE = 0x40000000;
    public const uint OPEN_EXISTING = 3;

    public const uint TAPE_REWIND = 0;
    public const uint TAPE_LOGICAL_BLOCK = 2;
    public const uint TAPE_SPACE_RELATIVE_BLOCKS = 5;
    public const uint TAPE_SPACE_FILEMARKS = 6;

    public const uint TAPE_LOGICAL_POSITION = 1;
    public const uint TAPE_FILEMARKS = 1;
    public const uint TAPE_UNLOAD = 1;
    public const uint TAPE_ERASE_SHORT = 0;
    public const uint TAPE_ERASE_LONG = 1;
    public const uint TAPE_MEDIA_INFORMATION = 0;

    public const int ERROR_INVALID_FUNCTION = 1;
    public const int ERROR_FILE_NOT_FOUND = 2;
    public const int ERROR_PATH_NOT_FOUND = 3;
    public const int ERROR_ACCESS_DENIED = 5;
    public const int ERROR_WRITE_PROTECT = 19;
    public const int ERROR_NOT_READY = 21;
    public const int ERROR_SHARING_VIOLATION = 32;
    public const int ERROR_NOT_SUPPORTED = 50;
    public const int ERROR_INVALID_PARAMETER = 87;
    public const int ERROR_MORE_DATA = 234;
    public const int ERROR_END_OF_MEDIA = 1100;
    public const int ERROR_FILEMARK_DETECTED = 1101;
    public const int ERROR_NO_DATA_DETECTED = 1104;
    public const int ERROR_INVALID_BLOCK_LENGTH = 1106;
    public const int ERROR_MEDIA_CHANGED = 1110;
    public const int ERROR_BUS_RESET = 1111;
    public const int ERROR_NO_MEDIA_IN_DRIVE = 1112;
    public const int ERROR_DEVICE_REQUIRES_CLEANING = 1165;
    public const int ERROR_DEVICE_NOT_CONNECTED = 1167;

    /// <summary>TAPE_GET_MEDIA_PARAMETERS: Capacity i64 @0, Remaining i64 @8, BlockSize u32 @16, PartitionCount u32 @20, WriteProtected u8 @24.</summary>
    public const int MediaParametersLength = 32;
    public const int WriteProtectedAt = 24;

    [LibraryImport("kernel32", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    public static partial SafeFileHandle CreateFileW(string name, uint access, uint share, nint security, uint disposition, uint flags, nint template);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool ReadFile(SafeFileHandle file, byte* buffer, uint length, out uint read, nint overlapped);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool WriteFile(SafeFileHandle file, byte* buffer, uint length, out uint written, nint overlapped);

    [LibraryImport("kernel32")]
    public static partial int SetTapePosition(SafeFileHandle tape, uint method, uint partition, uint low, uint high, int immediate);

    [LibraryImport("kernel32")]
    public static partial int GetTapePosition(SafeFileHandle tape, uint type, out uint partition, out uint low, out uint high);

    [LibraryImport("kernel32")]
    public static partial int WriteTapemark(SafeFileHandle tape, uint type, uint count, int immediate);

    [LibraryImport("kernel32")]
    public static partial int PrepareTape(SafeFileHandle tape, uint operation, int immediate);

    [LibraryImport("kernel32")]
    public static partial int EraseTape(SafeFileHandle tape, uint type, int immediate);

    [LibraryImport("kernel32")]
    public static partial int GetTapeStatus(SafeFileHandle tape);

    [LibraryImport("kernel32")]
    public static partial int GetTapeParameters(SafeFileHandle tape, uint operation, ref uint length, byte* information);

    [LibraryImport("kernel32")]
    public static partial int SetTapeParameters(SafeFileHandle tape, uint operation, byte* information);
}
