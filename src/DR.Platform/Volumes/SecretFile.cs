using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Volumes;

/// <summary>A name and password in the form of mount.cifs(8), readable by its owner only, for as long as a tool needs it.</summary>
internal sealed class SecretFile : IDisposable
{
    /// <summary>Of its name, behind that of the mount point.</summary>
    public const string Ending = ".secret";

    /// <param name="path">In memory, not on a disk; must not exist.</param>
    public SecretFile(string path, Credential credential)
    {
        string?[] values = [credential.User, credential.Password, credential.Domain];
        if (values.Any(v => v?.AsSpan().ContainsAny('\n', '\r', '\0') == true))
        {
            throw new DrException(Failure.Usage, $"the name or password for {credential.Host} has a line break in it, which SMB cannot have");
        }

        Path = path;
        string domain = credential.Domain is null ? "" : $"domain={credential.Domain}\n";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(Encoding.UTF8.GetBytes($"username={credential.User}\npassword={credential.Password}\n{domain}"));
    }

    public string Path { get; }

    public void Dispose() => File.Delete(Path);
}
