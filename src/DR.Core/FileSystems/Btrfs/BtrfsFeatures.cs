namespace DR.Core.FileSystems.Btrfs;

/// <summary>incompat_flags: under those that are known, chunks and the extent tree mean what this reader takes them to mean.</summary>
[Flags]
internal enum BtrfsIncompat : ulong
{
    MixedBackref = 0x1,
    DefaultSubvol = 0x2,
    MixedGroups = 0x4,
    CompressLzo = 0x8,
    CompressZstd = 0x10,
    BigMetadata = 0x20,
    ExtendedIref = 0x40,
    SkinnyMetadata = 0x100,
    NoHoles = 0x200,
    MetadataUuid = 0x400,

    Known = MixedBackref | DefaultSubvol | MixedGroups | CompressLzo | CompressZstd | BigMetadata | ExtendedIref
        | SkinnyMetadata | NoHoles | MetadataUuid,
}

/// <summary>compat_ro_flags.</summary>
[Flags]
internal enum BtrfsCompatRo : ulong
{
    FreeSpaceTree = 0x1,
    FreeSpaceTreeValid = 0x2,
    Verity = 0x4,

    Known = FreeSpaceTree | FreeSpaceTreeValid | Verity,
}

/// <summary>The type of a chunk: what it holds, and how that is spread over devices.</summary>
[Flags]
internal enum BtrfsChunkType : ulong
{
    Data = 0x1,
    System = 0x2,
    Metadata = 0x4,
    Dup = 0x20,

    Content = Data | System | Metadata,
    Known = Content | Dup,
}
