using DR.App.Screens;
using DR.App.Screens.Pages;
using DR.App.Screens.Terminal;
using static DR.Tests.App.Screens.ScreenSamples;

namespace DR.Tests.App.Screens;

[Trait("Category", "Slow")]
public class ScreenPropertyTests
{
    /// <summary>A cat on the keyboard erases nothing, breaks nothing, and leaves a screen of the right size.</summary>
    [Fact]
    public void Whatever_is_pressed_a_restore_begins_only_at_the_confirmed_question() => Property.Holds(random =>
    {
        var state = Main with { CanQuit = true };
        for (int i = 0; i < 300; i++)
        {
            var before = state;
            var (next, effects) = ScreenUpdate.On(state, Some(random, state));
            state = next;
            Assert.All(effects.OfType<StartRestore>(), _ =>
            {
                var page = Assert.IsType<ConfirmPage>(before.Page);
                Assert.Equal(page.Wanted, page.Typed.Trim(), ignoreCase: true);
            });
            Assert.All(effects.OfType<RunTool>().Where(t => t.Purpose is ToolPurpose.Reboot or ToolPurpose.PowerOff), _ => Assert.IsType<AskPage>(before.Page));
            Assert.True(effects.OfType<StopJob>().All(_ => before.Page is AskPage && before.Job is not null));
            var (columns, rows) = (random.Next(40, 140), random.Next(12, 50));
            var screen = ScreenView.Draw(state, columns, rows);
            Assert.Equal(rows, screen.Lines.Count);
            Assert.All(screen.Lines, l => Assert.Equal(columns, l.Text.Length));
        }
    });

    /// <summary>The words of a failure never sound like its opposite.</summary>
    [Theory]
    [InlineData("failed")]
    [InlineData("stopped")]
    [InlineData("refused-late")]
    [InlineData("refused")]
    [InlineData("capture-refused")]
    [InlineData("unattended-failed")]
    [InlineData("countdown-stopped")]
    public void A_failure_does_not_read_like_success(string golden)
    {
        string text = File.ReadAllText(Path.Combine(Architecture.SourceTree.Root, "tests/DR.Tests/App/Screens/Golden", golden + ".txt"));
        foreach (string word in (string[])["DONE", "success", "complete", "is restored", "whole"])
        {
            Assert.DoesNotContain(word, text, StringComparison.Ordinal);
        }
    }

    /// <summary>Late answers about another choice are not shown as the plan.</summary>
    [Fact]
    public void A_plan_that_is_overtaken_is_not_shown()
    {
        var state = Press(Press(Main, new Key(KeyKind.Tab)), Key.Of(' '));
        Assert.IsType<PlanState.None>(state.Plan);
        state = After(state, Planned());
        Assert.IsType<PlanState.None>(state.Plan);
    }

    [Fact]
    public void A_disk_plugged_in_from_outside_is_never_proposed()
    {
        var stick = Blank with { Identity = Id("/dev/sdd", 931L << 30, "Stick", "1", "usb") };
        Assert.Null(After(Start, new DisksSeen([stick], null), new ImagesFound([Web], null)).Wishes.Targets[0]);
        Assert.Equal("/dev/sda", After(Start, new DisksSeen([Blank, stick], null), new ImagesFound([Web], null)).Wishes.Targets[0]);
        var second = Blank with { Identity = Id("/dev/sde", 931L << 30, "Other", "2") };
        Assert.Null(After(Start, new DisksSeen([Blank, second], null), new ImagesFound([Web], null)).Wishes.Targets[0]);
    }

    /// <summary>A choice of the operator outlives a search, and dies with its disk.</summary>
    [Fact]
    public void A_chosen_disk_that_is_gone_is_no_target()
    {
        var state = Press(Press(After(Start, new DisksSeen([Blank, Windows], null), new ImagesFound([Web], null)), new Key(KeyKind.Tab)), new Key(KeyKind.Down), Key.Of(' '));
        Assert.Equal(["/dev/sdb"], state.Wishes.Targets);
        state = After(state, new DisksSeen([Windows, Blank], null));
        Assert.Equal(["/dev/sdb"], state.Wishes.Targets);
        state = After(state, new DisksSeen([Blank], null));
        Assert.Equal([null], state.Wishes.Targets);
    }

    private static ScreenEvent Some(Random random, ScreenState state)
    {
        if (random.Next(12) == 0)
        {
            return new PlanMade(state.PlanVersion, random.Next(3) == 0
                ? new PlanState.Refused(DR.Core.Primitives.Failure.Refused, "/dev/sdb is not blank")
                : new PlanState.Made(Plan(Web, random.Next(2) == 0 ? Blank : Windows)));
        }

        if (random.Next(20) == 0)
        {
            return random.Next(2) == 0 && state.Job is not null ? new JobEnded(Ended()) : Told(random.Next(9000), random.Next(9000));
        }

        var kinds = Enum.GetValues<KeyKind>();
        string letters = "oeivcnktrpslqy/ yes LT2 0042\u001f";
        return new KeyPressed(0, random.Next(3) == 0 ? new Key(kinds[random.Next(kinds.Length)], random.Next(1, 26)) : Key.Of(letters[random.Next(letters.Length)]));
    }
}
