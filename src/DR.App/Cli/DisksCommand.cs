using System.CommandLine;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.App.Cli;

/// <summary><c>dr disks</c></summary>
internal static class DisksCommand
{
    public static Command Make(CommonOptions common)
    {
        var command = new Verb("disks", "Lists the disks of this machine with their identities and what they hold, reading only.",
            ["dr disks", "dr disks --json"], 0, 1, 7);
        Session.Bind(command, common, (_, session, _) => Run(session));
        return command;
    }

    private static int Run(Session session)
    {
        var machine = new Composition().Machine;
        var documents = new List<AttachedDiskDocument>();
        foreach (var disk in machine.Disks())
        {
            var contents = Contents(machine, disk);
            var uses = machine.Uses(disk);
            documents.Add(DocumentMaker.Attached(disk, contents.Words, contents.Blank, uses));
            session.Say($"{disk.Path}  {ByteSize.Format(disk.Length)}  {disk.Model}".TrimEnd());
            session.Say($"  identity  {disk.Id}");
            session.Say($"  bus       {disk.Bus}, sectors of {disk.SectorSize} bytes");
            session.Say($"  holds     {contents.Words}");
            session.Say($"  in use    {(uses.Count == 0 ? "no" : string.Join(", ", uses.Select(u => u.What)))}");
        }

        if (documents.Count == 0)
        {
            session.Say("There are no disks, or this account may not see them.");
        }

        session.Document(new DisksDocument(documents), DocumentJson.Default.DisksDocument);
        return ExitCodes.Done;
    }

    private static (string Words, bool Blank) Contents(IMachine machine, DiskIdentity disk)
    {
        try
        {
            using var device = machine.OpenForReading(disk);
            var contents = DiskContents.Of(device);
            return (contents.Words, contents.Blank);
        }
        catch (DrException e)
        {
            return ("cannot be read: " + e.Message, false);
        }
    }
}
