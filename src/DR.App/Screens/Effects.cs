using DR.Engine.Capture;
using DR.Engine.Restore;

namespace DR.App.Screens;

/// <summary>Something to be done in the world, as a value; <see cref="EffectRunner"/> does it and answers with events.</summary>
internal abstract record Effect;

internal sealed record SearchImages : Effect;

internal sealed record OpenImage(string Location) : Effect;

internal sealed record LookAtDisks : Effect;

internal sealed record MakePlan(int Version, string Location, RestoreRequest Request) : Effect;

internal sealed record StartRestore(RestorePlan Plan, string Location) : Effect;

internal sealed record StartVerify(string Location) : Effect;

internal sealed record MakeCapturePlan(int Version, CaptureRequest Request) : Effect;

internal sealed record StartCapture(CapturePlan Plan) : Effect;

/// <summary>Stops the job that runs; its end is told as of any other.</summary>
internal sealed record StopJob : Effect;

/// <summary>Looks for an answer file and restores by it.</summary>
internal sealed record CarryOutAnswer : Effect;

internal sealed record StopCountdown : Effect;

/// <summary>Lends the terminal to a shell.</summary>
internal sealed record OpenShell(int Terminal) : Effect;

internal enum ToolPurpose
{
    Reboot,
    PowerOff,
    Keyboard,
    Clock,
    Network,
}

internal sealed record RunTool(ToolPurpose Purpose, params IReadOnlyList<string> Command) : Effect;

/// <summary>Paints every line anew, on all terminals.</summary>
internal sealed record PaintAnew : Effect;

internal sealed record Quit : Effect;
