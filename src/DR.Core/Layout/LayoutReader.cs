using DR.Core.Devices;

namespace DR.Core.Layout;

/// <summary>Finds out how a disk is divided.</summary>
public static class LayoutReader
{
    /// <param name="disk">Stays the caller's; a few KiB at its start and end and the extended boot records are read.</param>
    /// <returns>
    /// What firmware and operating systems see. Damage is never an exception but in <see cref="DiskLayout.Warnings"/> and
    /// <see cref="DiskLayout.Errors"/>; a disk that fails to deliver LBA 0 is a <see cref="DeviceFaultException"/>.
    /// </returns>
    public static DiskLayout Read(IBlockDevice disk)
    {
        var findings = new LayoutFindings();
        var layout = disk.Length < disk.SectorSize ? None(disk) : Read(disk, findings);
        if (findings.Errors.Count == 0)
        {
            foreach (string violation in LayoutRules.Violations(layout))
            {
                findings.Refuse(violation);
            }
        }

        return layout with { Warnings = findings.Warnings, Errors = findings.Errors };
    }

    private static DiskLayout Read(IBlockDevice disk, LayoutFindings findings)
    {
        var boot = disk.ReadBytes(0, disk.SectorSize);
        var kind = Mbr.Classify(boot, disk.Length / disk.SectorSize);
        var slots = Mbr.Slots(boot);

        // Linux and firmware do not look at the rest of LBA 0 where a slot protects from sector 1 on.
        bool protective = kind != BootSectorKind.Unsigned && slots.Any(s => s.IsProtective && (s.First == 1 || kind == BootSectorKind.Table));
        if (protective && GptCopies.Read(disk, slots, findings) is { } gpt)
        {
            WarnOfUsable(gpt, findings);
            return WithHybrid(gpt, slots, findings);
        }

        if (!protective)
        {
            GptCopies.WarnOfRemnants(disk, findings);
        }

        if (kind == BootSectorKind.Table)
        {
            return ExtendedChain.Read(disk, Mbr.Read(boot, disk.SectorSize, disk.Length, findings), findings);
        }

        WarnOfBootSector(kind, findings);
        return None(disk);
    }

    private static DiskLayout None(IBlockDevice disk) => new(TableKind.None, null, disk.SectorSize, disk.Length, []);

    private static void WarnOfBootSector(BootSectorKind kind, LayoutFindings findings)
    {
        if (kind == BootSectorKind.Empty)
        {
            findings.Warn("LBA 0 is an MBR without partitions; the disk counts as having no table");
        }
        else if (kind == BootSectorKind.Code)
        {
            findings.Warn("LBA 0 is a boot sector, but holds no partition table; the disk counts as having none");
        }
    }

    private static void WarnOfUsable(DiskLayout gpt, LayoutFindings findings)
    {
        foreach (var partition in gpt.Partitions.Where(p => !gpt.Usable.Contains(p.Extent)))
        {
            findings.Warn($"{partition.Title()} {partition.Extent} is not within what the GPT calls usable, {gpt.Usable}");
        }
    }

    /// <summary>Adds what LBA 0 of a GPT disk says: the protective slot, and those which show GPT partitions to old systems.</summary>
    private static DiskLayout WithHybrid(DiskLayout gpt, MbrSlot[] slots, LayoutFindings findings)
    {
        var entries = slots.Select((slot, i) => Hybrid(gpt, slot, i)).Where(e => e.Type != 0 && !e.Extent.IsEmpty).ToList();
        var protective = entries.OrderBy(e => e.Extent.Start == gpt.SectorSize ? 0 : 1).First(e => e.Type == Mbr.ProtectiveType);
        if (protective.Extent.Start != gpt.SectorSize)
        {
            findings.Warn($"the protective entry in LBA 0 starts at sector {protective.Extent.Start / gpt.SectorSize} instead of 1; "
                + "some systems will not accept the GPT");
        }

        entries.Remove(protective);
        foreach (var entry in entries.Where(e => e.PartitionNumber == 0 && e.Type != Mbr.ProtectiveType))
        {
            findings.Warn($"MBR and GPT disagree: slot {entry.Slot + 1} of LBA 0, type 0x{entry.Type:x2}, {entry.Extent}, "
                + "is no partition of the GPT");
        }

        bool usual = protective == new HybridEntry(0, Mbr.ProtectiveType, false, Mbr.ProtectiveExtent(gpt.Length, gpt.SectorSize), 0);
        return gpt with { Protective = usual ? null : protective, Hybrid = entries };
    }

    private static HybridEntry Hybrid(DiskLayout gpt, MbrSlot slot, int index)
    {
        var extent = slot.Extent(gpt.SectorSize);
        int number = gpt.Partitions.FirstOrDefault(p => p.Extent == extent)?.Number ?? 0;
        return new HybridEntry(index, slot.Type, slot.Status == 0x80, extent, number);
    }
}
