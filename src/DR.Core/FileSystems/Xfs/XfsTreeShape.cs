namespace DR.Core.FileSystems.Xfs;

/// <summary>What tells the trees of a group apart. Pointers to blocks have four bytes in each.</summary>
/// <param name="Magic">In version 4; null where that has no such tree.</param>
/// <param name="MagicV5">In version 5.</param>
/// <param name="RecordSize">Bytes of a record in a leaf.</param>
/// <param name="KeySize">Bytes of what stands for a child in a node; its first four are those of the child's first record.</param>
internal sealed record XfsTreeShape(string Name, string? Magic, string MagicV5, int RecordSize, int KeySize)
{
    public static XfsTreeShape FreeByBlock { get; } = new("bnobt", "ABTB", "AB3B", 8, 8);

    public static XfsTreeShape FreeBySize { get; } = new("cntbt", "ABTC", "AB3C", 8, 8);

    /// <summary>The keys of both ends of what lies below.</summary>
    public static XfsTreeShape ReverseMap { get; } = new("rmapbt", null, "RMB3", 24, 40);

    public static XfsTreeShape References { get; } = new("refcountbt", null, "R3FC", 12, 4);

    public static XfsTreeShape Inodes { get; } = new("inobt", "IABT", "IAB3", 16, 4);

    public static XfsTreeShape FreeInodes { get; } = new("finobt", null, "FIB3", 16, 4);
}
