using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DR.Platform.Native;
using Microsoft.Win32.SafeHandles;

namespace DR.Platform.Tape;

/// <summary>A tape device of Windows.</summary>
internal sealed unsafe class WindowsTape(string path) : IWindowsTape
{
    private SafeFileHandle? _file;

    public string Path => path;

    public bool IsOpen => _file is not null;

    private SafeFileHandle Handle => _file ?? throw new InvalidOperationException("not open");

    public int Open(bool writable)
    {
        Close();
        var file = TapeApi.CreateFileW(path, TapeApi.GENERIC_READ | (writable ? TapeApi.GENERIC_WRITE : 0), 0, 0, TapeApi.OPEN_EXISTING, 0, 0);
        int error = Marshal.GetLastPInvokeError();
        if (file.IsInvalid)
        {
            file.Dispose();
            return error;
        }

        _file = file;
        return 0;
    }

    public void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    public int Read(Span<byte> buffer, out int count)
    {
        fixed (byte* address = buffer)
        {
            bool done = TapeApi.ReadFile(Handle, address, (uint)buffer.Length, out uint read, 0);
            int error = done ? 0 : Marshal.GetLastPInvokeError();
            count = (int)read;
            return error;
        }
    }

    public int Write(ReadOnlySpan<byte> block, out int count)
    {
        fixed (byte* address = block)
        {
            bool done = TapeApi.WriteFile(Handle, address, (uint)block.Length, out uint written, 0);
            int error = done ? 0 : Marshal.GetLastPInvokeError();
            count = (int)written;
            return error;
        }
    }

    public int SetPosition(uint method, long offset) => TapeApi.SetTapePosition(Handle, method, 0, (uint)offset, (uint)(offset >> 32), 0);

    public int GetPosition(out long block)
    {
        int error = TapeApi.GetTapePosition(Handle, TapeApi.TAPE_LOGICAL_POSITION, out _, out uint low, out uint high);
        block = (long)high << 32 | low;
        return error;
    }

    public int WriteFilemarks(int count, bool immediate) => TapeApi.WriteTapemark(Handle, TapeApi.TAPE_FILEMARKS, (uint)count, immediate ? 1 : 0);

    public int Unload() => TapeApi.PrepareTape(Handle, TapeApi.TAPE_UNLOAD, 0);

    public int Erase(uint type) => TapeApi.EraseTape(Handle, type, 0);

    public int Status() => TapeApi.GetTapeStatus(Handle);

    public int IsProtected(out bool isProtected)
    {
        byte* parameters = stackalloc byte[TapeApi.MediaParametersLength];
        new Span<byte>(parameters, TapeApi.MediaParametersLength).Clear();
        uint length = TapeApi.MediaParametersLength;
        int error = TapeApi.GetTapeParameters(Handle, TapeApi.TAPE_MEDIA_INFORMATION, ref length, parameters);
        isProtected = parameters[TapeApi.WriteProtectedAt] != 0;
        return error;
    }

    public int SetBlockSize(int bytes)
    {
        byte* parameters = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(parameters, 4), bytes);
        return TapeApi.SetTapeParameters(Handle, TapeApi.TAPE_MEDIA_INFORMATION, parameters);
    }

    public void Dispose() => Close();
}
