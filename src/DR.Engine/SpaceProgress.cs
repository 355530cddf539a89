using DR.Core.Devices;
using DR.Core.Image;

namespace DR.Engine;

/// <summary>
/// Reports frames in the measure of the plan, which counts what filesystems say is in use, while frames count whole blocks
/// of the map: otherwise a job would be at more than 100 % before it ends. Maps come before the frames of their volume, frames from one thread.
/// </summary>
internal sealed class SpaceProgress(Manifest manifest, IJobReport report)
{
    private readonly Dictionary<int, Scale> _scales = manifest.Volumes.ToDictionary(v => v.Space, v => new Scale(v.SavedBytes));

    /// <param name="map">Says how many bytes the frames of its volume will have.</param>
    public void Expect(MapItem map)
    {
        if (_scales.TryGetValue(map.Space.Number, out var scale))
        {
            scale.Expected = map.Map.Runs().Where(r => r.State == MapState.Allocated).Sum(r => map.Map.ExtentOf(r.First, r.Count).Length);
        }
    }

    public void Done(int space, long bytes)
    {
        if (!_scales.TryGetValue(space, out var scale))
        {
            report.Advance(space, bytes);
            return;
        }

        scale.Done += bytes;
        long now = scale.Expected == 0 ? 0 : (long)((Int128)scale.Planned * Math.Min(scale.Done, scale.Expected) / scale.Expected);
        report.Advance(space, now - scale.Told);
        scale.Told = now;
    }

    private sealed class Scale(long planned)
    {
        public long Planned => planned;

        public long Expected { get; set; }

        public long Done { get; set; }

        public long Told { get; set; }
    }
}
