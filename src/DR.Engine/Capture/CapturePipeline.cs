using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Image;
using DR.Core.Layout.Ldm;
using DR.Core.Layout.Lvm;
using DR.Core.Layout.Md;
using DR.Core.Primitives;

namespace DR.Engine.Capture;

/// <summary>
/// Carries out a plan: workers read and encode frames side by side, one writer puts them into the image in order.
/// Sources are opened for reading only.
/// </summary>
public sealed class CapturePipeline(IMachine machine, IFrameCompressor compressor, TimeProvider time)
{
    private readonly List<UnreadableRun> _unreadable = [];
    private readonly List<string> _notes = [];

    /// <summary>Threads that read and encode. More than cores, since each waits for its disk for a part of its time.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount + 6;

    /// <summary>Captures, once: a pipeline carries out one plan.</summary>
    /// <exception cref="CaptureBrokenException">It failed or was stopped; what is written is an unfinished image.</exception>
    /// <exception cref="DrException">It failed before anything was written.</exception>
    public CaptureResult Run(CapturePlan plan, IImageOutput output, IJobReport report, CancellationToken cancel)
    {
        var header = new ImageHeader(Guid.NewGuid(), Guid.NewGuid(), Guid.Empty, time.GetUtcNow());
        var sources = new List<IBlockDevice>();
        try
        {
            sources.AddRange(plan.Manifest.Disks.Select(Open));
            sources.AddRange(plan.Manifest.Arrays.Select(a => a.Open(d => sources[d])).ToList());
            using var writer = new ImageWriter(output, header, plan.Manifest, compressor, plan.Request.Level);
            var (trailer, findings) = Write(plan, sources, writer, output, report, cancel);
            return new CaptureResult(header, trailer, findings, writer.BytesWritten);
        }
        finally
        {
            sources.ForEach(s => s.Dispose());
        }
    }

    private (ImageTrailer Trailer, Findings Findings) Write(
        CapturePlan plan, List<IBlockDevice> sources, ImageWriter writer, IImageOutput output, IJobReport report, CancellationToken cancel)
    {
        var progress = new SpaceProgress(plan.Manifest, report);
        using var pool = new BufferPool(ImageFormat.MaxFrameBytes, Workers * 5 + 2);
        try
        {
            Conveyor.Run(
                stop => Steps(plan, sources, report),
                Workers,
                Workers * 3,
                () => new FrameCodec(compressor),
                (codec, step, stop) => Encode(codec, step, pool, plan.Request.Level, stop),
                result => Write(result, writer, progress),
                cancel);
            cancel.ThrowIfCancellationRequested();
            var findings = new Findings([.. _unreadable.OrderBy(u => u.Space).ThenBy(u => u.Extent.Start)], [.. Notes(plan), .. _notes]);
            return (writer.Finish(findings), findings);
        }
        catch (Exception e)
        {
            throw new CaptureBrokenException(e, output.Unfinished);
        }
    }

    private IBlockDevice Open(ManifestDisk disk)
    {
        var device = machine.OpenForReading(disk.Identity);
        if (device.Length == disk.Identity.Length)
        {
            return device;
        }

        long length = device.Length;
        device.Dispose();
        throw new DrException(Failure.Failed, $"{disk.Identity.Path} had {disk.Identity.Length} bytes when the capture was planned and has {length} now");
    }

    private static List<string> Notes(CapturePlan plan) => plan.Manifest.Inconsistent
        ? ["A source was in use while it was read, without a snapshot: the image is inconsistent."]
        : [];

    private IEnumerable<CaptureStep> Steps(CapturePlan plan, List<IBlockDevice> sources, IJobReport report)
    {
        var spaces = plan.Manifest.Spaces().ToDictionary(s => s.Number);
        foreach (var region in plan.Manifest.Regions)
        {
            var device = sources[region.Disk];
            var slice = new SliceBlockDevice(device, region.Extent, $"{device.Name} {region.Role}");
            foreach (var step in BlockReads.OfRegion(spaces[region.Space], slice))
            {
                yield return step;
            }
        }

        var groups = GroupsOf(plan.Manifest, sources, report);
        RequireSame(plan.Manifest, sources, report);
        RequireSameArrays(plan.Manifest, sources, report);
        foreach (var volume in plan.Manifest.Volumes)
        {
            string name = plan.Manifest.NameOf(volume);
            IBlockDevice device = volume switch
            {
                { LogicalVolume: { } logical } => Logical(plan.Manifest.Groups[logical.Group], groups[logical.Group], logical.Name, sources),
                { DynamicVolume: { } dynamic } => dynamic.Open(volume, name, d => sources[d]),
                _ => new SliceBlockDevice(sources[volume.Segments[0].Disk], volume.Segments[0].Extent, name),
            };
            foreach (var step in OfVolume(plan, volume, spaces[volume.Space], device, name, report))
            {
                yield return step;
            }
        }
    }

