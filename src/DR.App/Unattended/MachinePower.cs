using DR.Core.Devices;
using DR.Engine.Unattended;

namespace DR.App.Unattended;

/// <summary>What becomes of the machine after an unattended restore. Only a recovery medium restarts or switches off what it runs on.</summary>
internal sealed class MachinePower(IToolRunner tools, Action<string> say)
{
    private const string Medium = "/run/live/medium";

    /// <summary>Part of the medium: makes the firmware start the local disk next, where there is a way to.</summary>
    private const string StartLocal = "dr-start-local";

    public void Do(UnattendedOutcome outcome)
    {
        if (outcome.Then == Afterwards.Stay)
        {
            say("The machine stays as it is.");
        }
        else if (!Directory.Exists(Medium))
        {
            say("This is no recovery medium: the machine stays as it is.");
        }
        else if (outcome.End == UnattendedEnd.AlreadyDone)
        {
            Run("Starting the local disk.", StartLocal);
        }
        else if (outcome.Then == Afterwards.PowerOff)
        {
            Run("Switching off.", "systemctl", "poweroff");
        }
        else
        {
            Run("Restarting.", "systemctl", "reboot");
        }
    }

    private void Run(string words, string tool, params string[] arguments)
    {
        say(words);
        var result = tools.Run(tool, arguments);
        if (result.ExitCode != 0)
        {
            say($"{tool} ended with exit code {result.ExitCode}: {result.LastWords}");
        }
    }
}
