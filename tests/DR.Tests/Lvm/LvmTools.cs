using System.Globalization;
using System.Text.Json;
using DR.Core.Primitives;
using DR.Tests.Doubles;

namespace DR.Tests.Lvm;

/// <summary>
/// The real lvm2 on loop devices. It runs without the kernel's device-mapper, so that nothing is activated; where the bytes of a
/// logical volume lie is taken from its own report.
/// </summary>
internal sealed class LvmTools
{
    private readonly Scratch _scratch;
    private readonly List<(string File, Extent Extent, string Loop)> _places = [];

    public LvmTools(Scratch scratch)
    {
        Requires.Loops("lvm", "pvcreate", "vgcreate", "lvcreate", "vgck", "pvck", "lvs", "pvs", "vgs");
        _scratch = scratch;
    }

    private string Config => "devices{use_devicesfile=0 dir=\"/dev\" filter=["
        + string.Concat(_places.Select(p => $"\"a|^{p.Loop}$|\",")) + "\"r|.*|\"]} global{use_lvmlockd=0} backup{backup=0 archive=0} activation{udev_sync=0 udev_rules=0}";

    /// <summary>Shows a run of a file, a partition of it, as a device; the whole file for an empty one.</summary>
    public string Show(string file, Extent extent = default)
    {
        var run = extent.Length > 0 ? extent : new Extent(0, new FileInfo(file).Length);
        string loop = _scratch.Loop(file, "--offset", Text(run.Start), "--sizelimit", Text(run.Length));
        _places.Add((file, run, loop));
        return loop;
    }

    /// <summary>The device of what was shown as number <paramref name="index"/>, from 0.</summary>
    public string Loop(int index) => _places[index].Loop;

    /// <summary>Detaches all that was shown last.</summary>
    public void Hide()
    {
        _places.ForEach(_ => _scratch.Undo());
        _places.Clear();
    }

    /// <summary>Runs a verb of lvm, which has to succeed.</summary>
    public string Run(string verb, params string[] arguments) => Tools.Run(verb, ["--driverloaded", "n", "--config", Config, .. arguments]);

    public (int Code, string Output, string Error) Try(string verb, params string[] arguments) =>
        Tools.Try(verb, ["--driverloaded", "n", "--config", Config, .. arguments]);

    public void Create(string group, params string[] loops)
    {
        foreach (string loop in loops)
        {
            Run("pvcreate", "-q", "-y", loop);
        }

        Run("vgcreate", ["-q", "-s", "1M", group, .. loops]);
    }

    public void AddVolume(string group, string name, params string[] arguments) =>
        Run("lvcreate", ["-q", "-y", "-an", "-Zn", "-Wn", "-n", name, .. arguments, group]);

    /// <summary>That the checkers find nothing, neither wrong nor odd.</summary>
    public void AssertSound(string group)
    {
        var (code, output, error) = Try("vgck", group);
        Assert.True(code == 0 && !(output + error).Contains("WARNING: PV", StringComparison.Ordinal), output + error);
        foreach (var place in _places)
        {
            (code, output, error) = Try("pvck", place.Loop);
            Assert.True(code == 0, output + error);
        }

        Assert.DoesNotContain("nconsistent", Try("vgs", group).Error, StringComparison.Ordinal);
    }

    /// <summary>Rows of a report, by the names of their columns.</summary>
    public List<Dictionary<string, string>> Report(string verb, params string[] arguments)
    {
        string json = Run(verb, ["--reportformat", "json", "--units", "b", "--nosuffix", .. arguments]);
        using var document = JsonDocument.Parse(json[json.IndexOf('{', StringComparison.Ordinal)..]);
        return [.. document.RootElement.GetProperty("report")[0].EnumerateObject().First().Value.EnumerateArray()
            .Select(row => row.EnumerateObject().ToDictionary(c => c.Name, c => c.Value.GetString()!))];
    }

    /// <summary>Copies the file into the logical volume.</summary>
    public void Fill(string group, string volume, string file)
    {
        var content = File.ReadAllBytes(file);
        foreach (var (place, at) in Runs(group, volume))
        {
            if (at < content.Length)
            {
                using var disk = File.OpenHandle(place.File, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                RandomAccess.Write(disk, content.AsSpan((int)at, (int)Math.Min(place.Extent.Length, content.Length - at)), place.Extent.Start);
            }
        }
    }

    /// <summary>The bytes of the logical volume.</summary>
    public byte[] Content(string group, string volume)
    {
        var runs = Runs(group, volume).ToList();
        var content = new byte[runs.Sum(r => r.Place.Extent.Length)];
        foreach (var (place, at) in runs)
        {
            using var disk = File.OpenHandle(place.File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            Assert.Equal(place.Extent.Length, RandomAccess.Read(disk, content.AsSpan((int)at, (int)place.Extent.Length), place.Extent.Start));
        }

        return content;
    }

    /// <summary>Where the volume's bytes lie in files, by what lvs and pvs say.</summary>
    private IEnumerable<((string File, Extent Extent) Place, long At)> Runs(string group, string volume)
    {
        long size = Number(Report("vgs", "-o", "vg_extent_size", group).Single()["vg_extent_size"]);
        var starts = Report("pvs", "-o", "pv_name,pe_start").ToDictionary(r => r["pv_name"], r => Number(r["pe_start"]));
        foreach (var segment in Report("lvs", "--segments", "-o", "seg_start,seg_size,stripe_size,devices", $"{group}/{volume}"))
        {
            var columns = segment["devices"].Split(',').Select(d => d.TrimEnd(')').Split('(')).ToList();
            long chunk = columns.Count == 1 ? Number(segment["seg_size"]) : Number(segment["stripe_size"]);
            for (long at = 0, i = 0; at < Number(segment["seg_size"]); at += chunk, i++)
            {
                var column = columns[(int)(i % columns.Count)];
                var (file, extent, _) = _places.Single(p => p.Loop == column[0]);
                long start = extent.Start + starts[column[0]] + Number(column[1]) * size + i / columns.Count * chunk;
                yield return ((file, new Extent(start, chunk)), Number(segment["seg_start"]) + at);
            }
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
