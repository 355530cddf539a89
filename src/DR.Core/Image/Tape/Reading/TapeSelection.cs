namespace DR.Core.Image.Tape;

/// <summary>Which image of a media set is wanted.</summary>
/// <param name="Number">From 1; <see cref="Last"/> for the last one; 0 for the only one.</param>
public readonly record struct TapeSelection(int Number)
{
    public const int Last = -1;

    public static TapeSelection Only => new(0);

    public override string ToString() => Number switch
    {
        0 => "",
        Last => "#last",
        _ => $"#{Number}",
    };
}

/// <summary>How an image is read from tape.</summary>
/// <param name="Selection">Which of a set.</param>
public sealed record TapeReadSettings(TapeSelection Selection)
{
    public long BufferBytes { get; init; } = TapeSettings.DefaultBuffer;

    /// <summary>Go on behind blocks and cartridges that are lost; the job gets zeros for their bytes.</summary>
    public bool Salvage { get; init; }

    /// <summary>How often a block that cannot be read is tried again.</summary>
    public int Retries { get; init; } = 3;
}
