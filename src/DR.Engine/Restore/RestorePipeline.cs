using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Raid;
using DR.Core.Primitives;
using DR.Engine.Boot;
using DR.Engine.Restore.Fitting;
using DR.Engine.Restore.Lvm;
using DR.Engine.Restore.Md;

namespace DR.Engine.Restore;

/// <summary>
/// Carries out a plan in the order that makes it safe: take the disks, erase and mark them, data, read-back, fix and grow
/// in private views, and only then the tables, LBA 0 last. Whatever fails before that leaves disks without tables.
/// </summary>
public sealed class RestorePipeline(IMachine machine, IToolRunner tools, IFrameCompressor compressor)
{
    /// <summary>Threads that decode and write.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount + 6;

    /// <summary>Restores.</summary>
    /// <exception cref="RestoreBrokenException">It failed or was stopped after the first write; says what state the disks are in.</exception>
    /// <exception cref="DrException">It failed before the first write; nothing has been changed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before the first write.</exception>
    public RestoreResult Run(RestorePlan plan, IImageInput input, IJobReport report, CancellationToken cancel)
    {
        if (plan.Request.VerifyFirst)
        {
            report.Stage("verifying the image", plan.Bytes);
            using var whole = new ImageStreamReader(input, compressor);
            ImageVerifier.Verify(whole, compressor, Workers, report, cancel);
        }

        using var reader = new ImageStreamReader(input, compressor, plan.Request.Salvage);
        if (reader.Header.ImageId != plan.Header.ImageId)
        {
            throw new DrException(Failure.Refused, $"{input.Name} is not the image that the restore was planned with; nothing was changed");
        }

        var targets = new List<RestoreTarget>();
        try
        {
            Take(plan, targets);
            cancel.ThrowIfCancellationRequested();
            return RunOn(plan, reader, targets, report, cancel);
        }
        catch (Exception e) when (e is not RestoreBrokenException && targets.Any(t => t.State != TargetState.Untouched))
        {
            targets.ForEach(t => t.Abandon());
            throw new RestoreBrokenException(e, StateOf(targets));
        }
        finally
        {
            targets.ForEach(t => t.Dispose());
        }
    }

    /// <summary>Nothing on the disks changes here.</summary>
    private void Take(RestorePlan plan, List<RestoreTarget> targets)
    {
        var guard = new DiskGuard(machine);
        foreach (var target in plan.Disks)
        {
            guard.Recheck(target.Identity, plan.Request);
            targets.Add(new RestoreTarget(target, machine.OpenExclusively(target.Identity), plan.Header.ImageId));
        }

        // Once more, now that nobody else can change them.
        foreach (var target in plan.Disks)
        {
            guard.RequireUnchanged(target.Identity);
        }
    }

    private static string StateOf(List<RestoreTarget> targets)
    {
        if (targets.All(t => t.State == TargetState.Valid))
        {
            return $"{StateWords(targets)}\nNothing has to be restored again.";
        }

        var again = targets.Where(t => t.State != TargetState.Untouched && !t.IsMarked).Select(t => t.Path).ToList();
        string how = again.Count == 0 ? "no --overwrite is needed"
            : $"for {string.Join(" and ", again)} with --overwrite and the identity that dr disks prints now";
        return $"{StateWords(targets)}\nTo begin anew, run the same restore again; {how}.";
    }

    private RestoreResult RunOn(RestorePlan plan, ImageStreamReader reader, List<RestoreTarget> targets, IJobReport report, CancellationToken cancel)
    {
        foreach (var target in targets)
        {
            report.Note($"erasing tables and signatures of {target.Path}");
            target.Erase();
        }

        var readBack = plan.Request.ReadBack ? new ReadBack(machine, [.. targets.Select(t => t.Disk.Inner)], report, cancel) : null;
        List<RestoreTarget> devices = [.. targets, .. plan.Arrays.Select(a => new RestoreTarget(a.Device, ArrayCommit.Open(a, targets), plan.Header.ImageId))];
        foreach (var array in devices.Skip(targets.Count))
        {
            // Where its members do not end together, its own end is not at the end of a partition.
            array.Plan.Erase.ToList().ForEach(array.Disk.Inner.Zero);
        }

        var routes = Routes(plan, devices);
        report.Stage("restoring", plan.Bytes);
        var sink = new RestoreSink(routes, readBack, new SpaceProgress(plan.Manifest, report));
        var pumped = new ImagePump(compressor, Workers).Run(reader, sink, plan.Request.Salvage, cancel);
        List<string> notes = [];
        Finish(plan, devices, routes, readBack, report, notes, cancel);
        var problem = AfterCommit(plan, targets, report, notes);
        return new RestoreResult(
            [.. pumped.Losses, .. Lost(routes, pumped.Findings)], sink.WrittenBytes, readBack?.Bytes ?? 0, readBack?.CacheExcluded ?? false, problem, notes);
    }

