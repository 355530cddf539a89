namespace DR.Core.FileSystems.Ext;

/// <summary>s_feature_compat: a reader may ignore the bits that it does not know.</summary>
[Flags]
internal enum ExtCompat : uint
{
    HasJournal = 0x4,
    SparseSuper2 = 0x200,
    OrphanFile = 0x1000,
}

/// <summary>s_feature_incompat: a reader that does not know a bit must keep its hands off.</summary>
[Flags]
internal enum ExtIncompat : uint
{
    Filetype = 0x2,
    Recover = 0x4,
    JournalDev = 0x8,
    MetaBg = 0x10,
    Extents = 0x40,
    Bit64 = 0x80,
    Mmp = 0x100,
    FlexBg = 0x200,
    EaInode = 0x400,
    CsumSeed = 0x2000,
    LargeDir = 0x4000,
    InlineData = 0x8000,
    Encrypt = 0x10000,
    Casefold = 0x20000,

    /// <summary>Those under which the block bitmaps mean what this reader takes them to mean.</summary>
    Known = Filetype | Recover | JournalDev | MetaBg | Extents | Bit64 | Mmp | FlexBg | EaInode | CsumSeed | LargeDir
        | InlineData | Encrypt | Casefold,

    /// <summary>Those of ext2 and ext3; any other bit makes it an ext4.</summary>
    Ext3 = Filetype | Recover | MetaBg,
}

/// <summary>s_feature_ro_compat: bits that change what a writer, and so a reader of the bitmaps, must know.</summary>
[Flags]
internal enum ExtRoCompat : uint
{
    SparseSuper = 0x1,
    LargeFile = 0x2,
    BtreeDir = 0x4,
    HugeFile = 0x8,
    GdtCsum = 0x10,
    DirNlink = 0x20,
    ExtraIsize = 0x40,
    Quota = 0x100,
    Bigalloc = 0x200,
    MetadataCsum = 0x400,
    Readonly = 0x1000,
    Project = 0x2000,
    Verity = 0x8000,
    OrphanPresent = 0x10000,

    Known = SparseSuper | LargeFile | BtreeDir | HugeFile | GdtCsum | DirNlink | ExtraIsize | Quota | Bigalloc
        | MetadataCsum | Readonly | Project | Verity | OrphanPresent,

    /// <summary>Those of ext2 and ext3; any other bit makes it an ext4.</summary>
    Ext3 = SparseSuper | LargeFile | BtreeDir,
}

/// <summary>bg_flags.</summary>
[Flags]
internal enum ExtGroupFlags : ushort
{
    InodeUninit = 0x1,
    BlockUninit = 0x2,
}

/// <summary>i_flags, as far as they say where the content is.</summary>
[Flags]
internal enum ExtInodeFlags : uint
{
    Extents = 0x80000,
    InlineData = 0x10000000,
}
