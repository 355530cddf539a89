using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Boot;

namespace DR.Engine.Restore;

/// <summary>
/// Carries out a plan in the order that makes it safe: take the disks, erase and mark them, data, read-back, fix and grow
/// in private views, and only then the tables, LBA 0 last. Whatever fails before that leaves disks without tables.
/// </summary>
public sealed class RestorePipeline(IMachine machine, IToolRunner tools, IFrameCompressor compressor)
{
    private const int MaxHeld = 1 << 20;

    /// <summary>Threads that decode and write.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount + 4;

    /// <summary>
    /// Restores. Ctrl-C and failures before the first write leave everything as it was; later ones say in which state
    /// the disks are.
    /// </summary>
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

        var disks = new List<HeldBlockDevice>();
        try
        {
            Take(plan, disks);
            return RunOn(plan, reader, disks, report, cancel);
        }
        finally
        {
            disks.ForEach(d => d.Dispose());
        }
    }

    /// <summary>Nothing on the disks changes here.</summary>
    private void Take(RestorePlan plan, List<HeldBlockDevice> disks)
    {
        var guard = new DiskGuard(machine);
        foreach (var target in plan.Disks)
        {
            guard.Recheck(target.Identity, plan.Request);
            disks.Add(new HeldBlockDevice(machine.OpenExclusively(target.Identity), HeldLength(target.Layout)));
        }
    }

    private static int HeldLength(DiskLayout layout) =>
        (int)layout.Partitions.Select(p => p.Extent.Start).Append(Math.Min(MaxHeld, layout.Length)).Min();

    private RestoreResult RunOn(RestorePlan plan, ImageStreamReader reader, List<HeldBlockDevice> disks, IJobReport report, CancellationToken cancel)
    {
        List<string> notes = [];
        try
        {
            cancel.ThrowIfCancellationRequested();
            Erase(plan, disks, report);
            var readBack = plan.Request.ReadBack ? new ReadBack(machine, [.. disks.Select(d => d.Inner)], cancel) : null;
            var routes = Routes(plan, disks);
            report.Stage("restoring", plan.Bytes);
            var sink = new RestoreSink(routes, readBack, report);
            var pumped = new ImagePump(compressor, Workers).Run(reader, sink, plan.Request.Salvage, cancel);
            Finish(plan, disks, routes, readBack, report, notes, cancel);
            return AfterCommit(plan, disks, report, notes, cancel) with
            {
                Losses = [.. pumped.Losses, .. Lost(plan, pumped.Findings)],
                WrittenBytes = sink.WrittenBytes,
                ReadBackBytes = readBack?.Bytes ?? 0,
                CacheExcluded = readBack?.CacheExcluded ?? false,
            };
        }
        catch (Exception e) when (e is DrException and not RestoreBrokenException or OperationCanceledException)
        {
            throw new RestoreBrokenException(e, [.. plan.Disks.Select(d => d.Identity.Path)]);
        }
    }

    private static void Erase(RestorePlan plan, List<HeldBlockDevice> disks, IJobReport report)
    {
        foreach (var (target, disk) in plan.Disks.Zip(disks))
        {
            report.Note($"erasing tables and signatures of {target.Identity.Path}");
            foreach (var extent in target.Erase)
            {
                disk.Inner.Zero(extent);
            }

            disk.Flush();
            if (target.MarkerOffset is { } offset)
            {
                RestoreMarker.Write(disk.Inner, offset, plan.Header.ImageId, target.Identity);
            }
        }
    }

    private static Dictionary<int, IBlockDevice> Routes(RestorePlan plan, List<HeldBlockDevice> disks)
    {
        var routes = new Dictionary<int, IBlockDevice>();
        foreach (var volume in plan.Volumes)
        {
            var extent = volume.Extent with { Length = volume.Source.Length };
            string name = Title(plan, volume);
            routes.Add(volume.Source.Space, new SliceBlockDevice(disks[volume.Target], extent, name));
        }

        foreach (var region in plan.Regions)
        {
            var disk = disks[region.Target];
            routes.Add(region.Source.Space, new SliceBlockDevice(disk, region.Source.Extent, $"{disk.Name} {region.Source.Role}"));
        }

        return routes;
    }

    private static string Title(RestorePlan plan, TargetVolume volume)
    {
        int partition = volume.Source.Segments[0].Partition;
        string disk = plan.Disks[volume.Target].Identity.Path;
        return partition == 0 ? $"{disk} ({volume.Source.Title})" : $"{disk} partition {partition} ({volume.Source.Title})";
    }

    private void Finish(
        RestorePlan plan, List<HeldBlockDevice> disks, Dictionary<int, IBlockDevice> routes, ReadBack? readBack, IJobReport report, List<string> notes, CancellationToken cancel)
    {
        report.Note("flushing");
        disks.ForEach(d => d.Flush());
        readBack?.CheckAll();
        foreach (var volume in plan.Volumes.Where(v => v.Moved))
        {
            if (HiddenSectors.Follow(routes[volume.Source.Space], volume.Source.Kind, volume.Source.Length, volume.SourceExtent.Start, volume.Extent.Start))
            {
                notes.Add($"{Title(plan, volume)}: hidden sectors now say {volume.Extent.Start / disks[volume.Target].SectorSize}");
            }
        }

        foreach (var volume in plan.Volumes.Where(v => v.GrowTool is not null && v.Source.Segments[0].Partition != 0))
        {
            Grow(plan, volume, disks, report, notes, cancel);
        }

        cancel.ThrowIfCancellationRequested();
        foreach (var (target, disk) in plan.Disks.Zip(disks))
        {
            TableCommit.Run(disk, target);
            report.Note($"{target.Identity.Path}: tables written and read back");
        }
    }

    private void Grow(RestorePlan plan, TargetVolume volume, List<HeldBlockDevice> disks, IJobReport report, List<string> notes, CancellationToken cancel)
    {
        string name = Title(plan, volume);
        report.Note($"growing {name} to {ByteSize.Format(volume.Extent.Length)} by {volume.GrowTool}");
        var disk = disks[volume.Target].Inner;
        disk.Flush();
        using (var view = machine.Expose(disk, volume.Extent))
        {
            new VolumeGrower(tools).Grow(volume.GrowTool!, view.Path, name, cancel);
        }

        disk.Flush();
        notes.Add($"{name}: grown from {volume.Source.Length} to {volume.Extent.Length} bytes and checked");
    }

    /// <summary>The data is complete and valid: what fails from here on is said, and undoes nothing.</summary>
    private RestoreResult AfterCommit(RestorePlan plan, List<HeldBlockDevice> disks, IJobReport report, List<string> notes, CancellationToken cancel)
    {
        foreach (var volume in plan.Volumes.Where(v => v.GrowTool is not null && v.Source.Segments[0].Partition == 0))
        {
            try
            {
                Grow(plan, volume, disks, report, notes, cancel);
            }
            catch (DrException e)
            {
                throw new RestoreBrokenException(e, $"The data on {plan.Disks[volume.Target].Identity.Path} is complete and valid, but the filesystem still has its old size.");
            }
        }

        string? problem = null;
        foreach (var (target, disk) in plan.Disks.Zip(disks))
        {
            try
            {
                notes.AddRange(new EfiBootRepair(machine, tools).Run(disk.Inner, target.Layout, report, cancel));
            }
            catch (DrException e)
            {
                problem = $"{target.Identity.Path}: {e.Message}. Remedy: dr boot repair {target.Identity.Path}";
            }

            machine.RereadTable(disk.Inner);
        }

        return new RestoreResult([], 0, 0, false, problem, notes);
    }

    private static IEnumerable<string> Lost(RestorePlan plan, Findings findings) =>
        from run in findings.Unreadable
        let volume = plan.Volumes.FirstOrDefault(v => v.Source.Space == run.Space)
        where volume is not null
        select $"{Title(plan, volume)}: {run.Extent.Length} bytes at offset {run.Extent.Start} could not be read when the image was made and are zeros";
}
