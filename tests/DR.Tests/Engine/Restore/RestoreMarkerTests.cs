using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Tests.Layout;

namespace DR.Tests.Engine.Restore;

public sealed class RestoreMarkerTests : IDisposable
{
    private const long MiB = 1 << 20;

    private static readonly DiskIdentity Disk = new("/dev/sda", 8 * MiB, 512, 512, "0x5", "S1", "M", "ata", "f");

    private readonly MemoryBlockDevice _device = new(8 * MiB);
    private readonly Guid _image = Guid.NewGuid();

    public void Dispose() => _device.Dispose();

    [Fact]
    public void It_is_of_one_image_on_one_disk_whatever_its_content()
    {
        RestoreMarker.Write(_device, 7 * MiB + 960 * 1024, _image, Disk);
        Assert.True(RestoreMarker.IsOn(_device, _image, Disk));
        Assert.True(RestoreMarker.IsOn(_device, _image, Disk with { Fingerprint = "other", Path = "/dev/sdb" }));
        Assert.False(RestoreMarker.IsOn(_device, Guid.NewGuid(), Disk));
        Assert.False(RestoreMarker.IsOn(_device, _image, Disk with { Serial = "S2" }));
        Assert.False(RestoreMarker.IsOn(_device, _image, Disk with { Wwn = null }));
        Assert.Equal(_image, RestoreMarker.ImageOn(_device));
        Assert.Equal($"an unfinished restore of image {_image}", DiskContents.Of(_device).Words);
    }

    [Fact]
    public void A_disk_without_numbers_is_known_by_its_path()
    {
        var nameless = Disk with { Wwn = null, Serial = null };
        RestoreMarker.Write(_device, MiB - 4096, _image, nameless);
        Assert.True(RestoreMarker.IsOn(_device, _image, nameless));
        Assert.False(RestoreMarker.IsOn(_device, _image, nameless with { Path = "/dev/sdb" }));
    }

    [Fact]
    public void A_flipped_bit_makes_it_none()
    {
        RestoreMarker.Write(_device, 24 << 10, _image, Disk);
        for (int i = 0; i < 92; i++)
        {
            var bytes = _device.ReadBytes((24 << 10) + i, 1);
            _device.Write([(byte)(bytes[0] ^ 1)], (24 << 10) + i);
            Assert.False(RestoreMarker.IsOn(_device, _image, Disk));
            _device.Write(bytes, (24 << 10) + i);
        }

        Assert.True(RestoreMarker.IsOn(_device, _image, Disk));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(30_000)]
    [InlineData(100_000)]
    public void A_tiny_disk_has_no_place_or_a_sound_one(long length)
    {
        var disk = new MemoryBlockDevice(length);
        Assert.False(RestoreMarker.IsOn(disk, _image, Disk));
        var layout = new DiskLayout(TableKind.None, null, 512, length, []);
        if (RestoreMarker.PlaceFor(layout, []) is { } offset)
        {
            RestoreMarker.Write(disk, offset, _image, Disk);
            Assert.True(RestoreMarker.IsOn(disk, _image, Disk));
        }
    }

    [Fact]
    public void It_never_lies_where_something_else_is_written_before_the_commit() => Property.Holds(random =>
    {
        var layout = RandomLayouts.Make(random);
        var tail = RawRegions.Of(layout).Where(r => r.Role == RawRegionRole.Tail && random.Next(2) == 0).Select(r => r.Extent).ToList();
        if (RestoreMarker.PlaceFor(layout, tail) is not { } offset)
        {
            return;
        }

        var mark = new Extent(offset, RestoreMarker.Length);
        Assert.DoesNotContain(layout.Partitions, p => p.Extent.Overlaps(mark));
        Assert.DoesNotContain(tail, e => e.Overlaps(mark));
        Assert.DoesNotContain(LayoutWriter.Build(layout, default), w => w.Offset > MiB && new Extent(w.Offset, w.Bytes.Length).Overlaps(mark));
        Assert.True(offset > 0 && mark.End <= layout.Length);
    });

    [Fact]
    public void A_volume_without_a_table_leaves_it_the_head_that_is_held_back()
    {
        var layout = new DiskLayout(TableKind.None, null, 512, 8 * MiB, []);
        Assert.Equal(8 * MiB - (64 << 10), RestoreMarker.PlaceFor(layout, [new Extent(0, 7 * MiB)]));
        Assert.Equal(MiB - 4096, RestoreMarker.PlaceFor(layout, [new Extent(0, 8 * MiB)]));
    }
}
