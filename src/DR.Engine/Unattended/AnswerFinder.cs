using System.Security.Cryptography;
using DR.Core.Primitives;
using DR.Engine.Sources;

namespace DR.Engine.Unattended;

/// <param name="Where">For messages.</param>
public sealed record FoundAnswer(string Where, byte[] Content);

/// <summary>
/// Looks for the answer, in this order: <c>dr.answer=</c> on the kernel command line (a location; <c>none</c> for none at
/// all), <c>/dr/answer.json</c> on the medium, <c>answer.json</c> on a volume labelled DR-ANSWER. An answer that could be
/// changed on its way decides what is erased: over a network it comes by https from a server with a known certificate,
/// or it has the digest that <c>dr.answer.sha256=</c> says.
/// </summary>
public sealed class AnswerFinder(IFileLibrary files)
{
    public const string OnMedium = "/run/live/medium/dr/answer.json";
    public const string OnVolume = "label:DR-ANSWER/answer.json";

    /// <param name="commandLine">Of the kernel: /proc/cmdline.</param>
    /// <returns>Null where there is no answer.</returns>
    /// <exception cref="DrException">There is one, and it cannot be had or must not be trusted.</exception>
    public FoundAnswer? Find(string commandLine, CancellationToken cancel)
    {
        var words = commandLine.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        string? given = Word(words, "dr.answer=");
        string? digest = Word(words, "dr.answer.sha256=");
        return given switch
        {
            null => (Implied(OnMedium, cancel) ?? Implied(OnVolume, cancel)) is { } found ? Trusted(found, digest) : null,
            "none" => null,
            _ => Named(given, digest, cancel),
        };
    }

    private static string? Word(string[] words, string name) =>
        words.LastOrDefault(w => w.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim('"');

    private FoundAnswer? Implied(string location, CancellationToken cancel) =>
        files.ReadSmall(location, AnswerReader.MaxBytes, cancel) is { } content ? new FoundAnswer(location, content) : null;

    /// <summary>What cannot be proved genuine is not even fetched.</summary>
    private FoundAnswer Named(string location, string? digest, CancellationToken cancel)
    {
        bool network = ((string[])["http://", "smb://", "nfs://"]).Any(s => location.StartsWith(s, StringComparison.Ordinal));
        if (network && digest is null)
        {
            throw new DrException(Failure.Refused,
                $"dr.answer={location}: over this network anybody could have changed it; nothing was changed. Use https://, or add dr.answer.sha256= and the SHA-256 of the file to the kernel command line");
        }

        return Implied(location, cancel) is { } found
            ? Trusted(found, digest)
            : throw new DrException(Failure.Failed, $"dr.answer={location}: there is no such file; nothing was changed");
    }

    private static FoundAnswer Trusted(FoundAnswer found, string? digest)
    {
        string actual = Convert.ToHexStringLower(SHA256.HashData(found.Content));
        return digest is null || actual.Equals(digest, StringComparison.OrdinalIgnoreCase)
            ? found
            : throw new DrException(Failure.Refused,
                $"{found.Where} has the SHA-256 {actual}, and dr.answer.sha256= on the kernel command line says {digest}; nothing was changed. It is not the answer that was meant");
    }
}
