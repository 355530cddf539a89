using System.CommandLine;
using DR.Core.Devices;
using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Engine.Sources;
using DR.Engine.Sources.Tapes;

namespace DR.App.Cli.Tape;

/// <summary><c>dr tape status|list|label|erase TAPE</c></summary>
internal static class TapeCommand
{
    public static Command Make(CommonOptions common) =>
        new Verb("tape", "Looks at tape cartridges, labels and erases them.", ["dr tape status tape:/dev/nst0", "dr tape label vtape:/srv/tapes --capacity 100G --count 3"], 0, 1, 2, 3, 7, 130)
        {
            Status(common), List(common), Label(common), Erase(common),
        };

    private static Verb Status(CommonOptions common) => Part(common, "status", "Says what is in the drive and how the drive feels; winds the cartridge back.",
        ["dr tape status tape:/dev/nst0", "dr tape status vtape:/srv/tapes --json"], [], writes: false, (run, session, _) =>
        {
            using var drive = run.Open();
            var cartridge = Cartridge.In(drive);
            session.Say($"{drive.Name}: {Words(cartridge.Status)}");
            session.Say($"  cartridge  {cartridge.Words}{(cartridge.Status.WriteProtected ? ", write-protected" : "")}");
            if (cartridge.State == CartridgeState.Used)
            {
                session.Say($"  written    {cartridge.Label!.Written:yyyy-MM-dd HH:mm} UTC by {cartridge.Label.Program}; dr tape list says what is on it");
            }

            if (cartridge.Status.CleaningWanted)
            {
                session.Report.Warn($"{drive.Name} asks for its cleaning cartridge: put it in before the next job; the drive puts it out itself when it is done");
            }

            session.Document(TapeDocuments.Status(drive, cartridge), DocumentJson.Default.TapeStatusDocument);
            return ExitCodes.Done;
        });

    private static Verb List(CommonOptions common) => Part(common, "list", "Lists the images on the cartridge in the drive, by spacing over them.",
        ["dr tape list tape:/dev/nst0", "dr tape list vtape:/srv/tapes --json"], [], writes: false, (run, session, cancel) =>
        {
            using var drive = run.Open();
            var cartridge = Cartridge.In(drive);
            IReadOnlyList<TapeImage> images = cartridge.State == CartridgeState.Used ? CartridgeContents.List(drive, cancel) : [];
            session.Say($"{drive.Name}: {cartridge.Words}");
            foreach (var image in images)
            {
                session.Say($"  {image.Words}{(image.End is { } end ? $", {ByteSize.Format(end.Bytes)} up to here" : "")}");
            }

            if (images.Count == 0)
            {
                session.Say("  no images");
            }

            session.Document(TapeDocuments.List(drive, cartridge, images), DocumentJson.Default.TapeListDocument);
            return ExitCodes.Done;
        });

