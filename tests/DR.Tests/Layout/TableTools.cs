using System.ComponentModel;
using System.Diagnostics;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Tests.Layout;

/// <summary>
/// A sparse file as a disk, on which the real partitioning tools work. With sectors of 4096 bytes they work on a loop
/// device over it. A missing tool skips the test by name, and fails it in CI.
/// </summary>
internal sealed class TableFile : IDisposable
{
    private readonly string _path = $"/var/tmp/dr-table-{Guid.NewGuid():N}.raw";
    private readonly string? _loop;

    public TableFile(long length, int sectorSize = 512)
    {
        Assert.SkipWhen(sectorSize != 512 && !Environment.IsPrivilegedProcess && !IsCi, "losetup needs root");
        SectorSize = sectorSize;
        using (var file = File.Create(_path))
        {
            file.SetLength(length);
        }

        if (sectorSize != 512)
        {
            try
            {
                _loop = Execute("losetup", null, ["--find", "--show", "-b", sectorSize.ToString(), _path]).Trim();
            }
            catch
            {
                File.Delete(_path);
                throw;
            }
        }
    }

    private static bool IsCi => Environment.GetEnvironmentVariable("CI") is not null;

    public int SectorSize { get; }

    public long Length => new FileInfo(_path).Length;

    /// <summary>What the tools call it.</summary>
    public string Node => _loop ?? _path;

    /// <summary>Runs a tool whose last argument is the disk.</summary>
    public string Run(string tool, string? input, params string[] arguments) => Execute(tool, input, [.. arguments, Node]);

    public string Sfdisk(string script) => Run("sfdisk", script, "--quiet", "--no-reread", "--no-tell-kernel");

    public string Sgdisk(params string[] arguments) => Run("sgdisk", null, arguments);

    public string Parted(string commands) => Execute("parted", null, ["--script", Node, .. commands.Split(' ')]);

    public void Delete(int number) => Execute("sfdisk", null, ["--quiet", "--no-reread", "--no-tell-kernel", "--delete", Node, number.ToString()]);

    public void Resize(long length)
    {
        using var file = File.OpenWrite(_path);
        file.SetLength(length);
    }

    public DiskLayout Layout()
    {
        using var disk = Open();
        return LayoutReader.Read(disk);
    }

    public IBlockDevice Open() => new FileDisk(Node, Length, SectorSize);

    public byte[] Bytes(long offset, int length)
    {
        using var disk = Open();
        return disk.ReadBytes(offset, length);
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        using var disk = Open();
        disk.Write(bytes, offset);
    }

    public void Write(IEnumerable<TableWrite> writes)
    {
        foreach (var write in writes)
        {
            Write(write.Offset, write.Bytes);
        }
    }

    public void Dispose()
    {
        if (_loop is not null)
        {
            Execute("losetup", null, ["--detach", _loop]);
        }

        File.Delete(_path);
    }

    private static string Execute(string tool, string? input, IEnumerable<string> arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(tool, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["LC_ALL"] = "C", ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin" },
            })!;
            var errors = process.StandardError.ReadToEndAsync();
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"{tool} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output}\n{errors.Result}");
            return output;
        }
        catch (Win32Exception)
        {
            Assert.SkipWhen(!IsCi, $"{tool} is not installed");
            throw;
        }
    }

    private sealed class FileDisk(string path, long length, int sectorSize) : IBlockDevice
    {
        private readonly FileStream _file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);

        public string Name => path;

        public long Length => length;

        public int SectorSize => sectorSize;

        public int PhysicalSectorSize => sectorSize;

        public int Alignment => 1;

        public bool IsReadOnly => false;

        public void Read(Span<byte> buffer, long offset)
        {
            this.CheckRange(offset, buffer.Length);
            _file.Position = offset;
            _file.ReadExactly(buffer);
        }

        public void Write(ReadOnlySpan<byte> buffer, long offset)
        {
            this.CheckRange(offset, buffer.Length);
            _file.Position = offset;
            _file.Write(buffer);
            _file.Flush(flushToDisk: true);
        }

        public void Zero(Extent extent) => this.WriteZeros(extent);

        public void Discard(Extent extent)
        {
        }

        public IEnumerable<BlockStatus> Status(Extent extent) => [new BlockStatus(extent, BlockState.Unknown)];

        public void Flush()
        {
        }

        public void Dispose() => _file.Dispose();
    }
}
