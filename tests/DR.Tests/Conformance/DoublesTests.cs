using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Conformance;

public class DoublesTests
{
    [Fact]
    public void Faulty_device_fails_the_read_and_the_write_it_was_told_to()
    {
        using var device = new FaultyBlockDevice(new MemoryBlockDevice(8192)) { FailRead = 2, FailWrite = 1, Kind = FaultKind.Timeout };
        device.ReadBytes(0, 10);
        var fault = Assert.Throws<DeviceFaultException>(() => device.ReadBytes(100, 20));
        Assert.Equal((FaultKind.Timeout, 100L, 20L), (fault.Kind, fault.Offset, fault.Length));
        device.ReadBytes(100, 20);
        Assert.Throws<DeviceFaultException>(() => device.Zero(new Extent(0, 512)));
        device.Write(new byte[5], 0);
        Assert.Equal((3, 2), (device.Reads, device.Writes));
    }

    [Fact]
    public void Faulty_device_tears_writes_and_has_bad_places()
    {
        var memory = new MemoryBlockDevice(8192);
        using var device = new FaultyBlockDevice(memory)
        {
            FailWrite = 1,
            TornWrites = true,
            Unreadable = ExtentSet.From(new Extent(4096, 512)),
        };
        byte[] ones = [.. Enumerable.Repeat((byte)1, 2048)];
        Assert.Throws<DeviceFaultException>(() => device.Write(ones, 0));
        Assert.Equal(1, memory.ReadBytes(1023, 1)[0]);
        Assert.Equal(0, memory.ReadBytes(1024, 1)[0]);
        Assert.Throws<DeviceFaultException>(() => device.ReadBytes(4000, 97));
        device.ReadBytes(4000, 96);
    }

    [Fact]
    public void Faulty_device_vanishes_for_good()
    {
        using var device = new FaultyBlockDevice(new MemoryBlockDevice(8192)) { VanishAfter = 2 };
        device.Write(new byte[1], 0);
        device.Flush();
        Assert.Equal(FaultKind.Vanished, Assert.Throws<DeviceFaultException>(() => device.ReadBytes(0, 1)).Kind);
        Assert.Equal(FaultKind.Vanished, Assert.Throws<DeviceFaultException>(device.Flush).Kind);
    }

    [Fact]
    public void Recording_device_writes_down_what_was_asked()
    {
        using var device = new RecordingBlockDevice(new MemoryBlockDevice(8192));
        device.Write(new byte[512], 1024);
        device.Zero(new Extent(0, 4096));
        device.Flush();
        device.ReadBytes(7, 3);
        Assert.Equal("write 1024+512\nzero 0+4096\nflush\nread 7+3", device.Text);
    }
}
