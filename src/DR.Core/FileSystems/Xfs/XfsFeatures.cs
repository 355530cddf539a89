namespace DR.Core.FileSystems.Xfs;

/// <summary>sb_versionnum: four bits of version, and the features of version 4.</summary>
[Flags]
internal enum XfsVersionFlags : ushort
{
    Number = 0xF,
    Attr = 0x10,
    NLink = 0x20,
    Quota = 0x40,
    Align = 0x80,
    DAlign = 0x100,
    LogV2 = 0x400,
    Sector = 0x800,
    ExtFlag = 0x1000,
    DirV2 = 0x2000,
    AsciiCi = 0x4000,
    MoreBits = 0x8000,

    Known = Number | Attr | NLink | Quota | Align | DAlign | LogV2 | Sector | ExtFlag | DirV2 | AsciiCi | MoreBits,

    /// <summary>Without these it is a format of IRIX that Linux does not read either.</summary>
    Needed = DirV2 | ExtFlag,
}

/// <summary>sb_features2, which counts where <see cref="XfsVersionFlags.MoreBits"/> is set.</summary>
[Flags]
internal enum XfsFeatures2 : uint
{
    LazySbCount = 0x2,
    Attr2 = 0x8,
    ProjId32 = 0x80,
    Crc = 0x100,
    FType = 0x200,

    Known = LazySbCount | Attr2 | ProjId32 | Crc | FType,
}

/// <summary>sb_features_ro_compat: what a writer, and so a reader of the trees, must know.</summary>
[Flags]
internal enum XfsRoCompat : uint
{
    FInoBt = 0x1,
    RMapBt = 0x2,
    Reflink = 0x4,
    InoBtCnt = 0x8,

    Known = FInoBt | RMapBt | Reflink | InoBtCnt,
}

/// <summary>sb_features_incompat.</summary>
[Flags]
internal enum XfsIncompat : uint
{
    FType = 0x1,
    SpInodes = 0x2,
    MetaUuid = 0x4,
    BigTime = 0x8,
    NeedsRepair = 0x10,
    NRext64 = 0x20,

    Known = FType | SpInodes | MetaUuid | BigTime | NeedsRepair | NRext64,
}
