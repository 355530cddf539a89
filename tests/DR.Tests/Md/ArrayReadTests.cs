using DR.Core.Devices;
using DR.Core.Layout.Md;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Md;

/// <summary>Arrays of every level that Linux made are read as Linux wrote them, also without a device where they survive that.</summary>
public sealed class ArrayReadTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, long> _lengths;
    private readonly List<TestFileDevice> _open = [];

    public ArrayReadTests() => _lengths = MadeArrays.Unpack(_folder.Root);

    public void Dispose()
    {
        _open.ForEach(d => d.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public void Each_block_is_where_linux_has_put_it()
    {
        Assert.Equal(25, _lengths.Count);
        foreach (var (name, length) in _lengths.Where(l => !l.Key.EndsWith("-failed", StringComparison.Ordinal)))
        {
            var members = Open(name);
            var assembly = MdAssembly.Of([.. members.Select(MdMember.Read)]);
            Assert.Empty(assembly.Warnings);
            var array = Assert.Single(assembly.Arrays);
            Assert.Equal(length, array.Shape.Length);
            MadeArrays.AssertWhole(Open(array, members), name);
        }
    }

    [Fact]
    public void What_survives_the_loss_of_a_device_is_read_without_it()
    {
        foreach (string name in _lengths.Keys.Where(n => !n.EndsWith("-failed", StringComparison.Ordinal)))
        {
            var all = Open(name);
            int devices = MdMember.Read(all[0]).Superblock!.Devices;
            bool redundant = !name.StartsWith("zero", StringComparison.Ordinal) && name != "linear";
            for (int lost = 0; lost < devices; lost++)
            {
                var members = all.Where((_, i) => i != lost).ToList();
                var assembly = MdAssembly.Of([.. members.Select(MdMember.Read)]);
                Assert.Contains(assembly.Warnings, w => w.Contains($"device {lost} of {devices} is missing", StringComparison.Ordinal));
                if (redundant)
                {
                    MadeArrays.AssertWhole(Open(Assert.Single(assembly.Arrays), members), $"{name} without device {lost}");
                }
                else
                {
                    Assert.Empty(assembly.Arrays);
                    Assert.All(assembly.Words, w => Assert.EndsWith($"which is not read as such: it cannot be read without its device {lost}", w, StringComparison.Ordinal));
                }
            }
        }
    }

    [Fact]
    public void A_device_that_has_failed_is_not_read()
    {
        var members = Open("one-failed");
        using var changed = new MemoryBlockDevice(members[1].Length);
        changed.Write(members[1].ReadBytes(0, (int)members[1].Length), 0);
        var old = MdMember.Read(changed);
        changed.Write(new byte[8192], old.Superblock!.Data.Start + 64_000 / 512 * 512);
        List<IBlockDevice> pair = [changed, members[0]];
        var assembly = MdAssembly.Of([.. pair.Select(MdMember.Read)]);
        Assert.Contains(assembly.Warnings, w => w.Contains("is behind: it counts", StringComparison.Ordinal));
        MadeArrays.AssertWhole(Open(Assert.Single(assembly.Arrays), pair), "without the failed one");
        Assert.Equal([1, null], assembly.Arrays[0].Readable.Select(r => r is null ? (int?)null : 1));
    }

    /// <summary>Each side was used alone, as often as the other.</summary>
    [Fact]
    public void Sides_that_do_not_know_of_one_another_are_not_put_together()
    {
        var alone = MdMember.Read(Open("one-failed")[0]);
        var twin = alone with { Name = "twin", Superblock = alone.Superblock! with { Role = 1, Number = 1, Roles = [MdSuperblock.NoRole + 0xFE, 1] } };
        var assembly = MdAssembly.Of([alone, twin]);
        Assert.Empty(assembly.Arrays);
        Assert.Contains(assembly.Warnings, w => w.Contains("each may have been used without the other", StringComparison.Ordinal));
    }

    [Fact]
    public void A_sector_that_cannot_be_read_comes_from_the_other_side()
    {
        foreach (string name in (string[])["one-12", "ten", "five-ls"])
        {
            var members = Open(name);
            var found = Assert.Single(MdAssembly.Of([.. members.Select(MdMember.Read)]).Arrays);
            var data = MdMember.Read(members[0]).Superblock!.Data;
            var faulty = new FaultyBlockDevice(members[0]) { Unreadable = ExtentSet.From(data with { Length = 65536 }) };
            MadeArrays.AssertWhole(Open(found, [faulty, .. members.Skip(1)]), name);
        }
    }

    private static IBlockDevice Open(MdFoundArray array, List<IBlockDevice> members) => array.Shape.Open("array",
        [.. array.Readable.Select(d => d is { } m ? new MappedColumn(members[m], MdMember.Read(members[m]).Superblock!.Data.Start) : (MappedColumn?)null)]);

    private List<IBlockDevice> Open(string name)
    {
        var devices = MadeArrays.Members(_folder.Root, name).Select(f => new TestFileDevice(f)).ToList();
        Assert.NotEmpty(devices);
        _open.AddRange(devices);
        return [.. devices];
    }
}
