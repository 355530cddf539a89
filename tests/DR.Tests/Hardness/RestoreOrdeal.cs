using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using DR.Tests.Image;

namespace DR.Tests.Hardness;

/// <summary>
/// Whole restores from damaged images. One that says it is done has made the disk what it was; one that says it is not has left a disk
/// that nothing takes for a table or a filesystem. A manifest that was forged with all its checksums is believed: then the disk is what it says.
/// </summary>
internal sealed class RestoreOrdeal : IOrdeal
{
    private readonly MemoryBlockDevice _source = SmallDisks.Gpt();
    private readonly MemoryImageStore _image;
    private readonly byte[] _manifest;

    public RestoreOrdeal()
    {
        _image = new Workbench().With("/dev/source", _source).Capture("/dev/source");
        _manifest = Blank().Plan(_image, Request).Manifest.Encode();
    }

    private static RestoreRequest Request => new(["/dev/target"]) { ReadBack = false };

    public long Believed { get; private set; }

    public void Try(Random random)
    {
        var store = _image.Copy();
        if (random.Next(2) == 0)
        {
            ImageOrdeal.Forge(random, store);
        }
        else
        {
            SalvageTests.Damage(random, store);
        }

        using var target = new MemoryBlockDevice(_source.Length, 512, "/dev/target");
        RestorePlan plan;
        try
        {
            var bench = new Workbench().With("/dev/target", target);
            plan = bench.Plan(store, Request);
            bench.Run(plan, store);
        }
        catch (Exception e) when (e is DrException or CorruptDataException)
        {
            Workbench.AssertEmpty(target);
            return;
        }

        Believed++;
        if (plan.Manifest.Encode().AsSpan().SequenceEqual(_manifest))
        {
            Workbench.AssertRestored(_source, target);
            return;
        }

        var layout = LayoutReader.Read(target);
        Assert.Equal((plan.Disks[0].Layout.Id, plan.Disks[0].Layout.Partitions.Count), (layout.Id, layout.Partitions.Count));
        Assert.Equal(plan.Disks[0].Layout.Partitions.Select(p => (p.Number, p.Extent, p.Type, p.Id)), layout.Partitions.Select(p => (p.Number, p.Extent, p.Type, p.Id)));
    }

    private Workbench Blank() => new Workbench().With("/dev/target", new MemoryBlockDevice(_source.Length, 512, "/dev/target"));

    public void Dispose() => _source.Dispose();
}
