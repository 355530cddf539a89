using DR.App.Screens.Terminal;
using DR.Core.Primitives;

namespace DR.App.Screens.Pages;

/// <summary>The disks of the machine as a table whose columns are as wide as what stands in them, within limits.</summary>
internal static class DiskList
{
    private const int MarkColumns = 6;
    private const int SizeColumns = 8;

    /// <param name="row">Where the operator is; null where the arrows move something else.</param>
    /// <param name="area">Lines for disks; one or two more say in full what the chosen row holds.</param>
    public static IEnumerable<Line> Of(ScreenState state, int? row, Area area)
    {
        if (state.Disks.Count == 0)
        {
            return
            [
                state.LookingAtDisks ? "   looking..."
                    : state.DisksProblem is { } problem ? "   " + TextFit.End(problem, area.Width - 3)
                    : "   NO DISK IS SEEN. A driver may be missing: s opens a shell (lspci -k, dmesg).",
            ];
        }

        var columns = Columns(state.Disks, area.Width);
        int first = Math.Clamp((row ?? 0) - area.Height / 2, 0, Math.Max(0, state.Disks.Count - area.Height));
        return
        [
            .. state.Disks.Select((d, i) => Row(state, d, i == row, columns)).Skip(first).Take(area.Height),
            .. row < state.Disks.Count ? Details(state.Disks[row.Value], area.Width) : [],
        ];
    }

    private static int[] Columns(IReadOnlyList<SeenDisk> disks, int width) =>
    [
        Math.Min(disks.Max(d => d.Identity.Path.Length), width / 6),
        Math.Min(disks.Max(d => Model(d).Length), width / 4),
        Math.Min(disks.Max(d => Serial(d).Length), width / 5),
        width,
    ];

    private static Line Row(ScreenState state, SeenDisk disk, bool here, int[] columns)
    {
        int target = state.Wishes.Targets.ToList().IndexOf(disk.Identity.Path);
        string line = $"{(here ? " >" : "  ")}{(target < 0 ? "    " : $"[{target + 1}] ")}".PadRight(MarkColumns)
            + $"{TextFit.Column(disk.Identity.Path, columns[0])} {TextFit.Right(ByteSize.Format(disk.Identity.Length), SizeColumns)}  "
            + $"{TextFit.Column(Model(disk), columns[1])} {TextFit.Column(Serial(disk), columns[2])}  ";
        return new Line(line + TextFit.End(disk.Words, columns[3] - line.Length), here ? Ink.Reverse : target >= 0 ? Ink.Strong : Ink.Plain);
    }

    /// <summary>What the row had no room for.</summary>
    private static IEnumerable<Line> Details(SeenDisk disk, int width) =>
        TextFit.Wrap($"      holds: {disk.Contents}{(disk.Uses.Count == 0 ? "" : "; IN USE: " + string.Join(", ", disk.Uses))}", width, MarkColumns + 2).Take(2).Select(l => (Line)l);

    private static string Model(SeenDisk disk) => disk.Identity.Model?.Trim() is { Length: > 0 } model ? model : "-";

    private static string Serial(SeenDisk disk) => (string.IsNullOrEmpty(disk.Identity.Serial) ? disk.Identity.Wwn : disk.Identity.Serial) ?? "-";
}
