using System.Buffers.Binary;
using DR.Core.Image;
using DR.Engine.Capture;
using DR.Engine.Restore;
using DR.Engine.Restore.Fitting;
using DR.Platform;
using DR.Tests.Doubles;

namespace DR.Tests.Md;

/// <summary>The write-intent bitmap of an array that grows: it reaches as far as the array, or is left out. The kernel passes over what it does not reach.</summary>
public sealed class ArrayBitmapTests : IDisposable
{
    private const long MiB = 1 << 20;
    private const long TiB = 1L << 40;
    private const int SyncSize = 40;
    private const int ChunkSize = 52;

    private readonly TempFolder _folder = new();
    private readonly List<ManifestArrayMember> _members;
    private readonly Manifest _manifest;

    public ArrayBitmapTests()
    {
        MadeArrays.Unpack(_folder.Root);
        _manifest = new CapturePlanner(new LinuxMachine(), "test").Plan(new CaptureRequest(MadeArrays.Members(_folder.Root, "one-12"), "/image", "test")).Manifest;
        _members = [.. _manifest.Arrays[0].Members];
        Assert.All(_members, m => Assert.NotNull(m.Bitmap));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A bit stands for 2 GiB at most, so that a bitmap of one sector, as one this small has, cannot go beyond some TiB.</summary>
    [Theory]
    [InlineData(100 * MiB, true)]
    [InlineData(3 * TiB, true)]
    [InlineData(5 * TiB, false)]
    [InlineData(1024 * TiB, false)]
    public void It_reaches_as_far_as_the_array_or_is_left_out(long target, bool reaches)
    {
        int room = LengthOf(_members[0].Bitmap!);
        Assert.Equal(512, room);
        var fit = Fit(_manifest, target);
        Assert.All(fit.Arrays[0].Array!.Members, m =>
        {
            Assert.Equal(reaches, m.Bitmap is not null);
            if (m.Bitmap is { } header)
            {
                Assert.Equal(fit.Arrays[0].Layout.Length, BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(SyncSize)) * 512);
                Assert.InRange(LengthOf(header), 1, room);
            }
        });
        Assert.Equal(!reaches, HasRemark(fit));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void One_that_was_made_for_another_length_is_left_out(int wrong)
    {
        byte[] header = [.. _members[wrong].Bitmap!];
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(SyncSize), 1024);
        _members[wrong] = _members[wrong] with { Bitmap = header };
        var manifest = _manifest with { MdArrays = [_manifest.Arrays[0] with { Members = _members }] };
        var grown = Fit(manifest, 100 * MiB);
        Assert.All(grown.Arrays[0].Array!.Members, m => Assert.Null(m.Bitmap));
        Assert.True(HasRemark(grown));
        var same = new MachineFitter(manifest).Fit([.. manifest.Disks.Select((d, i) => new FitTarget($"/dev/t{i}", d.Layout.Length, 512))], GrowPolicy.Default);
        Assert.False(HasRemark(same));
    }

    private MachineFit Fit(Manifest manifest, long length) =>
        new MachineFitter(manifest).Fit([.. _members.Select((_, i) => new FitTarget($"/dev/t{i}", length, 512))], GrowPolicy.Default);

    private static bool HasRemark(MachineFit fit) => fit.Remarks.Any(r => r.Contains("its write-intent bitmap does not reach as far and is left out", StringComparison.Ordinal));

    private static int LengthOf(byte[] header)
    {
        long bits = (BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(SyncSize)) * 512 + BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(ChunkSize)) - 1)
            / BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(ChunkSize));
        return (int)((256 + (bits + 7) / 8 + 511) / 512 * 512);
    }
}
