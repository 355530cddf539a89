using System.CommandLine;
using DR.Engine.Sources;

namespace DR.App.Cli;

/// <summary>Options of the verbs that read an image from wherever it is.</summary>
internal sealed class SourceOptions
{
    private readonly Option<string?> _ca = new("--ca") { Description = "Trust the authorities in this PEM file too, for https.", HelpName = "FILE" };
    private readonly Option<string?> _credentials = new("--credentials") { Description = "Names and passwords for servers, readable by you only: lines HOST USER PASSWORD [DOMAIN].", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        command.Add(_ca);
        command.Add(_credentials);
    }

    public OpenedImage Open(string location, Composition composition, ParseResult parsed, Session session, CancellationToken cancel) =>
        composition.Images(parsed.GetValue(_ca), parsed.GetValue(_credentials), session.Report.Warn).Open(location, cancel);
}
