using System.Security.Cryptography;
using System.Text.Json;
using DR.Platform.Tape;
using DR.Tests.Doubles;
using DR.Tests.Engine;

namespace DR.Tests.App;

/// <summary>A server onto tape and back by the command line, on virtual cartridges.</summary>
[Trait("Category", "Slow")]
public sealed class TapeJourneyTests : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly RealDisks _real = new();
    private readonly string _source;

    public TapeJourneyTests()
    {
        string files = Directory.CreateDirectory(Path.Combine(_real.Folder, "files")).FullName;
        File.WriteAllBytes(Path.Combine(files, "random"), RandomNumberGenerator.GetBytes((int)(10 * MiB)));
        string root = Path.Combine(_real.Folder, "root.ext4");
        using (var file = File.Create(root))
        {
            file.SetLength(24 * MiB);
        }

        Tools.Run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-d", files, root);
        _source = _real.Disk("source.raw", 40 * MiB, "label: gpt\nsize=24M,type=linux,name=root\n", root);
    }

    private string Tape => "vtape:" + Folder;

    private string Folder => Path.Combine(_real.Folder, "tapes");

    public void Dispose() => _real.Dispose();

    [Fact]
    public void Over_three_cartridges_and_back()
    {
        var made = Run("tape", "label", Tape, "--capacity", "5M", "--count", "4").GetProperty("cartridges");
        Assert.Equal(["DR0001", "DR0002", "DR0003", "DR0004"], made.EnumerateArray().Select(c => c.GetString()));
        Assert.Equal("blank", Run("tape", "status", Tape).GetProperty("state").GetString());
        var plan = Run("capture", _source, "--to", Tape, "--plan");
        Assert.True(plan.GetProperty("planned").GetBoolean());
        Assert.Equal("blank", Run("tape", "status", Tape).GetProperty("state").GetString());

        var capture = Run("capture", _source, "--to", Tape, "--name", "server", "--verify");
        Assert.True(capture.GetProperty("verified").GetBoolean());
        Assert.Equal([1, 2, 3], Cartridges(capture));
        Assert.True(capture.GetProperty("driveStops").GetInt32() >= 0);

        var list = Run("tape", "list", Tape, "--load", "DR0001");
        var image = Assert.Single(list.GetProperty("images").EnumerateArray());
        Assert.Equal(("server", 1, false), (image.GetProperty("name").GetString(), image.GetProperty("part").GetInt32(), image.GetProperty("complete").GetBoolean()));
        Assert.Equal(capture.GetProperty("id").GetString(), image.GetProperty("id").GetString());
        Assert.True(Run("tape", "list", Tape, "--load", "DR0003").GetProperty("images")[0].GetProperty("complete").GetBoolean());

        var verify = Run("verify", Tape);
        Assert.Equal([1, 2, 3], Cartridges(verify));
        Assert.Equal(capture.GetProperty("id").GetString(), Run("info", Tape).GetProperty("image").GetProperty("id").GetString());
        string target = _real.Blank("target.raw", 60 * MiB);
        DrProcess.Run("restore", Tape, "--to", target, "--plan").Is(0).Says();
        Assert.Contains("can only be read forward: whether it is complete is known at its end only", DrProcess.Run("restore", Tape, "--to", target, "--plan").Is(0).Output, StringComparison.Ordinal);
        var restore = Run("restore", Tape, "--to", target, "--yes", "--verify-first", "--grow", "none");
        Assert.Equal([1, 2, 3], Cartridges(restore));
        Assert.Equal(Hash(_real.Extract(_source, 1)), Hash(_real.Extract(target, 1)));
    }

    [Fact]
    public void Several_images_on_a_tape_and_what_is_refused()
    {
        Run("tape", "label", Tape, "--capacity", "60M", "--count", "1");
        Run("capture", _source, "--to", Tape, "--name", "one");
        Run("capture", _source, "--to", Tape, "--name", "two");
        Assert.Equal(["one", "two"], Run("tape", "list", Tape).GetProperty("images").EnumerateArray().Select(i => i.GetProperty("name").GetString()));
        DrProcess.Run("verify", Tape).Is(2).Says("are 2 images", "#1 \"one\"", $"Say which: {Tape}#2");
        DrProcess.Run("verify", Tape + "#2").Is(0);
        DrProcess.Run("verify", Tape + "#last", "--structure").Is(0);
        DrProcess.Run("verify", Tape + "#3").Is(4).Says("Wanted is the first cartridge of the image #3");

        string cartridge = Path.Combine(Folder, "DR0001.vtape");
        string before = Hash(cartridge);
        DrProcess.Run("tape", "erase", Tape).Is(3).Says("whose data is kept unless it is named: --overwrite-tape \"DR0001\"", "nothing was changed");
        DrProcess.Run("tape", "label", Tape, "--label", "MON-1", "--overwrite-tape", "DR0002").Is(3);
        DrProcess.Run("tape", "erase", Tape, "--overwrite-tape", "DR0001", "--plan").Is(0);
        DrProcess.Run("capture", _source, "--to", Tape, "--split", "10M").Is(2).Says("cut by its cartridges");
        DrProcess.Run("capture", _source, "--to", Tape + "#2").Is(2).Says("name the tape without a number");
        DrProcess.Run("capture", _source, "--to", Tape, "--buffer", "1").Is(2).Says("a size from 4M to 64G is wanted");
        DrProcess.Run("capture", _source, "--to", Tape, "--changer", "/dev/sg9").Is(2).Says("are changed without");
        VirtualTapeLibrary.Protect(Folder, "DR0001", on: true);
        DrProcess.Run("capture", _source, "--to", Tape).Is(3).Says("is write-protected", "nothing was changed");
        VirtualTapeLibrary.Protect(Folder, "DR0001", on: false);
        Assert.Equal(before, Hash(cartridge));

        Run("tape", "label", Tape, "--label", "MON-1", "--overwrite-tape", "DR0001");
        Assert.Equal(("labelled", "MON-1"), (Run("tape", "status", Tape).GetProperty("state").GetString(), Run("tape", "status", Tape).GetProperty("name").GetString()));
        Run("capture", _source, "--to", Tape, "--name", "three");
        Run("tape", "erase", Tape, "--overwrite-tape", "MON-1");
        Assert.Equal("blank", Run("tape", "status", Tape).GetProperty("state").GetString());
    }

    [Fact]
    public void A_missing_cartridge_is_named_and_salvage_lists_what_is_lost()
    {
        Run("tape", "label", Tape, "--capacity", "5M", "--count", "3");
        Run("capture", _source, "--to", Tape);
        File.Move(Path.Combine(Folder, "DR0002.vtape"), Path.Combine(_real.Folder, "away"));
        string target = _real.Blank("target.raw", 40 * MiB);
        DrProcess.Run("verify", Tape).Is(4).Says("Wanted is cartridge 2 of set");
        var failed = DrProcess.Run("restore", Tape, "--to", target, "--yes", "--grow", "none").Is(4);
        failed.Says("Wanted is cartridge 2 of set", "What is lost begins at or behind " + _source, "counts as empty");
        var salvage = DrProcess.Run("restore", Tape, "--to", target, "--yes", "--grow", "none", "--salvage", "--json").Is(8).Json;
        Assert.NotEmpty(salvage.GetProperty("losses").EnumerateArray());
    }

    [Fact]
    public void A_capture_that_is_stopped_says_in_what_state_the_tape_is()
    {
        Run("tape", "label", Tape, "--capacity", "100M", "--count", "1");
        Run("capture", _source, "--to", Tape, "--name", "one");
        string cartridge = Path.Combine(Folder, "DR0001.vtape");
        long before = new FileInfo(cartridge).Length;
        using (var dr = DrProcess.Start(_real.Folder, "capture", _source, "--to", Tape, "--level", "19", "--all-blocks", "--buffer", "4M"))
        {
            dr.Until(() => new FileInfo(cartridge).Length > before, "something of the second image is on the tape");
            dr.Signal("INT");
            dr.Wait().Is(130).Says("ends in an unfinished image, #2", "a new image can be appended", "The disks were only read.");
        }

        DrProcess.Run("verify", Tape + "#1").Is(0);
        DrProcess.Run("verify", Tape + "#2").Is(4);
        Run("capture", _source, "--to", Tape, "--name", "three");
        DrProcess.Run("verify", Tape + "#3").Is(0);
    }

    [Fact]
    public void Unattended_from_tape()
    {
        Run("tape", "label", Tape, "--capacity", "5M", "--count", "4");
        Run("capture", _source, "--to", Tape);
        string target = _real.Blank("target.raw", 60 * MiB);
        string answer = Path.Combine(_real.Folder, "answer.json");
        File.WriteAllText(answer, $$"""{ "image": "{{Tape}}", "targets": [ { "id": "file:{{target}}" } ], "countdown": 0, "grow": "none" }""");
        Assert.Equal("Restored", DrProcess.Run("answer", "run", answer, "--json").Is(0).Json.GetProperty("end").GetString());
        Assert.Equal(Hash(_real.Extract(_source, 1)), Hash(_real.Extract(target, 1)));
    }

    private static JsonElement Run(params string[] arguments) => DrProcess.Run([.. arguments, "--json"]).Is(0).Json;

    private static IEnumerable<int> Cartridges(JsonElement document) => document.GetProperty("cartridges").EnumerateArray().Select(c => c.GetProperty("number").GetInt32());

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
