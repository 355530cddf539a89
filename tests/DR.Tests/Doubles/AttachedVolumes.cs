namespace DR.Tests.Doubles;

/// <summary>
/// Tests that attach labelled volumes with images to this computer, or find all that are attached: one after the other, as each would
/// find the volumes of the others.
/// </summary>
internal static class AttachedVolumes
{
    public const string Name = "attached volumes";
}
