using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform;

/// <summary>
/// Names and passwords for servers, one to a line: <c>HOST[:PORT] USER PASSWORD [DOMAIN]</c>, separated by blanks; a field with
/// blanks stands in double quotes, in which a backslash makes the next character plain. A line that begins with # is a comment.
/// </summary>
public static class CredentialsFile
{
    private const int MaxBytes = 64 << 10;

    /// <summary>They have no modes of their own: who can read the medium, can read the file.</summary>
    private static readonly string[] WithoutModes = ["vfat", "msdos", "exfat", "iso9660", "udf", "ntfs", "ntfs3", "fuseblk"];

    /// <exception cref="DrException">It cannot be read, others can read it too, or it cannot be understood.</exception>
    public static Credentials Read(string path) => Read(path, MountTable.Read(new SystemFiles("/")));

    internal static Credentials Read(string path, MountTable mounts)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            RequirePrivate(file, path, mounts);
            if (file.Length > MaxBytes)
            {
                throw new DrException(Failure.Usage, $"{path}: a credentials file has {MaxBytes} bytes at most; this one has {file.Length}");
            }

            using var reader = new StreamReader(file);
            return Parse(reader.ReadToEnd(), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DrException(Failure.Failed, $"{path}: the credentials file cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Messages name the line and never what is in it.</summary>
    internal static Credentials Parse(string text, string path)
    {
        var all = new List<Credential>();
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line.StartsWith('#'))
            {
                continue;
            }

            all.Add(Fields(line) is [{ Length: > 0 } host, { Length: > 0 } user, var password, .. { Count: <= 1 } rest]
                ? new Credential(host, user, password, rest.Count == 0 ? null : rest[0])
                : throw new DrException(Failure.Usage, $"{path}, line {i + 1}: HOST USER PASSWORD [DOMAIN] is wanted; what has blanks in it stands in double quotes"));
        }

        return new Credentials(all);
    }

    /// <summary>Null where a quote is not closed.</summary>
    private static List<string>? Fields(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        bool quoted = false, begun = false;
        for (int i = 0; i < line.Length; i++)
        {
            bool blank = line[i] is ' ' or '\t' && !quoted;
            if (blank && begun)
            {
                fields.Add(field.ToString());
                field.Clear();
            }

            begun = !blank;
            if (line[i] == '"' && (quoted || field.Length == 0))
            {
                quoted = !quoted;
            }
            else if (!blank)
            {
                i += quoted && line[i] == '\\' && i + 1 < line.Length ? 1 : 0;
                field.Append(line[i]);
            }
        }

        fields.Add(field.ToString());
        return quoted ? null : fields;
    }

    private static void RequirePrivate(FileStream file, string path, MountTable mounts)
    {
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        if (OperatingSystem.IsWindows() || WithoutModes.Contains(mounts.For(Native.Libc.RealPath(path) ?? path)?.Type))
        {
            return;
        }

        var mode = File.GetUnixFileMode(file.SafeFileHandle);
        if ((mode & Others) != 0)
        {
            throw new DrException(Failure.Refused, $"{path}: others can read or change this file (mode {Convert.ToString((int)mode, 8)}), which holds passwords; nothing was changed. Run chmod 600 {path}");
        }
    }
}
