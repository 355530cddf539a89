using DR.Engine.Restore;
using DR.Tests.Doubles;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.Engine.Restore;

/// <summary>The order of a restore is its safety, so it is written down here request by request.</summary>
public class RestoreOrderTests
{
    private readonly Workbench _bench = new();

    public RestoreOrderTests() => _bench.Machine.Add("/dev/source", Gpt());

    [Fact]
    public void Every_request_to_the_target_comes_in_this_order()
    {
        var image = _bench.Capture("/dev/source");
        var target = Target("/dev/target", 6 * MiB);
        var plan = _bench.Plan(image, new RestoreRequest(["/dev/target"]));
        Assert.DoesNotContain(_bench.Machine.Trace, l => l.StartsWith("write", StringComparison.Ordinal) || l.StartsWith("zero", StringComparison.Ordinal));
        _bench.Machine.Trace.Clear();
        _bench.Run(plan, image);

        Assert.Equal(
            """
            take /dev/target
            -- erase: what the disk was found by, then the mark, then all other places of signatures
            zero 0+1048576
            flush
            write 6225920+4096
            flush
            zero 0+2621440
            zero 5242880+983040
            zero 6230016+61440
            flush
            -- data
            write 1048576+524288
            write 1572864+65536
            zero 1638400+131072
            write 1769472+65536
            flush
            -- read back
            flush
            drop caches
            read 786432
            -- tables: backup entries, backup header, what was held back; then LBA 0
            write 6274560+16384
            write 6290944+512
            write 512+1048064
            flush
            write 0+512
            flush
            -- tables read back
            read
            -- the mark goes
            zero 6225920+4096
            flush
            reread table
            """.ReplaceLineEndings("\n"),
            Golden(_bench.Machine.Trace));
        Workbench.AssertRestored(_bench.Machine["/dev/source"].Content, target);
    }

    [Fact]
    public void The_same_input_has_the_same_plan()
    {
        var image = _bench.Capture("/dev/source");
        Target("/dev/target", 6 * MiB);
        var (one, two) = (_bench.Plan(image, new RestoreRequest(["/dev/target"])), _bench.Plan(image, new RestoreRequest(["/dev/target"])));
        Assert.Equal(Text(one), Text(two));
    }

    [Fact]
    public void Nothing_is_held_longer_than_the_restore()
    {
        var image = _bench.Capture("/dev/source");
        Target("/dev/target", 6 * MiB);
        _bench.Restore(image, "/dev/target");
        _bench.Restore(image, new RestoreRequest(["/dev/target"]) { Overwrite = ["serial:Starget"] });
    }

    [Fact]
    public void Several_disks_become_valid_together_at_the_end()
    {
        _bench.Machine.Add("/dev/source2", Mbr("/dev/source2"));
        var image = _bench.Capture("/dev/source", "/dev/source2");
        Target("/dev/a", 4 * MiB);
        Target("/dev/b", 5 * MiB);
        var plan = _bench.Plan(image, new RestoreRequest(["/dev/a", "/dev/b"]));
        _bench.Machine.Trace.Clear();
        _bench.Run(plan, image);
        var trace = _bench.Machine.Trace.Where(l => l.StartsWith("take", StringComparison.Ordinal) || l.StartsWith("write", StringComparison.Ordinal)).ToList();
        Assert.Equal(["take /dev/a", "take /dev/b"], trace[..2]);
        Assert.Equal(["write 0+512", "write 0+512"], trace[^2..]);
        Assert.Equal(2, trace.Count(l => l == "write 0+512"));
    }

    [Fact]
    public void A_volume_without_a_table_shows_its_header_last()
    {
        _bench.Machine.Add("/dev/luks", Luks());
        var image = _bench.Capture("/dev/luks");
        var target = Target("/dev/target", 3 * MiB);
        var plan = _bench.Plan(image, new RestoreRequest(["/dev/target"]));
        _bench.Machine.Trace.Clear();
        _bench.Run(plan, image);
        var writes = _bench.Machine.Trace.Where(l => l.StartsWith("write", StringComparison.Ordinal)).ToList();
        Assert.Equal("write 0+4096", writes[^1]);
        Assert.Equal("write 4096+4096", writes[^2]);
        Assert.Equal("write 1048576+1048576", writes[1]);
        Assert.Equal("write 69632+978944", writes[2]);
        Workbench.AssertRestored(_bench.Machine["/dev/luks"].Content, target);
    }

    private DR.Core.Devices.IBlockDevice Target(string path, long length)
    {
        var disk = _bench.Machine.Add(path, length);
        disk.WhenTaken = d => new WatchedBlockDevice(d, (request, extent) =>
        {
            lock (_bench.Machine.Trace)
            {
                _bench.Machine.Trace.Add(request == "flush" ? request : $"{request} {extent.Start}+{extent.Length}");
            }
        });
        return disk.Content;
    }

    /// <summary>With headings, and with the reads of a group as their sum: several threads read back at once.</summary>
    private static string Golden(IEnumerable<string> trace)
    {
        var lines = new List<string>();
        long read = 0;
        foreach (string line in trace.Append("end"))
        {
            if (line.StartsWith("read ", StringComparison.Ordinal))
            {
                read += long.Parse(line[(line.IndexOf('+', StringComparison.Ordinal) + 1)..]);
                continue;
            }

            if (read > 0)
            {
                lines.Add(lines[^1] == "drop caches" ? $"read {read}" : "read");
                read = 0;
            }

            lines.Add(line);
        }

        lines.RemoveAt(lines.Count - 1);
        var headings = new (string Before, string Heading)[]
        {
            ("zero 0+1048576", "-- erase: what the disk was found by, then the mark, then all other places of signatures"),
            ("write 1048576+524288", "-- data"),
            ("flush\ndrop caches", "-- read back"),
            ("write 6274560+16384", "-- tables: backup entries, backup header, what was held back; then LBA 0"),
            ("read\n", "-- tables read back"),
            ("zero 6225920+4096\n", "-- the mark goes"),
        };
        return headings.Aggregate(string.Join('\n', lines), (text, h) => text.Replace("\n" + h.Before, $"\n{h.Heading}\n{h.Before}", StringComparison.Ordinal));
    }

    private static string Text(RestorePlan plan) => string.Join('\n',
        [.. plan.Disks.Select(d => $"{d.Identity} {Layout.RandomLayouts.Text(d.Layout)} {d.Contents} {string.Join(' ', d.Erase)} {d.MarkerOffset}"),
            .. plan.Volumes.Select(v => v with { Source = plan.Manifest.Volumes[0] }).Select(v => v.ToString()), .. plan.Remarks]);
}
