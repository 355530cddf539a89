using System.Text;
using DR.Platform.Block;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Tape;

/// <summary>A device node of the tape driver st.</summary>
internal sealed class StDevice(string path) : IStDevice
{
    private SafeFileHandle? _file;

    public string Path => path;

    public bool IsOpen => _file is not null;

    /// <summary>Vital product data page 0x80 as the kernel keeps it: 4 bytes of header, then the number.</summary>
    public string? Serial
    {
        get
        {
            string page = $"/sys/class/scsi_tape/{System.IO.Path.GetFileName(path)}/device/vpd_pg80";
            try
            {
                byte[] bytes = File.ReadAllBytes(page);
                string serial = Encoding.ASCII.GetString(bytes.AsSpan(Math.Min(4, bytes.Length))).Trim(' ', '\0');
                return serial.Length > 0 ? serial : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    public string Words(int errno) => Errno.Text(errno);

    private SafeFileHandle Handle => _file ?? throw new InvalidOperationException("not open");

    public int Open(bool writable, bool wait)
    {
        Close();
        _file = LinuxFile.TryOpen(path, (writable ? Libc.O_RDWR : Libc.O_RDONLY) | (wait ? 0 : Libc.O_NONBLOCK), out int errno);
        return errno;
    }

    public void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    public int Operate(short operation, int count) => MagneticTape.Operate(Handle, operation, count);

    public int Get(out long gstat) => MagneticTape.Get(Handle, out gstat);

    public int Tell(out long block) => MagneticTape.Tell(Handle, out block);

    public unsafe int Read(Span<byte> buffer, out int count)
    {
        fixed (byte* address = buffer)
        {
            nint got;
            while ((got = Libc.read(Handle, address, (nuint)buffer.Length)) < 0 && Errno.Last == Errno.EINTR)
            {
            }

            count = (int)Math.Max(got, 0);
            return got < 0 ? Errno.Last : 0;
        }
    }

    public unsafe int Write(ReadOnlySpan<byte> block, out int count)
    {
        fixed (byte* address = block)
        {
            nint got;
            while ((got = Libc.write(Handle, address, (nuint)block.Length)) < 0 && Errno.Last == Errno.EINTR)
            {
            }

            count = (int)Math.Max(got, 0);
            return got < 0 ? Errno.Last : 0;
        }
    }

    public void Dispose() => Close();
}
