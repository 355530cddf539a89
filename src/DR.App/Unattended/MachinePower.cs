using DR.Core.Devices;
using DR.Engine.Unattended;

namespace DR.App.Unattended;

/// <summary>What becomes of the machine after an unattended restore. Only a recovery medium restarts or switches off what it runs on.</summary>
internal sealed class MachinePower(IToolRunner tools, Action<string> say)
{
    private const string Medium = "/run/live/medium";

    /// <summary>Part of the medium: makes the firmware start the local disk next, where there is a way to.</summary>
    private const string StartLocal = "dr-start-local";

    /// <returns>Whether the machine goes down; otherwise it stays.</returns>
    public bool Do(UnattendedOutcome outcome)
    {
        if (outcome.Then == Afterwards.Stay)
        {
            say("The machine stays as it is.");
            return false;
        }

        if (!Directory.Exists(Medium))
        {
            say("This is no recovery medium: the machine stays as it is.");
            return false;
        }

        return outcome.End == UnattendedEnd.AlreadyDone ? Run("Starting the local disk.", StartLocal)
            : outcome.Then == Afterwards.PowerOff ? Run("Switching off.", "systemctl", "poweroff")
            : Run("Restarting.", "systemctl", "reboot");
    }

    private bool Run(string words, string tool, params string[] arguments)
    {
        say(words);
        var result = tools.Run(tool, arguments);
        if (result.ExitCode != 0)
        {
            say($"{tool} ended with exit code {result.ExitCode}: {result.LastWords}");
        }

        return result.ExitCode == 0;
    }
}
