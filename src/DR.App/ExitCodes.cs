using DR.Core.Primitives;

namespace DR.App;

/// <summary>What the program ends with; the help of each verb repeats those that concern it.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Losses = 8;
    public const int NotBootable = 9;

    /// <summary>For the help: "0 done", …</summary>
    public static IReadOnlyDictionary<int, string> Meanings { get; } = new SortedDictionary<int, string>
    {
        [0] = "done",
        [1] = "failed",
        [2] = "wrong usage",
        [3] = "refused for safety, nothing changed",
        [4] = "image damaged or incomplete",
        [5] = "read-back differs from the image",
        [6] = "does not fit",
        [7] = "a needed tool, driver or right is missing",
        [8] = "done, with listed losses",
        [9] = "data complete, but not bootable",
        [130] = "interrupted",
    };

    public static int Of(Failure failure) => failure switch
    {
        Failure.Usage => 2,
        Failure.Refused => 3,
        Failure.Damaged => 4,
        Failure.ReadBackDiffers => 5,
        Failure.DoesNotFit => 6,
        Failure.Missing => 7,
        Failure.Losses => 8,
        Failure.NotBootable => 9,
        Failure.Interrupted => 130,
        _ => 1,
    };
}
