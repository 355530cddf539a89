using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>Looks into an ISO file of ours without mounting it.</summary>
public sealed class MediumReader(IToolRunner tools)
{
    /// <exception cref="DrException">It is no medium of ours, or one of before media had such a table.</exception>
    public HardwareTable Hardware(string iso, CancellationToken cancel)
    {
        if (!File.Exists(iso))
        {
            throw new DrException(Failure.Usage, $"there is no file {iso}");
        }

        string folder = Directory.CreateTempSubdirectory("dr-medium").FullName;
        try
        {
            string file = Path.Combine(folder, "hardware.json");
            var result = tools.Run("xorriso", ["-osirrox", "on", "-indev", iso, "-extract", HardwareTable.OnMedium, file], cancel);
            return File.Exists(file) ? HardwareTable.Parse(File.ReadAllText(file))
                : throw new DrException(Failure.Failed, $"{iso} has no {HardwareTable.OnMedium}, so that it cannot be told what it drives. Build it anew. xorriso: {result.LastWords}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
