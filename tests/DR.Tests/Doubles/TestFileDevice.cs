using DR.Core.Devices;
using DR.Core.Primitives;
using Microsoft.Win32.SafeHandles;

namespace DR.Tests.Doubles;

/// <summary>A plain file as a disk. Writes outside of its length are refused; zeroes are written out.</summary>
internal sealed class TestFileDevice : IBlockDevice
{
    private readonly SafeFileHandle _file;

    public TestFileDevice(string path, int sectorSize = 512, bool writable = false)
    {
        Name = path;
        SectorSize = sectorSize;
        IsReadOnly = !writable;
        _file = Open(path, writable ? FileAccess.ReadWrite : FileAccess.Read);
        Length = RandomAccess.GetLength(_file);
    }

    public string Name { get; }

    public long Length { get; }

    public int SectorSize { get; }

    public int PhysicalSectorSize => SectorSize;

    public int Alignment => 1;

    public bool IsReadOnly { get; }

    public void Read(Span<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        while (buffer.Length > 0)
        {
            int count = RandomAccess.Read(_file, buffer, offset);
            if (count == 0)
            {
                throw new DeviceFaultException(FaultKind.Medium, Name, offset, buffer.Length, "read", "the file ends here");
            }

            buffer = buffer[count..];
            offset += count;
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        RandomAccess.Write(_file, buffer, offset);
    }

    public void Zero(Extent extent) => this.WriteZeros(extent);

    public void Discard(Extent extent)
    {
    }

    public IEnumerable<BlockStatus> Status(Extent extent) => [new BlockStatus(extent, BlockState.Unknown)];

    public void Flush() => RandomAccess.FlushToDisk(_file);

    public void Dispose() => _file.Dispose();

    /// <summary>
    /// A tool that another test is just starting has, until it becomes that tool, a copy of every descriptor, and so of the lock of a
    /// disk that was closed.
    /// </summary>
    private static SafeFileHandle Open(string path, FileAccess access)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite);
            }
            catch (IOException e) when (e is not FileNotFoundException && attempt < 100)
            {
                Thread.Sleep(20);
            }
        }
    }
}
