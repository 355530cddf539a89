using DR.Core.Devices;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Sources;

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

internal sealed record StartCapture(CapturePlan Plan, ImageDestination To) : Effect;

/// <summary>Which volumes a new image could be laid down on.</summary>
internal sealed record LookAtVolumes : Effect;

/// <summary>A name and password were typed: they count from now on, until the program ends.</summary>
internal sealed record LearnLogin(Credential Credential) : Effect;

/// <summary>The cartridge that was asked for is in, or there is none.</summary>
internal sealed record AnswerCartridge(bool There) : Effect;

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
