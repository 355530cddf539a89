using System.CommandLine;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Media;

namespace DR.App.Cli.Media;

/// <summary><c>dr media check FILE.iso --for IMAGE</c></summary>
internal static class MediaCheckCommand
{
    public static Command Make(CommonOptions common)
    {
        var iso = new Argument<string>("FILE.iso") { Description = "A recovery medium." };
        var image = new Option<string>("--for") { Description = "The image of the machine that it shall bring back.", HelpName = "IMAGE", Required = true };
        var command = new Verb("check", "Says which driver of the medium serves each storage, network and USB controller of an image's machine.",
            ["dr media check recovery.iso --for server.drimg", "dr media check recovery.iso --for server.drimg --json"], 0, 1, 2, 4, 7, 130) { iso, image };
        Session.Bind(command, common, (parsed, session, cancel) => Run(parsed.GetValue(iso)!, parsed.GetValue(image)!, session, cancel));
        return command;
    }

    /// <summary>What the image knows of the machine that it was made from.</summary>
    public static ImagedMachine MachineIn(string image)
    {
        using var input = Composition.OpenImage(image);
        using var reader = new ImageStreamReader(input, new Composition().Compressor);
        return new ImagedMachine(image, reader.Manifest.Machine.Modaliases);
    }

    private static int Run(string iso, string image, Session session, CancellationToken cancel)
    {
        var machine = MachineIn(image);
        var table = new MediumReader(new Composition().Tools).Hardware(iso, cancel);
        var checks = HardwareCheck.Run(table, machine.Modaliases);
        session.Say($"{iso}, Linux {table.Kernel}, for the machine in {image}:");
        foreach (var check in checks)
        {
            session.Say((check.Problem is null ? "  " : "! ") + check.Words);
        }

        if (checks.Count == 0)
        {
            session.Say("  the image records no storage, network or USB controller (was it made in a container?)");
        }

        int code = checks.Any(c => c.Problem is not null) ? ExitCodes.Of(Failure.Missing) : ExitCodes.Done;
        session.Document(new MediaCheckDocument(code, iso, image, table.Kernel, [.. checks.Select(Document)]), DocumentJson.Default.MediaCheckDocument);
        if (code != ExitCodes.Done && !session.Json)
        {
            HardwareCheck.Require(checks, iso, image);
        }

        return code;
    }

    private static ControllerDocument Document(ControllerCheck check) =>
        new(check.Name, check.Kind.ToString().ToLowerInvariant(), check.Modalias, check.Drivers, check.Problem, check.Remark);
}
