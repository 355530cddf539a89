using DR.Core.Devices;
using DR.Platform.Tape;
using DR.Tests.Doubles;

namespace DR.Tests.Conformance;

public class VirtualTapeTests : TapeDriveConformance
{
    private readonly Scratch _scratch = new();
    private int _folders;

    internal string Folder => Path.Combine(_scratch.Folder, "tapes" + _folders);

    protected override void NewCartridge()
    {
        _folders++;
        VirtualTapeLibrary.Make(Folder, Capacity, 2);
    }

    protected override ITapeDrive Open() => VirtualTapeDrive.Open(Folder);

    protected override void Protect() => VirtualTapeLibrary.Protect(Folder, "DR0001", on: true);

    protected override void Reload(ITapeDrive drive) => ((VirtualTapeDrive)drive).Load("DR0001");

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _scratch.Dispose();
    }
}

/// <summary>The double is a drive too while it has nothing to fail with, also where it buffers.</summary>
public sealed class DecoratedTapeTests : VirtualTapeTests
{
    private VirtualTapeDrive? _inner;

    protected override int Runs => 9;

    protected override void Reload(ITapeDrive drive) => _inner!.Load("DR0001");

    protected override ITapeDrive Open() => new FaultyTapeDrive(_inner = VirtualTapeDrive.Open(Folder));
}
