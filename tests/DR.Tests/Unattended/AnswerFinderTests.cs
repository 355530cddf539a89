using System.Security.Cryptography;
using DR.Core.Primitives;
using DR.Engine.Unattended;

namespace DR.Tests.Unattended;

/// <summary>Where an answer is looked for, in which order, and which is not trusted.</summary>
public class AnswerFinderTests
{
    private readonly UnattendedBench _bench = new();

    [Fact]
    public void The_command_line_comes_before_the_medium_and_the_medium_before_the_volume()
    {
        Assert.Null(Find("quiet"));
        Assert.Equal([AnswerFinder.OnMedium, AnswerFinder.OnVolume], _bench.Reads);
        foreach (string place in (string[])[AnswerFinder.OnVolume, AnswerFinder.OnMedium, "label:X/a.json"])
        {
            _bench.Files[place] = UnattendedBench.Bytes(place);
            Assert.Equal(place, Find(place.StartsWith("label:X", StringComparison.Ordinal) ? "quiet dr.answer=label:X/a.json boot=live\n" : "quiet\n")!.Where);
        }
    }

    [Fact]
    public void None_means_none()
    {
        _bench.Files[AnswerFinder.OnMedium] = [];
        Assert.Null(Find("dr.answer=none"));
    }

    [Fact]
    public void What_is_named_and_not_there_is_an_error_and_nothing_else_is_taken()
    {
        _bench.Files[AnswerFinder.OnMedium] = [];
        Refused(Failure.Failed, "dr.answer=/a.json", "dr.answer=/a.json: there is no such file");
    }

    [Theory]
    [InlineData("http://10.0.2.2/a.json")]
    [InlineData("smb://nas/share/a.json")]
    [InlineData("nfs://nas/export/a.json")]
    public void Over_a_network_that_proves_nothing_it_needs_its_digest(string place)
    {
        _bench.Files[place] = UnattendedBench.Bytes("{}");
        string digest = Convert.ToHexString(SHA256.HashData("{}"u8));
        Refused(Failure.Refused, $"dr.answer={place}", "anybody could have changed it", "dr.answer.sha256=");
        Assert.Empty(_bench.Reads);
        Refused(Failure.Refused, $"dr.answer={place} dr.answer.sha256={digest[..^1]}0", "It is not the answer that was meant");
        Assert.Equal(place, Find($"dr.answer={place} dr.answer.sha256={digest}")!.Where);
        Assert.Equal(place, Find($"dr.answer.sha256={digest.ToLowerInvariant()} dr.answer={place}")!.Where);
    }

    [Fact]
    public void By_https_it_is_trusted_and_a_digest_that_is_given_is_checked_everywhere()
    {
        _bench.Files["https://host/a.json"] = UnattendedBench.Bytes("{}");
        Assert.NotNull(Find("dr.answer=https://host/a.json"));
        _bench.Files[AnswerFinder.OnVolume] = UnattendedBench.Bytes("{}");
        Refused(Failure.Refused, "dr.answer.sha256=00", "It is not the answer that was meant");
    }

    private FoundAnswer? Find(string commandLine) => new AnswerFinder(_bench).Find(commandLine, TestContext.Current.CancellationToken);

    private void Refused(Failure failure, string commandLine, params string[] words)
    {
        var error = Assert.Throws<DrException>(() => Find(commandLine));
        Assert.Equal(failure, error.Failure);
        Assert.All(words, w => Assert.Contains(w, error.Message, StringComparison.Ordinal));
    }
}
