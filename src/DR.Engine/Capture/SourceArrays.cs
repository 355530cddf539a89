using DR.Core.Devices;
using DR.Core.FileSystems;
using DR.Core.Image;
using DR.Core.Layout;
using DR.Core.Layout.Md;
using DR.Core.Primitives;

namespace DR.Engine.Capture;

/// <summary>
/// The arrays of Linux' software RAID that the disks make up: each is a further disk, whose content is saved once. What cannot be
/// read as an array stays what its members are.
/// </summary>
internal sealed class SourceArrays
{
    private readonly Dictionary<(int Disk, int Partition), string> _words = [];
    private readonly HashSet<(int Disk, int Partition)> _members = [];
    private readonly List<string> _warnings = [];

    /// <param name="disks">They stay the caller's, and open as long as <see cref="Disks"/> are used.</param>
    public SourceArrays(IReadOnlyList<SourceDisk> disks)
    {
        var parts = disks.SelectMany(d => SourceVolumes.PlacesOf(d.Disk)).ToList();
        var read = parts.Select(p => MdMember.Read(SourceVolumes.Slice(disks, p))).ToList();
        int[] places = [.. Enumerable.Range(0, parts.Count).Where(i => read[i].Superblock is not null)];
        var members = places.Select(i => read[i]).ToList();
        var assembly = MdAssembly.Of(members);
        _warnings.AddRange(assembly.Warnings);
        foreach (var (place, words) in places.Zip(assembly.Words))
        {
            _words[(parts[place].Disk, parts[place].Partition)] = words;
        }

        foreach (var found in assembly.Arrays)
        {
            Add(found, disks, [.. found.Members.Select(m => (parts[places[m]], members[m]))]);
        }
    }

    public List<ManifestArray> Arrays { get; } = [];

    /// <summary>The arrays as disks, numbered behind those that they lie on.</summary>
    public List<SourceDisk> Disks { get; } = [];

    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Whether what lies there is saved as a part of an array.</summary>
    public bool Replaces(ManifestSegment part) => _members.Contains((part.Disk, part.Partition));

    /// <summary>Of a member that is saved whole, what it is; null where it is none.</summary>
    public string? WordsOf(ManifestSegment part) => _words.GetValueOrDefault((part.Disk, part.Partition));

    private void Add(MdFoundArray found, IReadOnlyList<SourceDisk> disks, List<(ManifestSegment Part, MdMember Member)> members)
    {
        var array = new ManifestArray(found.Super.Title, found.Super.ArrayId, [.. members.Select(m => Describe(disks, m.Part, m.Member))], new DiskLayout(TableKind.None, null, 512, found.Shape.Length, []));
        var device = array.Open(d => disks[d].Device);
        array = array with { Layout = LayoutReader.Read(device) };
        if (Doubt(device, array, found) is { } doubt)
        {
            _warnings.Add($"array {array.Name} is not read as such: {doubt}");
            return;
        }

        Disks.Add(new SourceDisk(new ManifestDisk(disks.Count + Arrays.Count, array.Identity, array.Layout), device));
        Arrays.Add(array);
        _members.UnionWith(members.Select(m => (m.Part.Disk, m.Part.Partition)));
        _warnings.AddRange(members.Where(m => m.Member.Superblock!.BitmapOffset is not null && array.Members[members.IndexOf(m)].Bitmap is null)
            .Select(m => $"array {array.Name}: the write-intent bitmap of {m.Member.Name} cannot be read and is left out; mdadm --grow --bitmap=internal makes a new one"));
    }

    /// <summary>
    /// A filesystem that begins where its member does may have been made after the array was given up: then it does not fit the array.
    /// </summary>
    private static string? Doubt(IBlockDevice device, ManifestArray array, MdFoundArray found)
    {
        if (array.Layout.Errors.Count > 0)
        {
            return string.Join("; ", array.Layout.Errors);
        }

        if (array.Layout.Table != TableKind.None || found.Super.Data.Start > 0)
        {
            return null;
        }

        try
        {
            var facts = FileSystemProbe.Open(device).Facts;
            return facts.BlockSize > 0 && !facts.Mapped ? $"its {facts.Kind} cannot be understood within it ({facts.WholeBecause}); its RAID superblock may be a remnant" : null;
        }
        catch (DrException e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium })
        {
            return e.Message;
        }
    }

    private static ManifestArrayMember Describe(IReadOnlyList<SourceDisk> disks, ManifestSegment part, MdMember member) =>
        new(part.Disk, part.Partition, part.Extent, member.Superblock!.Offset, member.Bytes) { Bitmap = MdWriter.ReadBitmap(SourceVolumes.Slice(disks, part), member.Superblock) };
}
