using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>Small files that travel with a medium, each looked at before it does.</summary>
internal static class Enclosures
{
    public const string Answer = "/dr/answer.json";
    public const string Authorities = "/dr/ca.pem";
    public const string Credentials = "/dr/credentials";

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static IEnumerable<(string Source, string Target)> Of(MediaRequest request)
    {
        if (request.Answer is { } answer)
        {
            RequireJson(answer);
            yield return (answer, Answer);
        }

        if (request.Authorities is { } authorities)
        {
            RequireCertificates(authorities);
            yield return (authorities, Authorities);
        }

        if (request.Credentials is { } credentials)
        {
            RequirePrivate(credentials);
            yield return (credentials, Credentials);
        }
    }

    /// <summary>What it asks for is judged by `dr answer check` and by the medium.</summary>
    private static void RequireJson(string file)
    {
        try
        {
            using var _ = JsonDocument.Parse(Read("--answer", file), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        }
        catch (JsonException e)
        {
            throw new DrException(Failure.Usage, $"--answer {file}: this is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine}", e);
        }
    }

    private static void RequireCertificates(string file)
    {
        string text = Read("--ca", file);
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new DrException(Failure.Usage, $"--ca {file}: a certificate in it cannot be read: {e.Message}", e);
        }

        if (certificates.Count == 0 || text.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            throw new DrException(Failure.Usage, $"--ca {file}: this is not a file of certificates (PEM) and nothing else");
        }
    }

    /// <summary>On the medium it has the mode that it has here.</summary>
    private static void RequirePrivate(string file)
    {
        _ = Read("--credentials", file);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) != 0)
        {
            throw new DrException(Failure.Refused, $"--credentials {file}: others may read it; nothing was made. Remedy: chmod 600 {file}");
        }
    }

    private static string Read(string option, string file) => File.Exists(file) ? File.ReadAllText(file)
        : throw new DrException(Failure.Usage, $"{option}: there is no file {file}");
}
