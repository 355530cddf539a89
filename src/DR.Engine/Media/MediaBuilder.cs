using System.Security.Cryptography;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>Builds a recovery medium as planned: the root file system, unless the cache has it, and the ISO file, which appears when it is whole.</summary>
public sealed class MediaBuilder(IToolRunner tools)
{
    /// <exception cref="DrException">A tool is missing or failed; there is no ISO file then.</exception>
    public MediaResult Run(MediaPlan plan, IJobReport report, CancellationToken cancel)
    {
        BuildTools.RequireAll(tools);
        var steps = new BuildTools(tools, report, cancel);
        var root = new LiveRoot(plan, steps);
        bool cached = root.IsCached;
        if (!cached)
        {
            report.Stage("making the root file system (once; minutes)", 0);
            Directory.CreateDirectory(plan.Request.Cache);
            root.Make();
        }

        var checks = Check(plan, root);
        report.Stage("making the medium", 0);
        MakeIso(plan, root, steps);
        using var iso = File.OpenRead(plan.Request.Output);
        report.Stage("reading it back", iso.Length);
        return new MediaResult(plan, iso.Length, Convert.ToHexStringLower(SHA256.HashData(iso)), cached, checks);
    }

    private static List<ControllerCheck> Check(MediaPlan plan, LiveRoot root)
    {
        if (plan.Request.Machines.Count == 0)
        {
            return [];
        }

        var table = HardwareTable.Parse(File.ReadAllText(root.Hardware));
        List<ControllerCheck> all = [];
        foreach (var machine in plan.Request.Machines)
        {
            var checks = HardwareCheck.Run(table, machine.Modaliases);
            HardwareCheck.Require(checks, "the medium", machine.Image);
            all.AddRange(checks);
        }

        return all;
    }

    private static void MakeIso(MediaPlan plan, LiveRoot root, BuildTools steps)
    {
        string work = plan.Request.Output + ".work";
        string unfinished = Path.Combine(work, "unfinished.iso");
        Directory.CreateDirectory(work);
        try
        {
            new LiveMedium(plan, root, steps, work).Make(unfinished);
            File.Move(unfinished, plan.Request.Output, plan.Request.Overwrite);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }
}
