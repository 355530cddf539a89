using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Primitives;
using DR.Tests.Hardness;

namespace DR.Tests.FileSystems;

/// <summary>Volumes that hold no filesystem, and such as cannot be read. Damaged ones are in <see cref="HardnessTests"/>.</summary>
[Trait("Category", "Slow")]
public class DamageTests
{
    [Fact]
    public void Random_bytes_with_a_magic_in_the_right_place()
    {
        (int Offset, byte[] Magic)[] magics =
        [
            (0x438, [0x53, 0xEF]), (3, "NTFS    "u8.ToArray()), (3, "EXFAT   "u8.ToArray()), (0, "XFSB"u8.ToArray()), (4086, "SWAPSPACE2"u8.ToArray()),
            (0x10040, "_BHRfS_M"u8.ToArray()), (512, "LABELONE"u8.ToArray()), (0, [0xFC, 0x4E, 0x2B, 0xA9, 1, 0, 0, 0]), (0, [0xEB]),
        ];
        Property.Holds(random =>
        {
            var bytes = new byte[random.Next(1, 200_000)];
            random.NextBytes(bytes);
            foreach (var (offset, magic) in magics.Where((_, i) => random.Next(3) == 0).Where(m => m.Offset + m.Magic.Length <= bytes.Length))
            {
                magic.CopyTo(bytes, offset);
            }

            VolumeOrdeal.Exercise(new MemoryBlockDevice(bytes), "/a");
        });
    }

    [Fact]
    public void A_volume_whose_headers_cannot_be_read_is_saved_whole_and_not_called_clean()
    {
        using var device = new UnreadableDevice();
        var facts = FileSystemProbe.Open(device).Facts;
        Assert.Contains("cannot be read", facts.WholeBecause, StringComparison.Ordinal);
        Assert.False(facts.Clean);
    }

    private sealed class UnreadableDevice : IBlockDevice
    {
        public string Name => "unreadable";

        public long Length => 1 << 20;

        public int SectorSize => 512;

        public int PhysicalSectorSize => 512;

        public int Alignment => 1;

        public bool IsReadOnly => true;

        public void Read(Span<byte> buffer, long offset) =>
            throw new DeviceFaultException(FaultKind.Medium, Name, offset, buffer.Length, "read", "as told");

        public void Write(ReadOnlySpan<byte> buffer, long offset)
        {
        }

        public void Zero(Extent extent)
        {
        }

        public void Discard(Extent extent)
        {
        }

        public IEnumerable<BlockStatus> Status(Extent extent) => [];

        public void Flush()
        {
        }

        public void Dispose()
        {
        }
    }
}
