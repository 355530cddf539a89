using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Layout.Md;
using DR.Core.Layout.Raid;
using DR.Core.Primitives;

namespace DR.Engine.Restore.Md;

/// <summary>Arrays of Linux' software RAID on the targets: their bytes as a device, and in the end what makes them arrays.</summary>
internal static class ArrayCommit
{
    private const int Step = 1 << 20;

    /// <summary>The bytes of an array where the plan has them; what is read back of a mirror is read from all its sides.</summary>
    /// <param name="disks">They stay the caller's.</param>
    public static IBlockDevice Open(TargetArray target, IReadOnlyList<RestoreTarget> disks)
    {
        var array = target.After;
        var found = array.Read(array.Path);
        return found.Shape.Open(array.Path, [.. found.Devices.Select(device => device is { } m
            ? new MappedColumn(disks[array.Members[m].Disk].Disk, array.DataOf(m).Start)
            : (MappedColumn?)null)], compares: true);
    }

    /// <summary>Makes the parity right where that can be done here.</summary>
    /// <param name="device">Of <see cref="Open"/>.</param>
    /// <returns>What was done, or is left to the kernel, in a sentence; null where there is no parity.</returns>
    public static string? WriteParity(TargetArray target, IBlockDevice device, CancellationToken cancel)
    {
        if (device is not ParityBlockDevice parity)
        {
            return null;
        }

        if (!CanWriteParity(target))
        {
            return $"{target.Source.Path}: the kernel makes its parity when the array is started; until then it survives the loss of no disk";
        }

        parity.WriteParity(cancel);
        return $"{target.Source.Path}: parity written, not read back";
    }

    /// <summary>Writes the bitmaps, then the superblocks, and proves them by reading them as any other.</summary>
    /// <returns>What was done, in a sentence.</returns>
    /// <exception cref="DrException">The array does not read back as it was written (<see cref="Failure.ReadBackDiffers"/>).</exception>
    public static string Write(TargetArray target, IReadOnlyList<RestoreTarget> disks)
    {
        var array = target.After;
        var newest = target.Source.Read(array.Path).Super;
        var members = array.Superblocks(array.Path);
        var supers = members.Select(m => m.Superblock!).ToList();
        var volumes = array.Members.Select(m => new SliceBlockDevice(disks[m.Disk].Disk, m.Extent, Name(m, disks))).ToList();
        var writes = members.Zip(array.Members, (m, place) => MdWriter.Write(m, newest, supers, place.Bitmap, Unequal(target))).ToList();
        foreach (var (volume, write) in volumes.Zip(writes).Where(w => w.Second.Bitmap.Length > 0))
        {
            WriteSectors(volume, write.BitmapOffset, write.Bitmap);
        }

        volumes.ForEach(v => v.Flush());
        foreach (var (volume, write) in volumes.Zip(writes))
        {
            WriteSectors(volume, write.Offset, write.Superblock);
        }

        var read = volumes.Select(MdMember.Read).ToList();
        var assembly = MdAssembly.Of(read);
        for (int i = 0; i < read.Count; i++)
        {
            if (read[i].Problem is not null || !read[i].Bytes.AsSpan().SequenceEqual(writes[i].Superblock) || !ReadsBack(volumes[i], writes[i].BitmapOffset, writes[i].Bitmap))
            {
                throw Differs(target, $"{read[i].Name}: {read[i].Problem ?? "its superblock or bitmap is not what was written"}");
            }
        }

        return assembly.Arrays is [var one] && one.Members.Count == members.Count
            ? $"array {array.Name}: superblocks written to {string.Join(", ", volumes.Select(v => v.Name))} and read back"
            : throw Differs(target, string.Join("; ", assembly.Warnings));
    }

    /// <summary>Makes the sides of a mirror equal to its first, where something was written to one of them alone.</summary>
    public static void MakeEqual(TargetArray target, IReadOnlyList<RestoreTarget> disks)
    {
        var array = target.After;
        var supers = array.Superblocks(array.Path);
        var sides = Enumerable.Range(0, supers.Count).Where(m => supers[m].Superblock!.Role is not null)
            .Select(m => new SliceBlockDevice(disks[array.Members[m].Disk].Disk.Inner, array.DataOf(m) with { Length = target.Source.Layout.Length })).ToList();
        for (long at = 0; at < target.Source.Layout.Length; at += Step)
        {
            int count = (int)Math.Min(Step, target.Source.Layout.Length - at);
            var bytes = sides[0].ReadBytes(at, count);
            foreach (var side in sides.Skip(1).Where(s => !s.ReadBytes(at, count).AsSpan().SequenceEqual(bytes)))
            {
                side.Write(bytes, at);
            }
        }

        sides.ForEach(s => s.Flush());
    }

    /// <summary>From which byte on the kernel has to make the members equal; null where they are.</summary>
    private static long? Unequal(TargetArray target)
    {
        int devices = target.After.Read(target.After.Path).Devices.Count(d => d is not null);
        return target.Source.Read(target.Source.Path).Super.Level switch
        {
            4 or 5 or 6 => CanWriteParity(target) ? null : 0,
            1 or 10 when devices > 1 && target.After.Layout.Length > target.Source.Layout.Length => target.Source.Layout.Length,
            _ => null,
        };
    }

    private static bool CanWriteParity(TargetArray target) => target.Source.Read(target.Source.Path).Shape is { Array.Level: 4 or 5 };

    /// <summary>With zeros up to the end of the last sector.</summary>
    private static void WriteSectors(SliceBlockDevice volume, long offset, byte[] bytes)
    {
        int sector = volume.SectorSize;
        Array.Resize(ref bytes, (bytes.Length + sector - 1) / sector * sector);
        volume.Write(bytes, offset);
    }

    private static bool ReadsBack(SliceBlockDevice volume, long offset, byte[] bytes) =>
        bytes.Length == 0 || volume.ReadBytes(offset, bytes.Length).AsSpan().SequenceEqual(bytes);

    private static DrException Differs(TargetArray target, string problem) => new(Failure.ReadBackDiffers,
        $"array {target.Source.Name}: its superblocks read back differently from what was written: {problem}");

    private static string Name(ManifestArrayMember place, IReadOnlyList<RestoreTarget> disks) =>
        disks[place.Disk].Path + (place.Partition == 0 ? "" : $" partition {place.Partition}");
}