    /// <param name="targets">The arrays too.</param>
    private static Dictionary<int, IBlockDevice> Routes(RestorePlan plan, List<RestoreTarget> targets)
    {
        var routes = new Dictionary<int, IBlockDevice>();
        foreach (var volume in plan.Volumes.Where(v => v.IsLogical))
        {
            var logical = volume.Source.LogicalVolume!;
            routes.Add(volume.Source.Space, GroupCommit.Open(plan.Groups[logical.Group], logical.Name, targets));
        }

        foreach (var volume in plan.Volumes.Where(v => v.StaysDynamic))
        {
            routes.Add(volume.Source.Space, DynamicRoute(plan, volume, targets));
        }

        foreach (var volume in plan.Volumes.Where(v => v.IsPlain))
        {
            var extent = volume.Extent with { Length = volume.Source.Length };
            routes.Add(volume.Source.Space, new SliceBlockDevice(targets[volume.Target].Disk, extent, Title(plan, volume)));
        }

        foreach (var region in plan.Regions)
        {
            var disk = targets[region.Target].Disk;
            routes.Add(region.Source.Space, new SliceBlockDevice(disk, region.Source.Extent, $"{disk.Name} {region.Source.Role}"));
        }

        return routes;
    }

    /// <summary>The pieces of a dynamic volume at their old places; what is read back of a mirror is read from all its sides.</summary>
    private static IBlockDevice DynamicRoute(RestorePlan plan, TargetVolume volume, List<RestoreTarget> targets) =>
        volume.Source.DynamicVolume!.Open(volume.Source, plan.Manifest.NameOf(volume.Source), d => targets.First(t => t.Plan.SourceDisk == d).Disk) switch
        {
            MirrorBlockDevice mirror => mirror.Comparing(),
            var device => device,
        };

    private static string Title(RestorePlan plan, TargetVolume volume)
    {
        if (volume.IsLogical)
        {
            return $"{plan.Manifest.NameOf(volume.Source)} ({volume.Source.Title})";
        }

        int partition = volume.Partition;
        string disk = plan.Devices[volume.Target].Identity.Path;
        return partition == 0 ? $"{disk} ({volume.Source.Title})" : $"{disk} partition {partition} ({volume.Source.Title})";
    }

    /// <param name="targets">The arrays too.</param>
    private void Finish(
        RestorePlan plan, List<RestoreTarget> targets, Dictionary<int, IBlockDevice> routes, ReadBack? readBack, IJobReport report, List<string> notes, CancellationToken cancel)
    {
        report.Note("flushing");
        targets.ForEach(t => t.Disk.Flush());
        readBack?.CheckAll();
        foreach (var volume in plan.Volumes.Where(v => v.Moved))
        {
            long? before = volume.Source.IsPlain ? volume.SourceExtent.Start : null;
            if (HiddenSectors.Follow(routes[volume.Source.Space], volume.Source.Kind, before, volume.Extent.Start))
            {
                notes.Add($"{Title(plan, volume)}: hidden sectors now say {volume.Extent.Start / targets[volume.Target].Disk.SectorSize}");
            }
        }

        foreach (var volume in plan.Volumes.Where(v => v.GrowTool is not null && !v.IsHeld))
        {
            Grow(plan, volume, targets, report, notes, cancel);
        }

        foreach (var volume in plan.Volumes.Where(v => v.StaysDynamic))
        {
            if (routes[volume.Source.Space] is ParityBlockDevice raid)
            {
                report.Note($"writing the parity of {raid.Name}");
                raid.WriteParity(cancel);
                notes.Add($"{raid.Name}: parity written, not read back");
            }
        }

        cancel.ThrowIfCancellationRequested();
        notes.AddRange(plan.Groups.Select(g => GroupCommit.Write(g, targets)));
        var disks = targets.Take(plan.Disks.Count).ToList();
        foreach (var (array, target) in plan.Arrays.Zip(targets.Skip(plan.Disks.Count)))
        {
            CommitArray(array, target, disks, report, notes, cancel);
        }

        disks.ForEach(t => t.PrepareCommit());
        disks.OrderBy(t => CommitOrder(t.Plan)).ToList().ForEach(t => t.Commit());
        disks.ForEach(t => t.RemoveMark());
        report.Note("tables written and read back");
    }

    /// <summary>What is on the array becomes valid in it, then the array; both are seen only once its disks have their tables.</summary>
    private static void CommitArray(TargetArray array, RestoreTarget target, List<RestoreTarget> disks, IJobReport report, List<string> notes, CancellationToken cancel)
    {
        target.PrepareCommit();
        target.Commit();
        report.Note($"making {array.Source.Path} an array");
        notes.AddRange(ArrayCommit.WriteParity(array, target.Disk.Inner, cancel) is { } note ? [note] : []);
        notes.Add(ArrayCommit.Write(array, disks));
    }

    /// <summary>Where the machine starts comes last, so that nothing starts from it that misses the rest of its volume group.</summary>
    private static int CommitOrder(TargetDisk disk) => disk.SourceDisk is null ? 0
        : disk.Layout.Table == TableKind.None ? 1
        : !BootDisk.Starts(disk.Layout) ? 2
        : 3;

