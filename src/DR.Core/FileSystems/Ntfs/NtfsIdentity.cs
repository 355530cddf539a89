using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>What the file $Volume says: label, version, state.</summary>
internal sealed record NtfsIdentity(string? Label, int Major, int Minor, int Flags)
{
    private const int Dirty = 0x0001;
    private const int ChkdskUnderway = 0x4000;

    /// <summary>
    /// Dirty, resize log, upgrade on mount, mounted by NT 4, deleting the change journal, repair object ids, chkdsk under way,
    /// modified by chkdsk.
    /// </summary>
    private const int Known = 0xC03F;

    /// <exception cref="CorruptDataException">It does not say its version.</exception>
    public static NtfsIdentity Read(NtfsFile volume, string where)
    {
        var bytes = volume.Value(NtfsType.VolumeInformation, "") ?? throw new CorruptDataException(where, "it does not say its version");
        var reader = new SpanReader(bytes.Span, where);
        reader.Skip(8);
        string? label = volume.Value(NtfsType.VolumeName, "") is { } name ? VolumeIds.Label16(name.Span) : null;
        return new NtfsIdentity(label, reader.U8(), reader.U8(), reader.U16());
    }

    /// <summary>Null where its map can be trusted.</summary>
    public string? WhyNotTrusted() =>
        (Major, Minor) is not ((1, 1 or 2) or (3, 0 or 1)) ? $"NTFS version {Major}.{Minor} is not known here"
        : (Flags & ~Known) != 0 ? $"it has flags that are not known here: 0x{Flags & ~Known:X4}"
        : null;

    /// <summary>Null where it was unmounted cleanly.</summary>
    public string? WhyNotClean() =>
        (Flags & Dirty) != 0 ? "it is marked dirty: Windows is to check it (chkdsk)"
        : (Flags & ChkdskUnderway) != 0 ? "a check of it (chkdsk) has not ended"
        : null;
}