    /// <summary>The volume groups, whose metadata has to be what it was when the capture was planned.</summary>
    private List<LvmGroup> GroupsOf(Manifest manifest, List<IBlockDevice> sources, IJobReport report)
    {
        foreach (var group in manifest.Groups)
        {
            var members = group.PhysicalVolumes.Select(p => LvmMember.Read(new SliceBlockDevice(sources[p.Disk], p.Extent, manifest.NameOf(p.Disk, p.Partition)))).ToList();
            var copies = members.SelectMany(m => m.Copies).ToList();
            var problems = members.SelectMany(m => m.Problems).ToList();
            if (copies.Count == 0 && problems.Count > 0)
            {
                _notes.Add($"volume group {group.Name}: its metadata could be read when the capture was planned, and no more ({string.Join("; ", problems)}): its logical volumes were saved from where they were then.");
                report.Warn(_notes[^1]);
            }
            else if (!copies.Any(c => c.Text == group.Metadata))
            {
                throw new DrException(Failure.Failed, $"volume group {group.Name} has changed since the capture was planned; start it again");
            }
        }

        return [.. manifest.Groups.Select(g => LvmGroupReader.Read(g.Metadata, $"volume group {g.Name}"))];
    }

    /// <summary>The databases of dynamic disks have to be those that the capture was planned with.</summary>
    private void RequireSame(Manifest manifest, List<IBlockDevice> sources, IJobReport report)
    {
        foreach (var group in manifest.Dynamics)
        {
            var members = group.Disks.Select(d => d.Disk).OfType<int>().Select(d => LdmMember.Read(sources[d], manifest.Disks[d].Layout)!).ToList();
            var read = members.Select(m => m.Group).OfType<LdmGroup>().ToList();
            if (read.Count == 0)
            {
                _notes.Add($"group {group.Name} of dynamic disks: its database could be read when the capture was planned, and no more ({string.Join("; ", members.SelectMany(m => m.Problems))}): its volumes were saved from where they were then.");
                report.Warn(_notes[^1]);
            }
            else if (read.Max(g => g.Sequence) != group.Sequence || read.Any(g => g.Id != group.Id))
            {
                throw new DrException(Failure.Failed, $"group {group.Name} of dynamic disks has changed since the capture was planned; start it again");
            }
        }
    }

    /// <summary>An array whose members changed places, or went on without one, is not the one that was planned.</summary>
    private void RequireSameArrays(Manifest manifest, List<IBlockDevice> sources, IJobReport report)
    {
        foreach (var array in manifest.Arrays)
        {
            foreach (var (member, before) in array.Members.Zip(array.Superblocks(array.Path)))
            {
                var now = MdMember.Read(new SliceBlockDevice(sources[member.Disk], member.Extent, manifest.NameOf(member.Disk, member.Partition)));
                if (now.Superblock is null)
                {
                    _notes.Add($"array {array.Name}: the superblock of {now.Name} could be read when the capture was planned, and no more ({now.Problem}): the array was saved from where it was then.");
                    report.Warn(_notes[^1]);
                }
                else if (now.Superblock.Role != before.Superblock!.Role || now.Superblock.ArrayId != array.Id
                    || !manifest.Inconsistent && now.Superblock.Events != before.Superblock.Events)
                {
                    throw new DrException(Failure.Failed, $"array {array.Name} has changed since the capture was planned; start it again");
                }
            }
        }
    }

    private static IBlockDevice Logical(ManifestGroup places, LvmGroup group, string name, List<IBlockDevice> sources) =>
        SourceVolumes.DeviceOf(places, group, group.LogicalVolumes.First(v => v.Name == name), sources);

    private IEnumerable<CaptureStep> OfVolume(CapturePlan plan, ManifestVolume volume, Space space, IBlockDevice device, string name, IJobReport report)
    {
        report.Note($"{name}: {volume.Title}, {ByteSize.Format(volume.AllocatedBytes)} of {ByteSize.Format(volume.Length)}");
        return BlockReads.OfVolume(space, device, ReaderOf(device, volume, plan.Request, report), plan.Request, e => SaveWhole(name, e.Message, report));
    }

