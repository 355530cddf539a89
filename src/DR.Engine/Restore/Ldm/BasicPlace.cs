namespace DR.Engine.Restore.Ldm;

/// <summary>Where a dynamic volume comes back as a basic partition.</summary>
/// <param name="Space">Of the volume.</param>
/// <param name="Disk">Index in the plan.</param>
/// <param name="Partition">Number.</param>
public sealed record BasicPlace(int Space, int Disk, int Partition);
