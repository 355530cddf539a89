using DR.Core.Primitives;

namespace DR.Core.FileSystems.Swap;

/// <summary>Swap space: the header is saved, its pages come back as zeros.</summary>
internal sealed class SwapReader(FileSystemFacts facts) : IFileSystemReader
{
    public FileSystemFacts Facts => facts;

    private Extent Header => new(0, facts.BlockSize);

    public IEnumerable<Extent> Allocated(Extent range) => new[] { Header }.Within(range);

    public ExtentSet Excluded() => ExtentSet.From(Extent.Between(Header.End, facts.Length));

    public ExtentSet ControlSet() => ExtentSet.From(Header);

    public ExtentSet ExtentsOf(string path) => throw new DrException(Failure.Failed, $"swap space holds no file '{path}'");
}
