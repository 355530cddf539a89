namespace DR.Tests.Hardness;

/// <summary>Something that is damaged anew with each seed, and what has to hold then. The same after each try as before it.</summary>
internal interface IOrdeal : IDisposable
{
    /// <summary>Tries in which the damage was not noticed, or did no harm.</summary>
    long Believed { get; }

    /// <exception cref="Exception">It does not hold.</exception>
    void Try(Random random);
}
