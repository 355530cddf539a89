using DR.Core.Devices;

namespace DR.Tests.Doubles;

internal sealed class SilentReport : IJobReport
{
    public void Stage(string name, long total)
    {
    }

    public void Advance(long bytes)
    {
    }

    public void Note(string message)
    {
    }

    public void Warn(string message)
    {
    }
}