    private static Verb Label(CommonOptions common)
    {
        var text = new Option<string?>("--label") { Description = "What the cartridge is called from now on; its barcode by default.", HelpName = "TEXT" };
        var capacity = new Option<string?>("--capacity") { Description = "vtape: make blank cartridges that hold this much: 100G.", HelpName = "SIZE" };
        var count = new Option<int>("--count") { Description = "vtape: how many to make.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var plan = new Option<bool>("--plan", "--dry-run") { Description = "Show what would be done, and stop." };
        return Part(common, "label", "Writes a label onto a blank cartridge; for vtape:, makes the cartridges.",
            ["dr tape label tape:/dev/nst0 --label MON-1", "dr tape label vtape:/srv/tapes --capacity 100G --count 3"], [text, capacity, count, plan], writes: true, (run, session, _) =>
            run.Parsed.GetValue(capacity) is { } size
                ? MakeVirtual(run, size, run.Parsed.GetValue(count), run.Parsed.GetValue(plan), session)
                : WriteLabel(run, run.Parsed.GetValue(text), run.Parsed.GetValue(plan), session));
    }

    private static Verb Erase(CommonOptions common)
    {
        var plan = new Option<bool>("--plan", "--dry-run") { Description = "Show what would be erased, and stop." };
        return Part(common, "erase", "Erases the cartridge in the drive, if it is blank but for a label or is named by --overwrite-tape.",
            ["dr tape erase tape:/dev/nst0 --overwrite-tape MON-1", "dr tape erase vtape:/srv/tapes --overwrite-tape DR0001"], [plan], writes: true, (run, session, _) =>
            {
                using var drive = run.Open();
                var cartridge = CartridgeKeeper.Require(drive, run.Overwrite);
                bool planned = run.Parsed.GetValue(plan);
                session.Say($"{drive.Name}: {cartridge.Words} {(planned ? "would be" : "is going to be")} erased");
                if (!planned)
                {
                    CartridgeKeeper.Erase(drive, cartridge);
                    session.Say("Erased.");
                }

                session.Document(TapeDocuments.Status(drive, planned ? cartridge : Cartridge.In(drive)), DocumentJson.Default.TapeStatusDocument);
                return ExitCodes.Done;
            });
    }

    private static int MakeVirtual(TapeRun run, string size, int count, bool planned, Session session)
    {
        if (!run.Location.IsVirtual || !ByteSize.TryParse(size, out long capacity) || count is < 1 or > 9999)
        {
            throw new DrException(Failure.Usage, $"--capacity {size} --count {count}: cartridges are made for vtape: only, 1 to 9999 of a size such as 100G");
        }

        var names = planned ? [] : run.Drives.MakeVirtual(run.Location.Name, capacity, count);
        session.Say(planned ? $"vtape:{run.Location.Name}: {count} cartridges of {ByteSize.Format(capacity)} would be made"
            : $"vtape:{run.Location.Name}: made {string.Join(", ", names)}, {ByteSize.Format(capacity)} each");
        session.Document(new TapeMadeDocument(ExitCodes.Done, planned, names), DocumentJson.Default.TapeMadeDocument);
        return ExitCodes.Done;
    }

    private static int WriteLabel(TapeRun run, string? text, bool planned, Session session)
    {
        using var drive = run.Open();
        var cartridge = CartridgeKeeper.Require(drive, run.Overwrite);
        string name = text ?? cartridge.Status.Barcode ?? throw new DrException(Failure.Usage, $"{drive.Name}: nothing reads a barcode here; say what the cartridge is called: --label TEXT");
        session.Say($"{drive.Name}: {cartridge.Words} {(planned ? "would be" : "is going to be")} labelled {name}{(cartridge.HasData ? ", which ERASES what it holds" : "")}");
        var after = planned ? cartridge : CartridgeKeeper.Label(drive, cartridge, name, Composition.Program, TimeProvider.System.GetUtcNow());
        session.Document(TapeDocuments.Status(drive, after), DocumentJson.Default.TapeStatusDocument);
        return ExitCodes.Done;
    }

    private static string Words(TapeStatus status) =>
        !status.Loaded ? "no cartridge is in, or it is not ready"
        : "ready" + (status.Serial is { } serial ? $", serial {serial}" : "") + (status.Barcode is { } code ? $", barcode {code}" : "");

    private static Verb Part(
        CommonOptions common, string name, string summary, string[] examples, Option[] options, bool writes, Func<TapeRun, Session, CancellationToken, int> work)
    {
        var tape = new Argument<string>("TAPE") { Description = "tape:/dev/nst0, or vtape:DIR for a folder of virtual cartridges." };
        var arguments = new TapeArguments();
        var load = new Option<string?>("--load") { Description = "First let the changer put this cartridge in: its barcode, or its slot.", HelpName = "CARTRIDGE" };
        var command = new Verb(name, summary, examples, writes ? [0, 1, 2, 3, 7, 130] : [0, 1, 2, 7, 130]) { tape, load };
        foreach (var option in options)
        {
            command.Add(option);
        }

        arguments.AddTo(command, writes, buffer: false);
        Session.Bind(command, common, (parsed, session, cancel) =>
        {
            var composition = new Composition();
            string location = parsed.GetValue(tape)!;
            return ImageLocation.Parse(location) is ImageLocation.Tape { Selection.Number: 0 } found
                ? work(new TapeRun(parsed, found, composition.TapeDrives, arguments.Station(composition, parsed, session), parsed.GetValue(load)), session, cancel)
                : throw new DrException(Failure.Usage, $"{location}: a tape is wanted: tape:/dev/nst0, or vtape:DIR");
        });
        return command;
    }

    /// <summary>One run of a tape verb.</summary>
    private sealed record TapeRun(ParseResult Parsed, ImageLocation.Tape Location, ITapeDrives Drives, TapeStation Station, string? Load)
    {
        public IReadOnlyList<string> Overwrite => Station.Overwrite;

        public ITapeDrive Open()
        {
            var unit = Station.OpenUnit(Location);
            try
            {
                if (Load is not null)
                {
                    Put(unit, Load);
                }

                return unit.Drive;
            }
            catch (Exception e)
            {
                unit.Drive.DisposeAfter(e);
                throw;
            }
        }

        private static void Put(TapeUnit unit, string wanted)
        {
            var all = unit.Changer?.Cartridges() ?? throw new DrException(Failure.Usage, $"--load {wanted}: {unit.Drive.Name} has no changer; name it with --changer");
            var cartridge = all.FirstOrDefault(c => c.Barcode == wanted) ?? all.FirstOrDefault(c => c.Place == wanted)
                ?? throw new DrException(Failure.Usage, $"--load {wanted}: there is no such cartridge; there are {string.Join(", ", all.Select(c => c.Barcode ?? c.Place))}");
            if (unit.Drive.Status().Loaded)
            {
                unit.Drive.Unload();
            }

            unit.Changer.Load(cartridge);
        }
    }
}
