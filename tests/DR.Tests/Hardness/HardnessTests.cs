namespace DR.Tests.Hardness;

/// <summary>Damage to filesystems and images, in numbers that a gate can bear; <see cref="SoakTests"/> go on with the same for hours.</summary>
[Trait("Category", "Slow")]
public class HardnessTests
{
    private static readonly int Runs = int.TryParse(Environment.GetEnvironmentVariable("DR_RUNS"), out int runs) ? runs : 250;

    public static TheoryData<string> Names => [.. Ordeals.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_damaged_is_found_or_does_no_harm(string name)
    {
        using var ordeal = Ordeals.All[name]();
        Property.Holds(ordeal.Try, Runs);
        Assert.InRange(ordeal.Believed, 0, Math.Max(1, Runs - 1));
    }
}
