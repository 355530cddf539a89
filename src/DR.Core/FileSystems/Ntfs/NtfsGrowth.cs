using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>Looks at an NTFS that a tool has grown, with eyes of its own.</summary>
public static class NtfsGrowth
{
    /// <summary>
    /// That it fills the volume but for less than a cluster, has a copy of its boot sector in the last sector, an MFT mirror that
    /// equals the MFT, and a bitmap that reaches to its end and covers its own files.
    /// </summary>
    /// <exception cref="CorruptDataException">It does not.</exception>
    public static void Require(IBlockDevice volume)
    {
        var bytes = volume.ReadBytes(0, NtfsBootSector.Size);
        string where = $"{volume.Name}, NTFS boot sector at 0";
        if (!NtfsBootSector.IsPlausible(bytes))
        {
            throw new CorruptDataException(where, "it is none");
        }

        var boot = new NtfsBootSector(bytes, volume);
        long left = volume.Length - boot.Sectors * boot.BytesPerSector;
        if (left > boot.ClusterSize + boot.BytesPerSector)
        {
            throw new CorruptDataException(where, $"{boot.Sectors} sectors leave {left} bytes of the volume unused");
        }

        long last = volume.Length / boot.BytesPerSector * boot.BytesPerSector - boot.BytesPerSector;
        if (!volume.ReadBytes(last, NtfsBootSector.Size).AsSpan().SequenceEqual(bytes))
        {
            throw new CorruptDataException($"{volume.Name}, copy of the NTFS boot sector at offset {last}", "it differs from the boot sector");
        }

        var own = new NtfsOwnFiles(volume, boot, new NtfsMft(volume, boot));
        own.CheckMirror();
        own.Check(own.OpenBitmap());
    }
}
