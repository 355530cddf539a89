using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using DR.Tests.Image;

namespace DR.Tests.Hardness;

/// <summary>
/// Whole restores from damaged images. One that says it is done has made the disk what it was; one that says it is not has left a disk
/// that nothing takes for a table or a filesystem.
/// </summary>
internal sealed class RestoreOrdeal : IOrdeal
{
    private readonly MemoryBlockDevice _source = SmallDisks.Gpt();
    private readonly MemoryImageStore _image;

    public RestoreOrdeal() => _image = new Workbench().With("/dev/source", _source).Capture("/dev/source");

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
        try
        {
            new Workbench().With("/dev/target", target).Restore(store, new RestoreRequest(["/dev/target"]) { ReadBack = false });
        }
        catch (Exception e) when (e is DrException or CorruptDataException)
        {
            Workbench.AssertEmpty(target);
            return;
        }

        Believed++;
        Workbench.AssertRestored(_source, target);
    }

    public void Dispose() => _source.Dispose();
}
