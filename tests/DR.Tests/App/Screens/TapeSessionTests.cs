using DR.Core.Image.Tape;
using DR.Core.Primitives;
using DR.Platform.Tape;
using DR.Tests.Doubles;
using DR.Tests.Engine;
using static DR.Tests.Engine.SmallDisks;

namespace DR.Tests.App.Screens;

/// <summary>A job that needs another cartridge, and an operator who brings it, or has none.</summary>
public sealed class TapeSessionTests : IDisposable
{
    private const string Enter = "\r";

    private readonly ScreenBench _screen = new();
    private readonly TempFolder _folder = new();
    private readonly VirtualTapeDrive _drive;
    private volatile bool _ended;

    public TapeSessionTests()
    {
        VirtualTapeLibrary.Make(_folder.Root, 64 << 10, 2);
        _drive = VirtualTapeDrive.Open(_folder.Root);
        var source = new FakeMachine().Add("/dev/source", Gpt());
        _screen.Library.Images.Add("/images/server.drimg", new Workbench().With("/dev/source", source.Content).Capture("/dev/source"));
        _screen.Bench.Machine.Add("/dev/target", 6 * MiB);
        _screen.Library.WhenOpened = Opened;
    }

    private List<bool> Fed { get; } = [];

    public void Dispose()
    {
        _screen.Dispose();
        _drive.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("n", false)]
    [InlineData(Enter, true)]
    public void Another_cartridge_is_asked_for(string key, bool there)
    {
        _screen.Start();
        _screen.Until("WRITTEN /dev/target");
        _ended = true;
        _screen.Type("v", "PUT ANOTHER CARTRIDGE INTO vtape:here", "Wanted      cartridge 2", "Now         this is not it");
        if (there)
        {
            _screen.Type(key, "DONE: the image is whole");
        }
        else
        {
            _screen.Type(key, "there is no cartridge 2");
        }

        Assert.Equal([there], Fed);
        Assert.False(_drive.Status().Loaded);
    }

    /// <summary>In place of a tape that comes to its end: asks as one does, on the thread of the job.</summary>
    private void Opened(string location)
    {
        if (!_ended)
        {
            return;
        }

        _ended = false;
        Fed.Add(_screen.Tapes.TryFeed(_drive, new CartridgeWish("vtape:here", "cartridge 2", "this is not it", false), CancellationToken.None));
        if (!Fed[^1])
        {
            throw new DrException(Failure.Damaged, "there is no cartridge 2");
        }
    }
}
