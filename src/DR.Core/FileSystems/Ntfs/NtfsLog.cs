using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>
/// Whether $LogFile has anything to replay. It begins with two restart pages, of which the later one counts; a log that was
/// emptied is filled with 0xFF. As in ntfs-3g's logfile.c.
/// </summary>
internal static class NtfsLog
{
    private const int PageSize = 4096;
    private const ushort NoClient = 0xFFFF;
    private const int VolumeIsClean = 2;

    /// <summary>Null where it is clean.</summary>
    public static string? WhyNotClean(NtfsStream log, string where)
    {
        if (log.Size < 2 * PageSize)
        {
            return $"its journal ($LogFile) has only {log.Size} bytes";
        }

        if (IsEmpty(log))
        {
            return null;
        }

        var pages = new[] { 0L, PageSize }.Select(offset => Restart(log, offset, where)).OfType<RestartArea>().ToList();
        return pages.MaxBy(p => p.Lsn) is not { } restart ? "its journal ($LogFile) has no restart page that can be read"
            : restart.Major == 2 ? "Windows keeps metadata of it in its cache (fast startup, or it was not unmounted: $LogFile version 2.0)"
            : restart.Major != 1 ? $"its journal ($LogFile) is of version {restart.Major}, which is not known here"
            : restart.IsClean ? null
            : "its journal ($LogFile) has not been replayed";
    }

    /// <summary>All of the first pages, and the first bytes at each power of two behind them.</summary>
    private static bool IsEmpty(NtfsStream log)
    {
        var head = log.ReadBytes(0, (int)Math.Min(16 * PageSize, log.Size));
        if (head.AsSpan().ContainsAnyExcept((byte)0xFF))
        {
            return false;
        }

        for (long offset = head.Length; offset <= log.Size - 4; offset *= 2)
        {
            if (log.ReadBytes(offset, 4).AsSpan().ContainsAnyExcept((byte)0xFF))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Null where it cannot be one.</summary>
    private static RestartArea? Restart(NtfsStream log, long offset, string where)
    {
        where = $"{where}, restart page at offset {offset}";
        var page = log.ReadBytes(offset, PageSize);
        try
        {
            // chkdsk puts its own magic in the place of the first one.
            bool chkdsk = page.AsSpan().StartsWith("CHKD"u8);
            NtfsFixups.Apply(page, chkdsk ? "CHKD"u8 : "RSTR"u8, where);
            var reader = new SpanReader(page, where);
            reader.Seek(0x18);
            int area = reader.U16();
            reader.Skip(2);
            int major = reader.U16();
            reader.Seek(area);
            ulong lsn = reader.U64();
            reader.Skip(4);
            int inUse = reader.U16();
            int flags = reader.U16();
            return new RestartArea(major, lsn, inUse == NoClient || (flags & VolumeIsClean) != 0);
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }

    private sealed record RestartArea(int Major, ulong Lsn, bool IsClean);
}
