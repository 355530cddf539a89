using DR.Core.Primitives;

namespace DR.Core.Layout;

public enum TableKind
{
    /// <summary>
    /// No partition table: a filesystem on the whole disk, or nothing. An MBR without partitions counts as none too:
    /// a boot loader on a filesystem that fills the disk looks just like it, and nothing may be lost.
    /// </summary>
    None,
    Mbr,
    Gpt,
}

/// <summary>What a partition is to the layout; the filesystem on it is another matter.</summary>
public enum PartitionRole
{
    Data,

    /// <summary>EFI system partition.</summary>
    Esp,

    /// <summary>GRUB's core image on GPT disks; found by its absolute sector, so it never moves.</summary>
    BiosBoot,

    /// <summary>Microsoft reserved.</summary>
    Msr,

    /// <summary>Extended partition of an MBR disk: holds the logical ones.</summary>
    Extended,
}

/// <param name="Number">As the operating system counts: from 1; logical partitions from 5.</param>
/// <param name="Extent">Bytes on the disk.</param>
/// <param name="Type">GPT: type GUID in lower case. MBR: "0x83".</param>
/// <param name="Name">GPT only, up to 36 UTF-16 units.</param>
/// <param name="Id">GPT: unique GUID in lower case. MBR: null.</param>
/// <param name="Attributes">GPT: attribute bits. MBR: the boot indicator, 0x80 if active.</param>
public sealed record PartitionEntry(int Number, Extent Extent, string Type, string? Name, string? Id, ulong Attributes)
{
    public PartitionRole Role { get; init; }

    /// <summary>Bytes of a GPT entry behind the first 128, unless all are zero; empty for others.</summary>
    public byte[] Extra { get; init; } = [];

    /// <summary>Logical partitions: byte offset on the disk of the extended boot record that describes it; 0 for others.</summary>
    public long BootRecord { get; init; }

    /// <summary>
    /// Bytes 0 to 445 of an extended boot record, where a boot loader may live, unless all are zero. The record at the
    /// start of the extended partition belongs to that one, the others to their logical partitions.
    /// </summary>
    public byte[] BootCode { get; init; } = [];

    /// <summary>Whether it lies in the extended partition.</summary>
    public bool IsLogical(TableKind table) => table == TableKind.Mbr && Number >= 5;

    /// <summary>Whether a BIOS starts from it.</summary>
    public bool IsActive(TableKind table) => table == TableKind.Mbr && Attributes == 0x80;
}

/// <summary>One of the four slots of a hybrid MBR that mirrors a GPT partition.</summary>
/// <param name="Slot">0 to 3.</param>
/// <param name="PartitionNumber">The GPT partition with the same extent; 0 if there is none.</param>
public sealed record HybridEntry(int Slot, byte Type, bool Active, Extent Extent, int PartitionNumber);

/// <summary>How a disk is divided. A value: a restore makes a new one for the target.</summary>
/// <param name="Id">GPT: disk GUID in lower case. MBR: the disk signature as 8 hex digits. Null without a table.</param>
/// <param name="SectorSize">Logical sector, bytes.</param>
/// <param name="Length">Bytes of the disk.</param>
/// <param name="Partitions">In the order of their numbers. Entries without a single sector are left out, with a warning.</param>
public sealed record DiskLayout(
    TableKind Table,
    string? Id,
    int SectorSize,
    long Length,
    IReadOnlyList<PartitionEntry> Partitions)
{
    /// <summary>GPT: entries in the table; 128 usually.</summary>
    public int EntryCount { get; init; } = 128;

    /// <summary>GPT: bytes of one entry; 128 usually, a larger power of two at most.</summary>
    public int EntrySize { get; init; } = 128;

    /// <summary>GPT: byte offset of the primary copy's entries; 0 stands for the usual place, LBA 2.</summary>
    public long EntriesOffset { get; init; }

    /// <summary>GPT: first byte that partitions may use, and what is behind the last one.</summary>
    public Extent Usable { get; init; }

    /// <summary>
    /// GPT: the slot of type 0xEE that keeps MBR tools away; null for the usual one, slot 0 over the whole disk. Its extent
    /// may end behind the disk: some systems always write the largest size.
    /// </summary>
    public HybridEntry? Protective { get; init; }

    /// <summary>GPT with a hybrid MBR: the slots that are not the protective one.</summary>
    public IReadOnlyList<HybridEntry> Hybrid { get; init; } = [];

    /// <summary>What is odd about the tables: a damaged copy, copies or tables that disagree, entries without a sector.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// Why this disk must not be captured as it stands: partitions that overlap, or lie outside the disk, or a table that
    /// cannot be read, so that what belongs to whom is not known. Empty for a sound disk.
    /// </summary>
    public IReadOnlyList<string> Errors { get; init; } = [];
}

/// <summary>Bytes of a partition table and where they belong. Written in order; LBA 0 is always the last.</summary>
public sealed record TableWrite(long Offset, byte[] Bytes, string What);
