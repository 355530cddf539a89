using System.Diagnostics;
using System.Globalization;
using DR.Core.Devices;
using DR.Platform.Tape;

namespace DR.Tests.Conformance;

/// <summary>
/// A drive of this computer (DR_TAPE, else /dev/nst0), with somebody beside it who puts in the blank cartridge that the file
/// DR_TAPE_WANTED asks for, and writes the number of the one that is in into DR_TAPE_LOADED. DR.Drills.TapeDrives runs it in a machine
/// whose drive is tgt's; what that one cannot do is passed over by name.
/// </summary>
[Trait("Category", "Device")]
public sealed class RealTapeTests : TapeDriveConformance
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static int _cartridge;

    protected override int Runs => 6;

    private static string Device => Environment.GetEnvironmentVariable("DR_TAPE") ?? "/dev/nst0";

    protected override string? Cannot(string what) => what switch
    {
        "physical end" => "tgt's tape has none",
        "erase" => "tgt's drive does not know ERASE",
        "an empty drive" => "tgt takes a cartridge in again as soon as it is out",
        "write protection" => "tgt does not tell of it",
        "blocks of less than 4 bytes" => "tgt's drive refuses them",
        _ => null,
    };

    protected override void NewCartridge()
    {
        int wanted = ++_cartridge;
        File.WriteAllText(Setting("DR_TAPE_WANTED"), $"Wanted is a blank cartridge, as number {wanted} of set drill\n");
        string loaded = Setting("DR_TAPE_LOADED");
        WaitUntil(() => File.Exists(loaded) && File.ReadAllText(loaded).Trim() == wanted.ToString(CultureInfo.InvariantCulture), $"cartridge {wanted} was put in");
    }

    protected override ITapeDrive Open() => StTapeDrive.Open(Device);

    protected override void Protect() => throw new NotSupportedException();

    protected override void Reload(ITapeDrive drive) => throw new NotSupportedException();

    private static string Setting(string name) => Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} names no file");

    private static void WaitUntil(Func<bool> holds, string what)
    {
        for (var watch = Stopwatch.StartNew(); !holds(); Thread.Sleep(Look))
        {
            Assert.True(watch.Elapsed < Patience, $"not after {Patience}: {what}");
        }
    }
}
