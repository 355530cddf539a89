using System.Runtime.InteropServices;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Platform.Native;

namespace DR.Platform;

/// <summary>
/// Zstandard by the system's own libzstd. Frames carry their content size and no checksum: the image format has
/// digests of its own.
/// </summary>
public sealed class ZstdCodec : IFrameCompressor
{
    /// <exception cref="DrException">libzstd is not there (<see cref="Failure.Missing"/>).</exception>
    public ZstdCodec()
    {
        try
        {
            Version = LibZstd.ZSTD_versionNumber();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new DrException(Failure.Missing, OperatingSystem.IsWindows()
                ? $"{LibZstd.FileName} cannot be loaded: put it beside dr.exe"
                : $"{LibZstd.FileName} cannot be loaded: install the package libzstd1", e);
        }
    }

    /// <summary>As the library counts: 10504 is 1.5.4.</summary>
    public uint Version { get; }

    public int Bound(int length) => (int)LibZstd.ZSTD_compressBound((nuint)length);

    public ICompressionContext CreateContext() => new Context();

    /// <summary>Half of it is made when first needed: a capture only compresses, a restore only decompresses.</summary>
    private sealed unsafe class Context : ICompressionContext
    {
        private ZstdCCtx? _compress;
        private ZstdDCtx? _decompress;

        public int Compress(ReadOnlySpan<byte> source, Span<byte> target, int level)
        {
            int room = Math.Min(target.Length, source.Length - 1);
            if (room <= 0)
            {
                return 0;
            }

            _compress ??= ZstdCCtx.Create();
            fixed (byte* from = source, to = target)
            {
                nuint size = LibZstd.ZSTD_compressCCtx(_compress, to, (nuint)room, from, (nuint)source.Length, level);
                if (LibZstd.ZSTD_isError(size) == 0)
                {
                    return (int)size;
                }

                return size == unchecked((nuint)(-LibZstd.ZSTD_error_dstSize_tooSmall))
                    ? 0
                    : throw new InvalidOperationException($"zstd cannot compress {source.Length} bytes at level {level}: {NameOf(size)}");
            }
        }

        public void Decompress(ReadOnlySpan<byte> source, Span<byte> target)
        {
            _decompress ??= ZstdDCtx.Create();
            fixed (byte* from = source, to = target)
            {
                nuint size = LibZstd.ZSTD_decompressDCtx(_decompress, to, (nuint)target.Length, from, (nuint)source.Length);
                if (LibZstd.ZSTD_isError(size) != 0)
                {
                    throw new CorruptDataException($"zstd frame of {source.Length} bytes", $"it cannot be decompressed: {NameOf(size)}");
                }

                if (size != (nuint)target.Length)
                {
                    throw new CorruptDataException($"zstd frame of {source.Length} bytes", $"it holds {size} bytes, not {target.Length}");
                }
            }
        }

        public void Dispose()
        {
            _compress?.Dispose();
            _decompress?.Dispose();
        }

        private static string NameOf(nuint code) => Marshal.PtrToStringUTF8((nint)LibZstd.ZSTD_getErrorName(code)) ?? "no reason given";
    }
}
