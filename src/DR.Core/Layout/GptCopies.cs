using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout;

/// <summary>One copy of a GPT whose checksums and numbers hold.</summary>
/// <param name="Entries">Exactly count × size bytes.</param>
internal sealed record GptCopy(GptHeader Header, byte[] Entries)
{
    public const string PrimaryName = "primary GPT";
    public const string BackupName = "backup GPT";

    /// <exception cref="CorruptDataException">There is no usable copy with its header at this sector.</exception>
    public static GptCopy Read(IBlockDevice disk, long lba, string name)
    {
        long sectors = disk.Length / disk.SectorSize;
        string what = $"{name} at sector {lba}";
        if (lba < 1 || lba >= sectors)
        {
            throw new CorruptDataException(what, $"the disk has {sectors} sectors only");
        }

        try
        {
            var header = Gpt.ReadHeader(disk.ReadBytes(lba * disk.SectorSize, disk.SectorSize), what);
            CheckPlaces(header, lba, sectors, disk.SectorSize, what);
            var entries = disk.ReadBytes(header.EntriesLba * disk.SectorSize, header.EntryCount * header.EntrySize);
            uint crc = Crc32.Compute(entries);
            return crc == header.EntriesCrc
                ? new GptCopy(header, entries)
                : throw new CorruptDataException(what, $"the checksum of its entries is {header.EntriesCrc:x8}, but {crc:x8} would be right");
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            throw new CorruptDataException(what, e.Message, e);
        }
    }

    /// <summary>Whether both describe the same partitions of the same disk.</summary>
    public bool Agrees(GptCopy other) =>
        Header.DiskId == other.Header.DiskId && Header.FirstUsable == other.Header.FirstUsable
        && Header.LastUsable == other.Header.LastUsable && Header.EntrySize == other.Header.EntrySize
        && Entries.AsSpan().SequenceEqual(other.Entries);

    private static void CheckPlaces(GptHeader header, long lba, long sectors, int sectorSize, string what)
    {
        long length = ((long)header.EntryCount * header.EntrySize + sectorSize - 1) / sectorSize;
        bool coversItself = header.EntriesLba <= lba && lba - header.EntriesLba < length;
        if (header.Lba != lba)
        {
            throw new CorruptDataException(what, $"it says that it belongs to sector {header.Lba}");
        }

        if (header.EntriesLba < 2 || header.EntriesLba > sectors - length || coversItself)
        {
            throw new CorruptDataException(what, $"its entries cannot lie at sector {header.EntriesLba}");
        }

        if (header.FirstUsable < 2 || header.FirstUsable >= sectors || header.LastUsable < header.FirstUsable - 1)
        {
            throw new CorruptDataException(what, $"sectors {header.FirstUsable} to {header.LastUsable} cannot be usable");
        }
    }
}

/// <summary>Reads both copies of a GPT and makes one layout of them.</summary>
internal static class GptCopies
{
    /// <param name="slots">Of LBA 0, among them a protective one.</param>
    /// <returns>Null if neither copy can be used; the findings say why.</returns>
    public static DiskLayout? Read(IBlockDevice disk, MbrSlot[] slots, LayoutFindings findings)
    {
        var primary = TryRead(disk, 1, GptCopy.PrimaryName, out string? primaryProblem);
        var backup = primary is not null
            ? TryRead(disk, primary.Header.AlternateLba, GptCopy.BackupName, out string? backupProblem)
            : FindBackup(disk, slots, out backupProblem);
        if ((primary ?? backup) is not { } copy)
        {
            findings.Refuse($"neither copy of the GPT can be used ({primaryProblem}; {backupProblem}); "
                + OtherSectorSize(disk) + "repair it first, with gdisk for example");
            return null;
        }

        Compare(disk, primary, primaryProblem, backup, backupProblem, findings);
        return Layout(disk, copy, findings);
    }

    /// <summary>Warns of copies of a GPT that LBA 0 does not announce, so that nobody uses them.</summary>
    public static void WarnOfRemnants(IBlockDevice disk, LayoutFindings findings)
    {
        foreach (var (lba, name) in new[] { (1L, GptCopy.PrimaryName), (disk.Length / disk.SectorSize - 1, GptCopy.BackupName) })
        {
            if (TryRead(disk, lba, name, out _) is not null)
            {
                findings.Warn($"there is a {name} at sector {lba}, but no protective entry in LBA 0: "
                    + "firmware and operating systems ignore such a table, and so does this program");
            }
        }
    }

