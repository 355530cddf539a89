using System.Globalization;
using System.Text;

namespace DR.Tests.FileSystems;

/// <summary>A tree of files of many kinds and sizes, the same in every run, from which the tests fill filesystems.</summary>
internal static class SampleTree
{
    public const int Files = 240;

    /// <summary>Bytes of the file at /big.bin.</summary>
    public const int BigFile = 3 << 20;

    public static IEnumerable<string> Directories =>
        ["/", "/many", "/deep", "/deep/a", "/deep/a/b", "/deep/a/b/c with blanks", "/empty", "/links"];

    public static string NameOf(int file) => string.Create(CultureInfo.InvariantCulture, $"/many/file {file:000} {new string('n', file % 40)}.dat");

    /// <summary>Content that differs between files and between the blocks of a file.</summary>
    public static byte[] Content(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <param name="links">Whether the filesystem knows symbolic links.</param>
    public static string Make(string root, bool links = true)
    {
        foreach (string directory in Directories)
        {
            Directory.CreateDirectory(root + directory);
        }

        for (int file = 0; file < Files; file++)
        {
            File.WriteAllBytes(root + NameOf(file), Content(file, LengthOf(file)));
        }

        File.WriteAllBytes(root + "/big.bin", Content(-1, BigFile));
        File.WriteAllText(root + "/deep/a/b/c with blanks/Größe.txt", "small", Encoding.UTF8);
        if (links)
        {
            File.CreateSymbolicLink(root + "/links/short", "../big.bin");
            File.CreateSymbolicLink(root + "/links/long", "../" + new string('x', 200) + "/nowhere");
            using var sparse = File.OpenHandle(root + "/sparse", FileMode.Create, FileAccess.ReadWrite);
            RandomAccess.Write(sparse, Content(-2, 5000), 0);
            RandomAccess.Write(sparse, Content(-3, 5000), 9 << 20);
        }

        return root;
    }

    private static int LengthOf(int file) => (file % 7) switch
    {
        0 => 0,
        1 => 40,
        2 => 900 + file,
        3 => 4096,
        4 => 10_000 + 31 * file,
        5 => 30_000 + 101 * file,
        _ => 70_000,
    };
}
