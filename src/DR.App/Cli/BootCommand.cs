using System.CommandLine;
using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Boot;

namespace DR.App.Cli;

/// <summary><c>dr boot inspect|repair DISK...</c></summary>
internal static class BootCommand
{
    public static Command Make(CommonOptions common) =>
        new Verb("boot", "Looks into, or repairs, what a machine starts from.", ["dr boot inspect /dev/sda", "dr boot repair /dev/sda"], 0, 1, 2, 3, 7, 9, 130)
        {
            Part(common, "inspect", "Says whether firmware without boot entries will find a system on the disks, reading only.", repair: false),
            Part(common, "repair", "Copies the system's own loader to where firmware without boot entries looks for it, and gives this computer's firmware one boot entry for it. Can be run again at any time.", repair: true),
        };

    private static Verb Part(CommonOptions common, string name, string summary, bool repair)
    {
        var disks = new Argument<string[]>("DISK") { Description = "Whole disks of one machine.", Arity = ArgumentArity.OneOrMore };
        var command = new Verb(name, summary, [$"dr boot {name} /dev/sda", $"dr boot {name} /dev/sda /dev/sdb --json"], 0, 1, 2, 3, 7, 9, 130) { disks };
        Session.Bind(command, common, (parsed, session, cancel) => Run(parsed.GetValue(disks)!, repair, session, cancel));
        return command;
    }

    private static int Run(string[] names, bool repair, Session session, CancellationToken cancel)
    {
        var composition = new Composition();
        var missing = EfiBootRepair.Tools.Where(t => !composition.Tools.Has(t)).ToList();
        if (missing.Count > 0)
        {
            throw new DrException(Failure.Missing, $"these tools are needed and not there: {string.Join(", ", missing)} (Debian: mtools); nothing was changed");
        }

        var disks = names.Select(n => On(composition, n, repair, cancel)).ToList();
        int code = disks.Any(d => d.Bootable) ? ExitCodes.Done : ExitCodes.NotBootable;
        disks.ForEach(d => Tell(d, session));
        session.Document(new BootDocument(code, repair, disks), DocumentJson.Default.BootDocument);
        return code;
    }

    private static BootDiskDocument On(Composition composition, string name, bool repair, CancellationToken cancel)
    {
        var identity = composition.Machine.Identify(name);
        using var disk = repair ? composition.Machine.OpenExclusively(identity) : composition.Machine.OpenForReading(identity);
        var layout = LayoutReader.Read(disk);
        var boot = new EfiBootRepair(composition.Machine, composition.Tools);
        var states = repair ? boot.Run(disk, layout, cancel) : boot.Inspect(disk, layout, cancel);
        var entries = repair ? new EfiBootEntries(composition.Machine, composition.Tools)
            .Set(identity, layout, boot.Inspect(disk, layout, cancel), null, cancel) : [];
        bool code = layout.Table != TableKind.None && HasBootCode(disk);
        return new BootDiskDocument(identity.Path, code || states.Any(s => s.Fallback is not null), code,
            [.. states.Select(s => new EspDocument(s.Partition, s.Fallback, s.CopiedFrom, s.Problem, s.Words))], entries);
    }

    /// <summary>Whether a BIOS would find code in LBA 0.</summary>
    private static bool HasBootCode(IBlockDevice disk) => disk.ReadBytes(0, 440).AsSpan().ContainsAnyExcept((byte)0);

    private static void Tell(BootDiskDocument disk, Session session)
    {
        session.Say($"{disk.Path}: boot code for a BIOS in LBA 0: {(disk.BootCode ? "yes" : "no")}");
        foreach (var esp in disk.SystemPartitions)
        {
            session.Say("  " + esp.Words);
        }

        foreach (string entry in disk.BootEntries)
        {
            session.Say("  " + entry);
        }

        if (disk.SystemPartitions.Count == 0)
        {
            session.Say("  no EFI system partition");
        }

        if (!disk.Bootable)
        {
            bool remedy = disk.SystemPartitions.Any(e => e.Loader is not null);
            session.Say($"  A machine will not start from this disk{(remedy ? $" yet. Remedy: dr boot repair {disk.Path}" : "")}.");
        }
    }
}