    private static GptCopy? TryRead(IBlockDevice disk, long lba, string name, out string? problem)
    {
        try
        {
            problem = null;
            return GptCopy.Read(disk, lba, name);
        }
        catch (CorruptDataException e)
        {
            problem = e.Message;
            return null;
        }
    }

    /// <summary>
    /// The backup of a damaged primary: at the end of the disk, else where the damaged header or the protective slot
    /// say that the disk once ended.
    /// </summary>
    private static GptCopy? FindBackup(IBlockDevice disk, MbrSlot[] slots, out string? problem)
    {
        long last = disk.Length / disk.SectorSize - 1;
        var found = TryRead(disk, last, GptCopy.BackupName, out problem);
        var protective = slots.First(s => s.IsProtective);
        var candidates = new List<long> { protective.First + (long)protective.Count - 1 };
        if (TryBytes(disk, disk.SectorSize, disk.SectorSize) is { } header && Gpt.AlternateOf(header) is { } alternate)
        {
            candidates.Add(alternate);
        }

        return found ?? candidates.Where(lba => lba > 1 && lba < last)
            .Select(lba => TryRead(disk, lba, GptCopy.BackupName, out _)).FirstOrDefault(copy => copy is not null);
    }

    private static byte[]? TryBytes(IBlockDevice disk, long offset, int length)
    {
        try
        {
            return offset + length <= disk.Length ? disk.ReadBytes(offset, length) : null;
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            return null;
        }
    }

    private static void Compare(
        IBlockDevice disk, GptCopy? primary, string? primaryProblem, GptCopy? backup, string? backupProblem, LayoutFindings findings)
    {
        long last = disk.Length / disk.SectorSize - 1;
        if (primary is null)
        {
            findings.Warn($"the primary GPT is damaged, the backup at sector {backup!.Header.Lba} is used ({primaryProblem})");
        }
        else if (backup is null)
        {
            findings.Warn($"the backup GPT is damaged, the primary is used ({backupProblem})");
        }
        else if (!primary.Agrees(backup))
        {
            findings.Warn("the two copies of the GPT are both valid but differ; the primary is used");
        }

        long end = backup?.Header.Lba ?? primary!.Header.AlternateLba;
        if (end != last)
        {
            findings.Warn($"the backup GPT belongs to sector {end}, but the disk ends at sector {last}: "
                + (end < last ? "it has grown since" : "it has shrunk since"));
        }
    }

    private static DiskLayout Layout(IBlockDevice disk, GptCopy copy, LayoutFindings findings)
    {
        var header = copy.Header;
        int sectorSize = disk.SectorSize;
        long sectors = disk.Length / sectorSize;
        var partitions = new List<PartitionEntry>();
        for (int i = 0; i < header.EntryCount; i++)
        {
            var entry = copy.Entries.AsSpan(i * header.EntrySize, header.EntrySize);
            if (Gpt.ReadEntry(entry, i + 1, sectorSize, findings) is { } partition)
            {
                partitions.Add(partition);
            }
        }

        if (header.LastUsable >= sectors)
        {
            findings.Warn($"the GPT says that sectors up to {header.LastUsable} are usable, but the disk ends at sector {sectors - 1}");
        }

        long end = Math.Min(header.LastUsable, sectors - 1) + 1;
        return new DiskLayout(TableKind.Gpt, header.DiskId.ToString("D"), sectorSize, disk.Length, partitions)
        {
            EntryCount = header.EntryCount,
            EntrySize = header.EntrySize,
            EntriesOffset = header.Lba != 1 || header.EntriesLba == 2 ? 0 : header.EntriesLba * sectorSize,
            Usable = Extent.Between(header.FirstUsable * sectorSize, end * sectorSize),
        };
    }

    /// <summary>A remark if the header lies where another sector size would have it; otherwise nothing.</summary>
    private static string OtherSectorSize(IBlockDevice disk)
    {
        int other = disk.SectorSize == 512 ? 4096 : 512;
        return TryBytes(disk, other, 512) is { } header && Gpt.HasMagic(header)
            ? $"there is one for sectors of {other} bytes, but the disk has sectors of {disk.SectorSize}; "
            : "";
    }
}
