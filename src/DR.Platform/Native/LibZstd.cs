using System.Reflection;
using System.Runtime.InteropServices;

namespace DR.Platform.Native;

/// <summary>zstd.h of libzstd 1.4 and later. Sizes above <see cref="ZSTD_isError"/> are error codes.</summary>
internal static unsafe partial class LibZstd
{
    private const string Library = "libzstd";

    // ZSTD_cParameter
    public const int ZSTD_c_compressionLevel = 100;
    public const int ZSTD_c_hashLog = 102;

    /// <summary>ZSTD_ErrorCode of zstd_errors.h: the target is too small.</summary>
    public const int ZSTD_error_dstSize_tooSmall = 70;

    /// <summary>
    /// Debian's runtime package has libzstd.so.1 only, and the name without a number comes with the development
    /// package, so the loader has to be told.
    /// </summary>
    static LibZstd() => NativeLibrary.SetDllImportResolver(typeof(LibZstd).Assembly, Resolve);

    public static string FileName => OperatingSystem.IsWindows() ? "libzstd.dll" : "libzstd.so.1";

    [LibraryImport(Library)]
    public static partial uint ZSTD_versionNumber();

    [LibraryImport(Library)]
    public static partial nuint ZSTD_compressBound(nuint srcSize);

    [LibraryImport(Library)]
    public static partial uint ZSTD_isError(nuint code);

    [LibraryImport(Library)]
    public static partial byte* ZSTD_getErrorName(nuint code);

    [LibraryImport(Library)]
    public static partial nint ZSTD_createCCtx();

    [LibraryImport(Library)]
    public static partial nuint ZSTD_freeCCtx(nint cctx);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_CCtx_setParameter(ZstdCCtx cctx, int param, int value);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_compress2(ZstdCCtx cctx, byte* dst, nuint dstCapacity, byte* src, nuint srcSize);

    [LibraryImport(Library)]
    public static partial nint ZSTD_createDCtx();

    [LibraryImport(Library)]
    public static partial nuint ZSTD_freeDCtx(nint dctx);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_decompressDCtx(ZstdDCtx dctx, byte* dst, nuint dstCapacity, byte* src, nuint srcSize);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library && NativeLibrary.TryLoad(FileName, assembly, path, out nint handle) ? handle : 0;
}

/// <summary>A ZSTD_CCtx.</summary>
internal sealed class ZstdCCtx() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    public static ZstdCCtx Create()
    {
        var context = new ZstdCCtx();
        context.SetHandle(LibZstd.ZSTD_createCCtx());
        return context.IsInvalid ? throw new InsufficientMemoryException("ZSTD_createCCtx") : context;
    }

    protected override bool ReleaseHandle() => LibZstd.ZSTD_freeCCtx(handle) == 0;
}

/// <summary>A ZSTD_DCtx.</summary>
internal sealed class ZstdDCtx() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    public static ZstdDCtx Create()
    {
        var context = new ZstdDCtx();
        context.SetHandle(LibZstd.ZSTD_createDCtx());
        return context.IsInvalid ? throw new InsufficientMemoryException("ZSTD_createDCtx") : context;
    }

    protected override bool ReleaseHandle() => LibZstd.ZSTD_freeDCtx(handle) == 0;
}