    /// <summary>Null where the volume is saved whole.</summary>
    private IFileSystemReader? ReaderOf(IBlockDevice slice, ManifestVolume volume, CaptureRequest request, IJobReport report)
    {
        if (volume.WholeBecause is not null && !request.AllBlocks)
        {
            return null;
        }

        try
        {
            var reader = FileSystemProbe.Open(slice);
            if (reader.Facts is { Kind: "unknown", Clean: false, WholeBecause: { } reason })
            {
                SaveWhole(slice.Name, reason, report);
                return null;
            }

            return reader.Facts.Kind == volume.Kind && reader.Facts.Uuid == volume.Uuid && (reader.Facts.Mapped || request.AllBlocks)
                ? reader
                : throw new DrException(Failure.Failed, $"{slice.Name} has changed since the capture was planned; start it again");
        }
        catch (DeviceFaultException e) when (SectorReader.IsOfMedium(e))
        {
            SaveWhole(slice.Name, e.Message, report);
            return null;
        }
    }

    private void SaveWhole(string volume, string because, IJobReport report)
    {
        _notes.Add($"{volume}: what is in use on it could not be read ({because}): all of it was saved.");
        report.Warn(_notes[^1]);
    }

    private Encoded Encode(FrameCodec codec, CaptureStep step, BufferPool pool, int level, CancellationToken stop)
    {
        if (step is not BlockStep blocks)
        {
            return new Encoded((MapStep)step, null, 0);
        }

        var content = pool.Rent(stop);
        var target = pool.Rent(stop);
        var runs = Fill(blocks, content.Span);
        return new Encoded(null, codec.Encode(step.Space, runs, content, target, level), runs.Sum(r => ExtentOf(step.Space, r).Length));
    }

    private List<BlockRun> Fill(BlockStep step, Span<byte> buffer)
    {
        var bad = new List<Extent>();
        int at = 0;
        foreach (var run in step.Runs)
        {
            var extent = ExtentOf(step.Space, run);
            SectorReader.Read(step.Device, buffer.Slice(at, (int)extent.Length), extent.Start, bad);
            at += (int)extent.Length;
        }

        if (step.Used is not null)
        {
            ClearUnused(step, buffer);
        }

        return bad.Count == 0 ? [.. step.Runs] : MarkDamaged(step, bad);
    }

    /// <summary>Bytes that the filesystem does not use become zeros, so that what was deleted does not travel.</summary>
    private static void ClearUnused(BlockStep step, Span<byte> buffer)
    {
        int next = 0;
        int at = 0;
        foreach (var run in step.Runs)
        {
            var extent = ExtentOf(step.Space, run);
            long clean = extent.Start;
            for (; next < step.Used!.Count && step.Used[next].Start < extent.End; next++)
            {
                buffer.Slice(at + (int)(clean - extent.Start), (int)(step.Used[next].Start - clean)).Clear();
                clean = step.Used[next].End;
            }

            buffer.Slice(at + (int)(clean - extent.Start), (int)(extent.End - clean)).Clear();
            at += (int)extent.Length;
        }
    }

    private List<BlockRun> MarkDamaged(BlockStep step, List<Extent> bad)
    {
        var lost = ExtentSet.From(bad);
        var used = step.Used is null ? lost : lost.Subtract(lost.Subtract(ExtentSet.From(step.Used)));
        lock (_unreadable)
        {
            _unreadable.AddRange(used.AsEnumerable().Select(e => new UnreadableRun(step.Space.Number, e)));
        }

        return
        [
            .. from run in step.Runs
               from block in Enumerable.Range(0, run.Count).Select(i => run with { First = run.First + i, Count = 1 })
               select used.Overlaps(ExtentOf(step.Space, block)) ? block with { Disposition = Disposition.Damaged } : block,
        ];
    }

    private static Extent ExtentOf(Space space, BlockRun run) =>
        Extent.Between(run.First * space.BlockSize, Math.Min(space.Length, (run.First + run.Count) * space.BlockSize));

    private static void Write(Encoded result, ImageWriter writer, SpaceProgress progress)
    {
        if (result.Map is { } map)
        {
            writer.WriteMap(map.Space, map.Map);
            progress.Expect(new MapItem(map.Space, map.Map));
        }

        if (result.Frame is { } frame)
        {
            writer.WriteFrame(frame);
            progress.Done(frame.Frame.Space, result.Bytes);
        }
    }

    /// <summary>A map or a frame.</summary>
    /// <param name="Bytes">Bytes of the source that the frame stands for.</param>
    private readonly record struct Encoded(MapStep? Map, EncodedFrame? Frame, long Bytes);
}
