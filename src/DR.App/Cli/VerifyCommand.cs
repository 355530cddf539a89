using System.CommandLine;
using System.Diagnostics;
using DR.App.Cli.Tape;
using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Sources;

namespace DR.App.Cli;

/// <summary><c>dr verify IMAGE</c></summary>
internal static class VerifyCommand
{
    public static Command Make(CommonOptions common)
    {
        var image = new Argument<string>("IMAGE") { Description = "The image, or its first piece." };
        var structure = new Option<bool>("--structure") { Description = "Check everything but the content of frames." };
        var command = new Verb("verify", "Reads an image from end to end and checks every checksum and digest in it.",
            ["dr verify server.drimg", "dr verify smb://nas/backup/server.drimg --structure", "dr verify tape:/dev/nst0#2"], 0, 1, 2, 4, 7, 8, 130);
        command.Add(image);
        command.Add(structure);
        var source = new SourceOptions();
        source.AddTo(command);
        Session.Bind(command, common, (parsed, session, cancel) =>
        {
            var composition = new Composition();
            using var opened = source.Open(parsed.GetValue(image)!, composition, parsed, session, cancel);
            return Run(opened, parsed.GetValue(structure), composition, session, cancel);
        });
        return command;
    }

    private static int Run(OpenedImage opened, bool structure, Composition composition, Session session, CancellationToken cancel)
    {
        var input = opened.Input;
        using var reader = new ImageStreamReader(input, composition.Compressor);
        var watch = Stopwatch.StartNew();
        session.Report.Stage("verifying", reader.Manifest.Volumes.Sum(v => v.SavedBytes));
        var result = structure
            ? ImageVerifier.VerifyStructure(input, composition.Compressor, session.Report, cancel)
            : ImageVerifier.Verify(reader, composition.Compressor, Environment.ProcessorCount, session.Report, cancel);
        session.Report.Finish();
        List<string> findings =
        [
            .. DocumentMaker.Unreadable(reader.Manifest, result.Findings)
                .Select(u => $"{u.Volume}: {u.SizeBytes} bytes at offset {u.OffsetBytes} could not be read when the image was made and are zeros"),
            .. result.Findings.Notes,
        ];
        Tell(input.Name, structure, result, findings, watch.Elapsed, session);
        int code = result.Findings.Unreadable.Count > 0 ? ExitCodes.Losses : ExitCodes.Done;
        var trailer = result.Trailer!;
        session.Document(new VerifyDocument(code, input.Name, reader.Header.ImageId.ToString(), !structure, trailer.Frames, trailer.StoredBlocks,
            trailer.ZeroBlocks, trailer.DamagedBlocks, watch.Elapsed.TotalSeconds, findings)
        {
            DriveStops = opened.Tape?.DriveStops,
            Cartridges = TapeDocuments.Cartridges(opened.Tape),
        }, DocumentJson.Default.VerifyDocument);
        return code;
    }

    private static void Tell(string name, bool structure, PumpResult result, List<string> findings, TimeSpan elapsed, Session session)
    {
        session.Say(structure
            ? $"{name}: the structure is whole; the content of its {result.Trailer!.Frames} frames was NOT checked ({ConsoleReport.Duration(elapsed)})."
            : $"{name}: whole. {result.Trailer!.Frames} frames, {ByteSize.Format(result.Trailer.ContentBytes)} of content, every checksum and digest is right ({ConsoleReport.Duration(elapsed)}).");
        findings.ForEach(session.Report.Warn);
    }
}
