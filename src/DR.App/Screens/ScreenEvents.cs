using DR.App.Screens.Terminal;
using DR.Core.Image.Tape;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Sources;
using DR.Engine.Unattended;

namespace DR.App.Screens;

/// <summary>Something that happened; the only thing that changes a <see cref="ScreenState"/>.</summary>
internal abstract record ScreenEvent;

/// <param name="Terminal">Which of the terminals it was pressed on.</param>
internal sealed record KeyPressed(int Terminal, Key Key) : ScreenEvent;

internal sealed record Ticked(DateTimeOffset Now) : ScreenEvent;

/// <summary>The search looks at something else now.</summary>
internal sealed record Searching(string Where) : ScreenEvent;

/// <param name="Problem">Why the search ended early; null if it did not.</param>
internal sealed record ImagesFound(IReadOnlyList<FoundImage> Images, string? Problem) : ScreenEvent;

/// <summary>What became of a location that was typed.</summary>
/// <param name="Login">The server that wants a name and a password; null where none does.</param>
internal sealed record ImageNamed(string Location, FoundImage? Image, string? Problem, string? Login = null) : ScreenEvent;

internal sealed record DisksSeen(IReadOnlyList<SeenDisk> Disks, string? Problem) : ScreenEvent;

/// <param name="Version">Of the wishes that it answers.</param>
internal sealed record PlanMade(int Version, PlanState Plan) : ScreenEvent;

/// <param name="Login">As for <see cref="ImageNamed"/>.</param>
internal sealed record CapturePlanned(int Version, CapturePlan? Plan, string? Problem, ImageDestination? To = null, string? Login = null) : ScreenEvent;

internal sealed record VolumesSeen(IReadOnlyList<VolumeChoice> Volumes) : ScreenEvent;

/// <summary>The job waits for another cartridge until it is answered.</summary>
internal sealed record CartridgeAsked(CartridgeWish Wish) : ScreenEvent;

internal sealed record JobTold(JobProgress Progress) : ScreenEvent;

/// <summary>A line for the log.</summary>
internal sealed record Said(string Text, bool Warning = false) : ScreenEvent;

internal sealed record JobEnded(Outcome Outcome) : ScreenEvent;

/// <summary>An answer file will be carried out unless a key is pressed.</summary>
internal sealed record CountdownBegan(RestorePlan Plan, DateTimeOffset Until) : ScreenEvent;

/// <param name="Through">False where a key has stopped it.</param>
internal sealed record CountdownEnded(bool Through) : ScreenEvent;

internal sealed record AnswerEnded(UnattendedOutcome Outcome) : ScreenEvent;

/// <summary>A tool that was asked for has ended.</summary>
internal sealed record ToolEnded(ToolPurpose Purpose, bool Worked, string Words) : ScreenEvent;
