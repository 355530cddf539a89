using System.Diagnostics;
using System.Globalization;

namespace DR.Tests.Hardness;

/// <summary>
/// The same as <see cref="HardnessTests"/> with fresh seeds and fresh filesystems for DR_SOAK_MINUTES (four hours). A failure names
/// ordeal and seed, and the rest goes on; DR_SOAK_KEEP names a folder for copies of what was damaged then.
/// </summary>
[Trait("Category", "Soak")]
public class SoakTests
{
    private const int MaxFailures = 20;
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(10);

    [Fact]
    public void Nothing_that_is_damaged_is_taken_for_sound()
    {
        var time = TimeSpan.FromMinutes(double.TryParse(Environment.GetEnvironmentVariable("DR_SOAK_MINUTES"), CultureInfo.InvariantCulture, out double minutes) ? minutes : 240);
        var clock = Stopwatch.StartNew();
        var failures = new List<string>();
        long cases = 0;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("DR_SEED"), CultureInfo.InvariantCulture, out int given) ? given : Random.Shared.Next();
        while (clock.Elapsed < time && failures.Count < MaxFailures)
        {
            foreach (var (name, make) in Ordeals.All.OrderBy(_ => Random.Shared.Next()).TakeWhile(_ => clock.Elapsed < time))
            {
                cases += Run(name, make, ref seed, failures, clock, time);
            }
        }

        Say($"{cases} cases in {clock.Elapsed}, {failures.Count} failures");
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    private static long Run(string name, Func<IOrdeal> make, ref int seed, List<string> failures, Stopwatch clock, TimeSpan time)
    {
        using var ordeal = make();
        long cases = 0;
        for (var end = clock.Elapsed + Turn; clock.Elapsed < end && clock.Elapsed < time && failures.Count < MaxFailures; seed = unchecked(seed + 1))
        {
            cases++;
            try
            {
                ordeal.Try(new Random(seed));
            }
            catch (Exception e)
            {
                failures.Add($"{name}, DR_SEED={seed}: {e.Message}");
                Say(failures[^1]);
            }
        }

        Say($"{name}: {cases} cases, {ordeal.Believed} believed, {clock.Elapsed}");
        return cases;
    }

    private static void Say(string text) => TestContext.Current.TestOutputHelper?.WriteLine(text);
}
