using System.Diagnostics;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;
using DR.Tests.FileSystems;

namespace DR.Tests.Hardness;

/// <summary>The filesystem's own tools, asked about an image.</summary>
/// <param name="Used">What they call in use; null where they do not open it, or cannot say it.</param>
/// <param name="UsedBytes">The same as <see cref="FileSystemFacts.AllocatedBytes"/>, where they only count; null as above.</param>
/// <param name="IsClean">Whether the checker has nothing to say, and changes nothing.</param>
internal sealed record VolumeJudge(Func<string, ExtentSet?> Used, Func<string, long?> UsedBytes, Func<string, bool> IsClean)
{
    /// <summary>
    /// Whether nothing but counts guards the map: ext without metadata_csum. A bit cleared and another one set in the same group are
    /// seen only by who reads every inode; what is saved then is what the filesystem's own bitmap says.
    /// </summary>
    public bool OnlyCounts { get; init; }

    /// <summary>The same where the checksum was mended after the damage: ext with metadata_csum.</summary>
    public bool OnlyCountsIfMended { get; init; }
}

/// <summary>A place of a filesystem that is worth damaging.</summary>
/// <param name="Mended">What <paramref name="Mend"/> writes.</param>
/// <param name="Mend">Makes the checksum or the copy agree, so that what is behind it is tried too; null where there is none.</param>
internal sealed record Structure(Extent Place, Extent Mended, Action<IBlockDevice>? Mend);

/// <summary>
/// A filesystem that is damaged anew each time. No exception but ours, no hang, bounded memory; where the map is believed, it is what
/// the filesystem's own tools read; and where it then is not the true map, the filesystem's own checker sees no fault either.
/// </summary>
internal sealed class VolumeOrdeal : IOrdeal
{
    private const long MaxBytes = 256L << 20;
    private const int MaxSeconds = 20;

    private readonly TempFolder _folder;
    private readonly string _image;
    private readonly VolumeJudge _judge;
    private readonly string _path;
    private readonly TestFileDevice _device;
    private readonly ExtentSet _control;
    private readonly ExtentSet _truth;
    private readonly IReadOnlyList<Structure> _structures;

    /// <param name="structures">Finds them on the undamaged device.</param>
    /// <param name="path">Of a file that is located.</param>
    public VolumeOrdeal(TempFolder folder, string image, VolumeJudge judge, string path, Func<IBlockDevice, ExtentSet, IReadOnlyList<Structure>> structures)
    {
        (_folder, _image, _judge, _path) = (folder, image, judge, path);
        _device = new TestFileDevice(image, writable: true);
        var reader = FileSystemProbe.Open(_device);
        Assert.True(reader.Facts.Mapped, reader.Facts.WholeBecause);
        Assert.True(judge.IsClean(image), "the checker complains of the undamaged filesystem");
        _control = reader.ControlSet();
        _truth = reader.AllocatedSet(_device.All());
        _structures = structures(_device, _control);
    }

    public long Believed { get; private set; }

    public void Try(Random random)
    {
        using var wound = new Wound(_device);
        bool mended = false;
        if (_structures.Count > 0 && random.Next(3) > 0)
        {
            mended = DamageStructure(wound, random);
        }
        else
        {
            DamageAnything(wound, random);
        }

        try
        {
            Look(mended);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message} [before the damage: {wound}]{Kept()}", e);
        }
    }

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    /// <returns>Whether its checksum was mended.</returns>
    private bool DamageStructure(Wound wound, Random random)
    {
        var structure = _structures[random.Next(random.Next(2) == 0 ? Math.Min(60, _structures.Count) : _structures.Count)];
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            long span = random.Next(2) == 0 ? Math.Min(structure.Place.Length, 128) : structure.Place.Length;
            wound.ChangeByte(structure.Place.Start + random.NextInt64(span), random);
        }

        bool mended = random.Next(4) > 0;
        if (mended && structure.Mend is { } mend)
        {
            wound.Keep(structure.Mended);
            mend(_device);
        }

        return mended;
    }

    /// <summary>One to six bytes of what a mount reads, more often at the start of it than behind.</summary>
    private void DamageAnything(Wound wound, Random random)
    {
        for (int i = random.Next(1, 7); i > 0; i--)
        {
            var extent = _control.Extents[random.Next(3) == 0 ? 0 : random.Next(_control.Extents.Length)];
            long span = random.Next(2) == 0 ? Math.Min(extent.Length, 8192) : extent.Length;
            wound.ChangeByte(extent.Start + random.NextInt64(span), random);
        }
    }

    private void Look(bool mended)
    {
        var clock = Stopwatch.StartNew();
        long before = GC.GetAllocatedBytesForCurrentThread();
        var (facts, map) = Exercise(_device, _path);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxBytes);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, MaxSeconds);
        if (!facts.Mapped)
        {
            return;
        }

        Believed++;
        if (_judge.Used(_image) is { } used)
        {
            Assert.Equal(used.AsEnumerable(), map!.AsEnumerable());
        }

        if (_judge.UsedBytes(_image) is { } bytes)
        {
            Assert.Equal(bytes, facts.AllocatedBytes);
        }

        bool isTrue = _truth.AsEnumerable().SequenceEqual(map!.AsEnumerable());
        bool balances = (mended ? _judge.OnlyCountsIfMended : _judge.OnlyCounts) && map.TotalLength == _truth.TotalLength;
        Assert.True(isTrue || balances || _judge.IsClean(_image), "a map that is not the true one is believed, and the checker finds faults");
    }

    /// <summary>Asks a reader everything.</summary>
    /// <returns>The map; null where not all of it could be read.</returns>
    internal static (FileSystemFacts Facts, ExtentSet? Map) Exercise(IBlockDevice device, string path)
    {
        var reader = FileSystemProbe.Open(device);
        var map = Ours(() => reader.AllocatedSet(device.All()), device);
        Ours(reader.ControlSet, device);
        Ours(reader.Excluded, device);
        Ours(() => reader.ExtentsOf(path), device);
        Assert.True(map is not null, "what was found good when it was opened cannot be read any more");
        return (reader.Facts, map);
    }

    private static ExtentSet? Ours(Func<ExtentSet> action, IBlockDevice device)
    {
        try
        {
            var set = action();
            Assert.All(set.AsEnumerable(), e => Assert.InRange(e.End, 1, device.Length));
            return set;
        }
        catch (DrException)
        {
            return null;
        }
    }

    /// <summary>A copy of the damaged image where DR_SOAK_KEEP names a folder: the same seed damages the next one elsewhere.</summary>
    private string Kept()
    {
        if (Environment.GetEnvironmentVariable("DR_SOAK_KEEP") is not { Length: > 0 } folder)
        {
            return "";
        }

        string copy = Path.Combine(folder, Path.GetRandomFileName() + ".img");
        Tools.Run("cp", "--sparse=always", _image, copy);
        return $" [kept as {copy}]";
    }
}
