using System.CommandLine;
using DR.App.Cli.Tape;
using DR.Engine.Sources;

namespace DR.App.Cli;

/// <summary>Options of the verbs that read an image from wherever it is.</summary>
internal sealed class SourceOptions
{
    private readonly Option<string?> _ca = new("--ca") { Description = "Trust the authorities in this PEM file too, for https.", HelpName = "FILE" };
    private readonly Option<string?> _credentials = new("--credentials") { Description = "Names and passwords for servers, readable by you only: lines HOST USER PASSWORD [DOMAIN].", HelpName = "FILE" };

    private readonly TapeArguments _tape = new();

    public void AddTo(Command command)
    {
        command.Add(_ca);
        command.Add(_credentials);
        _tape.AddTo(command, writes: false);
    }

    public OpenedImage Open(string location, Composition composition, ParseResult parsed, Session session, CancellationToken cancel, bool salvage = false) =>
        composition.Images(parsed.GetValue(_ca), parsed.GetValue(_credentials), session.Report.Warn, _tape.Station(composition, parsed, session, salvage: salvage)).Open(location, cancel);
}
