using System.CommandLine;
using DR.App.Screens.Plans;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Capture;
using DR.Engine.Sources;

namespace DR.App.Cli;

/// <summary><c>dr info IMAGE|DISK...</c></summary>
internal static class InfoCommand
{
    public static Command Make(CommonOptions common)
    {
        var names = new Argument<string[]>("IMAGE|DISK") { Description = "One image, or disks of one machine.", Arity = ArgumentArity.OneOrMore };
        var command = new Verb("info", "Says what an image or disks hold: disks, tables, volumes, segments, sizes.",
            ["dr info server.drimg", "dr info label:BACKUP/dr/server.drimg", "dr info tape:/dev/nst0", "dr info /dev/sda --json"], 0, 1, 2, 4, 7);
        command.Add(names);
        var source = new SourceOptions();
        source.AddTo(command);
        Session.Bind(command, common, (parsed, session, cancel) =>
            Run(parsed.GetValue(names)!, session, (name, composition) => source.Open(name, composition, parsed, session, cancel)));
        return command;
    }

    private static int Run(string[] names, Session session, Func<string, Composition, OpenedImage> open)
    {
        var composition = new Composition();
        if (names.Length == 1 && IsImage(names[0]))
        {
            using var image = open(names[0], composition);
            TellImage(image.Input, composition, session);
        }
        else
        {
            var plan = composition.CapturePlanner.Plan(new CaptureRequest(names, Path.GetTempPath(), "info") { AllowLive = true, Looking = true });
            foreach (string line in PlanText.Contents(plan.Manifest).Concat(plan.Warnings.Select(w => "! " + w)))
            {
                session.Say(line);
            }

            session.Document(DocumentMaker.Info(plan.Manifest, null), DocumentJson.Default.InfoDocument);
        }

        return ExitCodes.Done;
    }

    private static void TellImage(IImageInput input, Composition composition, Session session)
    {
        using var reader = new ImageStreamReader(input, composition.Compressor);
        bool? complete = IsComplete(input, composition, out string? problem);
        var (header, manifest) = (reader.Header, reader.Manifest);
        session.Say($"Image \"{manifest.Name}\" of {manifest.Machine.HostName} ({manifest.Machine.OperatingSystem}, {manifest.Machine.Firmware.ToUpperInvariant()})");
        session.Say($"made {header.Created:yyyy-MM-dd HH:mm} UTC by {manifest.Program}, id {header.ImageId}");
        session.Say(complete switch
        {
            true => "complete (dr verify checks its content)",
            false => "NOT COMPLETE: " + problem,
            null => "it can only be read forward: dr verify says whether it is complete",
        });
        session.Say();
        foreach (string line in PlanText.Contents(manifest).Concat(manifest.Warnings.Select(w => "! " + w)))
        {
            session.Say(line);
        }

        session.Document(DocumentMaker.Info(manifest, DocumentMaker.Image(header, manifest, complete)), DocumentJson.Default.InfoDocument);
    }

    /// <returns>Null where only reading all of it would tell.</returns>
    private static bool? IsComplete(IImageInput input, Composition composition, out string? problem)
    {
        problem = null;
        if (!input.IsRandomAccess)
        {
            return null;
        }

        try
        {
            using var image = ImageReader.Open(input, composition.Compressor);
            image.ProveComplete();
            return true;
        }
        catch (CorruptDataException e)
        {
            problem = e.Message;
            return false;
        }
    }

    /// <summary>An image is told from a raw disk by the first four bytes of its first piece; no disk is empty, an unfinished image may be.</summary>
    private static bool IsImage(string name)
    {
        if (ImageLocation.HasScheme(name))
        {
            return true;
        }

        if (File.Exists(name + ".001") && !File.Exists(name))
        {
            return true;
        }

        if (!File.Exists(name))
        {
            return false;
        }

        using var file = File.OpenRead(name);
        Span<byte> magic = stackalloc byte[4];
        int read = file.ReadAtLeast(magic, 4, throwOnEndOfStream: false);
        return read == 0 || read == 4 && BitConverter.ToUInt32(magic) == ImageFormat.Magic;
    }
}
