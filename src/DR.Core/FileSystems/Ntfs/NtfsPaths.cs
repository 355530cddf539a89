using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>Follows paths through directories.</summary>
internal sealed class NtfsPaths(IBlockDevice volume, NtfsMft mft)
{
    /// <summary>Where the clusters of a file's own stream, or of a directory's index, lie on the volume; holes left out.</summary>
    public ExtentSet Locate(string path)
    {
        var (file, missing) = Follow(path);
        return ExtentSet.From(Extents(file ?? throw new DrException(Failure.Failed, $"{volume.Name}: '{path}' cannot be located: {missing}")));
    }

    /// <summary>Null, and why, where there is no such file.</summary>
    public (NtfsFile? File, string Missing) Follow(string path)
    {
        var file = mft.Open(NtfsMft.RootRecord);
        foreach (string name in path.Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (!file.Record.IsDirectory)
            {
                return (null, $"what stands before '{name}' is no directory");
            }

            if (new NtfsDirectory(volume, file).Find(name) is not { } reference)
            {
                return (null, $"there is no '{name}'");
            }

            file = mft.Open(NtfsReference.Number(reference));
            if (file.Record.Sequence != NtfsReference.Sequence(reference))
            {
                throw new CorruptDataException($"{volume.Name}, '{path}'", $"'{name}' leads to MFT record {file.Record.Number} of another file");
            }
        }

        return (file, "");
    }

    public static NtfsStream? Content(NtfsFile file) => file.Stream(NtfsType.Data, "");

    /// <summary>A small file's content stands in its MFT record, where update sequence numbers may lie in it.</summary>
    private IEnumerable<Extent> Extents(NtfsFile file)
    {
        var stream = file.Record.IsDirectory ? file.Stream(NtfsType.IndexAllocation, "$I30") : Content(file);
        if (stream is not null)
        {
            return stream.Extents;
        }

        var resident = file.Record.IsDirectory ? file.First(NtfsType.IndexRoot, "$I30") : file.First(NtfsType.Data, "");
        return resident is null || file.Record.Attributes.All(a => a != resident) ? []
            : mft.Stream.Locate(new Extent(file.Record.Number * file.Record.Bytes.Length + resident.Place, resident.Size));
    }
}
