using System.Security.Cryptography;
using DR.Tests.Engine;

namespace DR.Tests.App;

/// <summary>An answer file from its first check to the second boot, by the command line.</summary>
[Trait("Category", "Slow")]
public sealed class AnswerJourneyTests : IDisposable
{
    private const long MiB = 1 << 20;
    private readonly RealDisks _real = new();

    public void Dispose() => _real.Dispose();

    [Fact]
    public void Check_expand_run_and_run_again()
    {
        string source = _real.Disk("source.raw", 40 * MiB, "label: gpt\nsize=24M,type=linux\n", _real.Ext4("root", 24 * MiB));
        string target = _real.Blank("target.raw", 60 * MiB);
        DrProcess.Run("capture", source, "--to", At("server.drimg")).Is(0);
        string answer = Answer("answer.json", At("server.drimg"), target);
        string blank = Hash(target);

        Assert.Contains($"target 1    id \"file:{target}\"", DrProcess.Run("answer", "check", answer).Is(0).Output, StringComparison.Ordinal);
        Assert.Contains("About ", DrProcess.Run("answer", "expand", answer).Is(0).Output, StringComparison.Ordinal);
        Assert.Equal($"file:{target}", DrProcess.Run("answer", "expand", answer, "--json").Is(0).Json.GetProperty("targets")[0].GetString());
        DrProcess.Run("answer", "run", Answer("other.json", At("nowhere.drimg"), target)).Is(1);
        Assert.Equal(blank, Hash(target));

        var run = DrProcess.Run("answer", "run", answer, "--json").Is(0).Json;
        Assert.Equal("Restored", run.GetProperty("end").GetString());
        _real.AssertSound(_real.Extract(target, 1));
        string restored = Hash(target);
        string again = DrProcess.Run("answer", "run", answer).Is(0).Output;
        Assert.Contains("== DR unattended: ALREADY DONE ==", again, StringComparison.Ordinal);
        Assert.Contains($"Already done on {target} on ", again, StringComparison.Ordinal);
        Assert.Contains("  done        on " + target, DrProcess.Run("answer", "expand", Answer("used.json", At("server.drimg"), target, $", \"overwrite\": \"file:{target}\"")).Is(0).Output, StringComparison.Ordinal);

        string armed = DrProcess.Run("answer", "run", Answer("armed.json", At("server.drimg"), target, ", \"rearm\": \"2\"")).Is(3).Output;
        Assert.Contains("== DR unattended: FAILED ==", armed, StringComparison.Ordinal);
        Assert.Contains($"is not in \"overwrite\"", armed, StringComparison.Ordinal);
        Assert.Equal(restored, Hash(target));
    }

    [Fact]
    public void What_is_wrong_with_it_is_a_wrong_usage()
    {
        File.WriteAllText(At("wrong.json"), "{\n  \"imgae\": 1\n}");
        DrProcess.Run("answer", "check", At("wrong.json")).Is(2).Says("wrong.json, line 2, column 3: there is no member \"imgae\"; is \"image\" meant?");
        Assert.Contains("line 2, column 3", DrProcess.Run("answer", "run", At("wrong.json")).Is(2).Output, StringComparison.Ordinal);
        DrProcess.Run("answer", "check", At("nothing.json")).Is(1).Says("nothing.json cannot be read");
    }

    private string Answer(string name, string image, string target, string more = "")
    {
        File.WriteAllText(At(name), $$"""{ "image": "{{image}}", "targets": [ { "id": "file:{{target}}" } ], "countdown": 0{{more}} }""");
        return At(name);
    }

    private string At(string name) => Path.Combine(_real.Folder, name);

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
