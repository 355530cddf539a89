using System.CommandLine;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Engine.Sources.Tapes;

namespace DR.App.Cli.Tape;

/// <summary>Options of the verbs that use tapes.</summary>
internal sealed class TapeArguments
{
    /// <summary>How long a job waits for a cartridge where nobody can be asked.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(12);

    private readonly Option<string?> _buffer = new("--buffer") { Description = "Memory between the job and a tape drive, 4M at least; by default 512M, or a quarter of the free memory.", HelpName = "SIZE" };
    private readonly Option<string?> _changer = new("--changer") { Description = "The changer that serves the tape drive: /dev/sg3, or /dev/sg3,1 for its second drive. Without it, you are asked for cartridges.", HelpName = "DEVICE" };
    private readonly Option<string[]> _overwrite = new("--overwrite-tape") { Description = "Overwrite this cartridge although it holds data; by its label, as dr tape status prints it.", HelpName = "LABEL" };

    public void AddTo(Command command, bool writes, bool buffer = true)
    {
        if (buffer)
        {
            command.Add(_buffer);
        }

        command.Add(_changer);
        if (writes)
        {
            command.Add(_overwrite);
        }
    }

    /// <exception cref="DrException">A size cannot be understood.</exception>
    public TapeStation Station(Composition composition, ParseResult parsed, Session session, string imageName = "image", bool salvage = false) =>
        composition.Tapes(
            new TapeOptions(Composition.Program)
            {
                Buffer = parsed.GetResult(_buffer) is null ? null : BufferOf(parsed.GetValue(_buffer)),
                Changer = parsed.GetValue(_changer),
                Overwrite = parsed.GetResult(_overwrite) is null ? [] : parsed.GetValue(_overwrite) ?? [],
                ImageName = imageName,
                Salvage = salvage,
            },
            session.MayAsk ? new AskingFeeder((wish, cancel) => Ask(wish, session, cancel)) : new WaitingFeeder(Patience, session.Report, TimeProvider.System),
            session.Report);

    private static long? BufferOf(string? text) => text switch
    {
        null => null,
        _ when ByteSize.TryParse(text, out long size) && size is >= TapeSettings.MinBuffer and <= 64L << 30 => size,
        _ => throw new DrException(Failure.Usage, $"--buffer {text}: a size from 4M to 64G is wanted, such as 1G"),
    };

    private static bool Ask(CartridgeWish wish, Session session, CancellationToken cancel)
    {
        session.Report.Pause();
        Console.Out.Write($"\n{wish.Words}.\nPut it in and press Enter, or type \"none\" if there is no such cartridge: ");

        // On a thread of its own, since reading a line cannot be stopped.
        var answer = Task.Run(Console.In.ReadLine, CancellationToken.None);
        answer.Wait(cancel);
        return answer.Result is { } line && !line.Trim().Equals("none", StringComparison.OrdinalIgnoreCase);
    }
}
