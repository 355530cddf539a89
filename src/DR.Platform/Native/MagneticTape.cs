using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Native;

/// <summary>Requests to the tape driver st of Linux, named and numbered as in linux/mtio.h, 64-bit machines.</summary>
internal static unsafe class MagneticTape
{
    public const short MTFSF = 1;
    public const short MTFSR = 3;
    public const short MTWEOF = 5;
    public const short MTREW = 6;
    public const short MTOFFL = 7;
    public const short MTERASE = 13;
    public const short MTSETBLK = 20;
    public const short MTSEEK = 22;
    public const short MTSETDRVBUFFER = 24;

    /// <summary>A filemark that is not waited for.</summary>
    public const short MTWEOFI = 35;

    public const int MT_ST_SETBOOLEANS = 0x30000000;
    public const int MT_ST_CLEARBOOLEANS = 0x40000000;
    public const int MT_ST_TWO_FM = 0x10;
    public const int MT_ST_FAST_MTEOM = 0x20;
    public const int MT_ST_SCSI2LOGICAL = 0x800;
    public const int MT_ST_SYSV = 0x1000;
    public const int MT_ST_NOWAIT = 0x2000;
    public const int MT_ST_NOWAIT_EOF = 0x8000;

    public const long GMT_EOF = 0x80000000;
    public const long GMT_EOT = 0x20000000;
    public const long GMT_EOD = 0x08000000;
    public const long GMT_WR_PROT = 0x04000000;
    public const long GMT_ONLINE = 0x01000000;
    public const long GMT_CLN = 0x00008000;

    private const uint MTIOCTOP = 0x40086D01;
    private const uint MTIOCGET = 0x80306D02;
    private const uint MTIOCPOS = 0x80086D03;

    /// <summary>struct mtop: mt_op i16 @0, mt_count i32 @4.</summary>
    /// <returns>0 or an error number.</returns>
    public static int Operate(SafeFileHandle tape, short operation, int count)
    {
        byte* mtop = stackalloc byte[8];
        var bytes = new Span<byte>(mtop, 8);
        bytes.Clear();
        BinaryPrimitives.WriteInt16LittleEndian(bytes, operation);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], count);
        return Call(tape, MTIOCTOP, mtop);
    }

    /// <summary>struct mtget, 48 bytes: mt_gstat i64 @24.</summary>
    /// <returns>0 or an error number.</returns>
    public static int Get(SafeFileHandle tape, out long gstat)
    {
        byte* mtget = stackalloc byte[48];
        var bytes = new Span<byte>(mtget, 48);
        bytes.Clear();
        int errno = Call(tape, MTIOCGET, mtget);
        gstat = BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]);
        return errno;
    }

    /// <summary>struct mtpos: mt_blkno i64.</summary>
    /// <returns>0 or an error number.</returns>
    public static int Tell(SafeFileHandle tape, out long block)
    {
        long told = 0;
        int errno = Call(tape, MTIOCPOS, &told);
        block = told;
        return errno;
    }

    private static int Call(SafeFileHandle tape, uint request, void* argument)
    {
        while (LinuxIoctl.Call(tape, request, argument) < 0)
        {
            if (Errno.Last != Errno.EINTR)
            {
                return Errno.Last;
            }
        }

        return 0;
    }
}
