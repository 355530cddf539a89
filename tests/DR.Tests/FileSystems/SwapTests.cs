using System.Globalization;
using System.Text;
using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.FileSystems;

/// <summary>Swap space as mkswap makes it.</summary>
public class SwapTests
{
    private const string Uuid = "0f3c2a51-1e0f-4c66-9be7-0123456789ab";

    [Theory]
    [InlineData(4096)]
    [InlineData(8192)]
    [InlineData(16384)]
    [InlineData(32768)]
    [InlineData(65536)]
    public void Only_the_header_is_saved(int pageSize)
    {
        using var folder = new TempFolder();
        string image = Make(folder, pageSize);
        using var device = new TestFileDevice(image);
        var reader = FileSystemProbe.Open(device);
        Assert.Equal(("swap", "swäp", Uuid, pageSize, true), (reader.Facts.Kind, reader.Facts.Label, reader.Facts.Uuid, reader.Facts.BlockSize, reader.Facts.Clean));
        Assert.Equal(Images.Blkid(image, "UUID"), reader.Facts.Uuid);
        Assert.Equal(pageSize, reader.Facts.AllocatedBytes);
        Assert.Equal(new Extent(0, pageSize), Assert.Single(reader.Allocated(device.All())));
        Assert.Equal(new Extent(pageSize, device.Length / pageSize * pageSize - pageSize), Assert.Single(reader.Excluded().AsEnumerable()));
        Images.CheckRanges(reader, device, 3);

        string copy = Images.CopyOnly(reader.AllocatedSet(device.All()), device, folder.File("copy"));
        Assert.Equal(Uuid, Images.Blkid(copy, "UUID"));
        Assert.Throws<DrException>(() => reader.ExtentsOf("/x"));
    }

    [Theory]
    [InlineData("S1SUSPEND")]
    [InlineData("S2SUSPEND")]
    [InlineData("ULSUSPEND")]
    [InlineData("LINHIB0001")]
    public void A_hibernated_session_is_saved_whole(string magic)
    {
        using var folder = new TempFolder();
        using var device = new MemoryBlockDevice(File.ReadAllBytes(Make(folder, 4096)));
        device.Write(new byte[10], 4086);
        device.Write(Encoding.ASCII.GetBytes(magic), 4086);
        var reader = FileSystemProbe.Open(device);
        Assert.Equal(("swap", "swäp", Uuid, false), (reader.Facts.Kind, reader.Facts.Label, reader.Facts.Uuid, reader.Facts.Clean));
        Assert.Contains("hibernated", reader.Facts.WholeBecause, StringComparison.Ordinal);
        Assert.Equal(device.All(), Assert.Single(reader.Allocated(device.All())));
        Assert.True(reader.Excluded().IsEmpty);
    }

    [Fact]
    public void A_swap_space_larger_than_its_volume_is_saved_whole()
    {
        using var folder = new TempFolder();
        using var device = new MemoryBlockDevice(File.ReadAllBytes(Make(folder, 4096)).AsSpan(0, 1 << 20));
        Assert.Contains("do not fit", FileSystemProbe.Open(device).Facts.WholeBecause, StringComparison.Ordinal);
    }

    private static string Make(TempFolder folder, int pageSize)
    {
        Tools.Require("mkswap", "blkid");
        string image = folder.Sparse("swap.img", (4 << 20) + 3000);
        Tools.Run("mkswap", "-q", "-p", pageSize.ToString(CultureInfo.InvariantCulture), "-L", "swäp", "-U", Uuid, image);
        return image;
    }
}
