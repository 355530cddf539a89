using System.CommandLine;
using System.Runtime.InteropServices;
using DR.App.Screens;
using DR.Core.Primitives;
using DR.Platform;

namespace DR.App.Cli;

/// <summary><c>dr ui [--tty DEVICE]...</c></summary>
internal static class UiCommand
{
    public static Command Make(CommonOptions common)
    {
        var tty = new Option<string[]>("--tty") { Description = "A terminal to show the screen on; several show and steer the same one. The present terminal by default.", HelpName = "DEVICE" };
        var images = new Option<string[]>("--images") { Description = "A folder in which images are looked for.", HelpName = "DIR" };
        var unattended = new Option<bool>("--unattended") { Description = "First restore by an answer file, if there is one, after a countdown that any key stops." };
        var command = new Verb("ui", "The full-screen interface: images, disks, the plan, restore, capture and verify. The recovery medium starts it.",
            ["dr ui", "dr ui --tty /dev/tty1 --tty /dev/ttyS0"], [.. ExitCodes.Meanings.Keys]);
        command.Add(tty);
        command.Add(images);
        command.Add(unattended);
        Session.Bind(command, common, (parsed, session, cancel) => Run(parsed.GetValue(tty) ?? [], parsed.GetValue(images) ?? [], parsed.GetValue(unattended), session, cancel));
        return command;
    }

    private static int Run(string[] terminals, string[] folders, bool unattended, Session session, CancellationToken cancel)
    {
        if (session.Json || terminals.Length == 0 && Console.IsOutputRedirected)
        {
            throw new DrException(Failure.Usage, "dr ui needs a terminal; there is none here. Name one with --tty, or use dr restore and the other verbs");
        }

        // A lost connection must not end a restore.
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
        using var loop = new ScreenLoop(
            new Composition().Screens(folders, unattended),
            [.. (terminals.Length == 0 ? [LinuxTerminal.Current] : terminals.Distinct()).Select(t => new LinuxTerminal(t))],
            terminals.Length > 0, session.Report.Note);
        try
        {
            return loop.RunAsync(cancel).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Of(Failure.Interrupted);
        }
    }
}