    private void Grow(RestorePlan plan, TargetVolume volume, List<RestoreTarget> targets, IJobReport report, List<string> notes, CancellationToken cancel)
    {
        string name = Title(plan, volume);
        report.Note($"growing {name} to {ByteSize.Format(volume.Length)} by {volume.GrowTool}");
        var runs = Runs(volume, targets);
        runs.ForEach(r => r.Device.Flush());
        using (var view = machine.Expose(runs))
        {
            new VolumeGrower(tools).Grow(volume.GrowTool!, view.Path, name, cancel);
        }

        runs.ForEach(r => r.Device.Flush());
        VolumeGrower.Verify(volume.GrowTool!, new MappedBlockDevice(name, [.. runs.Select(r => new MappedPiece(r.Extent.Length, 0, [new MappedColumn(r.Device, r.Extent.Start)]))]));
        notes.Add($"{name}: grown from {volume.Source.Length} to {volume.Length} bytes and checked"
            + (volume.Source.Kind == "ntfs" ? "; Windows will check it once more when it starts" : ""));
    }

    /// <summary>Where the volume lies, in whole sectors and as few runs as can be.</summary>
    private static List<DeviceRun> Runs(TargetVolume volume, List<RestoreTarget> targets)
    {
        var runs = new List<DeviceRun>();
        foreach (var segment in volume.Segments)
        {
            var disk = targets[segment.Target].Disk.Inner;
            if (runs.Count > 0 && runs[^1].Device == disk && runs[^1].Extent.End == segment.Extent.Start)
            {
                runs[^1] = runs[^1] with { Extent = Extent.Between(runs[^1].Extent.Start, segment.Extent.End) };
            }
            else
            {
                runs.Add(new DeviceRun(disk, segment.Extent with { Length = segment.Extent.Length / disk.SectorSize * disk.SectorSize }));
            }
        }

        return runs;
    }

    /// <summary>
    /// The disks are complete and valid: what fails from here on is said, and undoes nothing. What is left takes moments and
    /// must not end halfway, so that a stop comes too late for it.
    /// </summary>
    /// <returns>Why the machine will not boot yet; null if it should.</returns>
    private string? AfterCommit(RestorePlan plan, List<RestoreTarget> targets, IJobReport report, List<string> notes)
    {
        foreach (var volume in plan.Volumes.Where(v => v.GrowTool is not null && v.IsHeld))
        {
            try
            {
                Grow(plan, volume, targets, report, notes, CancellationToken.None);
            }
            catch (Exception e) when (e is DrException or OperationCanceledException)
            {
                throw new RestoreBrokenException(e,
                    $"{StateWords(targets)}\nOnly growing the filesystem did not end: check it with {VolumeGrower.CheckerFor(volume.GrowTool!)}, then grow it with {volume.GrowTool} {(volume.IsLogical ? "/dev/" + plan.Manifest.NameOf(volume.Source) : plan.Disks[volume.Target].Identity.Path)}.");
            }
        }

        var repair = new EfiBootRepair(machine, tools);
        string? problem = repair.RunAll(
            [.. targets.Select(t => (t.Disk.Inner, t.Plan.Layout))], plan.Manifest.Machine.Firmware, report, notes) ?? plan.BootProblem;
        foreach (var array in plan.Arrays.Where(a => HoldsEsp(a, plan)))
        {
            ArrayCommit.MakeEqual(array, targets);
        }

        targets.ForEach(t => Reread(t, report));
        notes.AddRange(BootEntry(plan, targets, repair));
        return problem;
    }

    /// <summary>A mirror of system partitions, which firmware reads as such.</summary>
    private static bool HoldsEsp(TargetArray array, RestorePlan plan) => array.Source.Read(array.Source.Path).Super.Level == 1 && array.Members.OfType<TargetSegment>()
        .Any(m => plan.Disks[m.Target].Layout.Partitions.Any(p => p.Number == m.Partition && p.Role == PartitionRole.Esp));

    /// <summary>One for the system, on the first disk that the firmware of this computer can start it from.</summary>
    private IReadOnlyList<string> BootEntry(RestorePlan plan, List<RestoreTarget> targets, EfiBootRepair repair)
    {
        var entries = new EfiBootEntries(machine, tools);
        return targets.FirstOrDefault(t => entries.Concerns(t.Plan.Identity, t.Plan.Layout)) is { } target
            ? entries.Set(target.Plan.Identity, target.Plan.Layout,
                repair.Inspect(target.Disk.Inner, target.Plan.Layout, CancellationToken.None), plan.Manifest.Machine, CancellationToken.None)
            : [];
    }

    private static string StateWords(List<RestoreTarget> targets) => string.Join("\n", targets.Select(t => t.Words));

    private void Reread(RestoreTarget target, IJobReport report)
    {
        try
        {
            machine.RereadTable(target.Disk.Inner);
        }
        catch (DrException e)
        {
            report.Warn(e.Message);
        }
    }

    private static IEnumerable<string> Lost(Dictionary<int, IBlockDevice> routes, Findings findings) =>
        from run in findings.Unreadable
        where routes.ContainsKey(run.Space)
        select $"{routes[run.Space].Name}: {run.Extent.Length} bytes at offset {run.Extent.Start} could not be read when the image was made and are zeros";
}
