using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Lvm;

/// <summary>Writes volume groups: the text with new places, and physical volumes that hold it.</summary>
public static class LvmWriter
{
    /// <summary>Where LVM puts the first metadata area.</summary>
    private const int AreaStart = 4096;

    private const long MiB = 1 << 20;
    private const int Sector = 512;

    /// <summary>Bytes before the first extent of a new physical volume: 1 MiB, and more where the text could not grow in it.</summary>
    /// <param name="text">About as long as the metadata will be.</param>
    public static long StartFor(string text) =>
        Math.Max(MiB, (AreaStart + LvmMetadataArea.HeaderLength + 4L * Encoding.UTF8.GetByteCount(text) + MiB - 1) / MiB * MiB);

    /// <summary>Whether a physical volume whose extents begin at <paramref name="start"/> has room for the metadata, and for changes of it.</summary>
    public static bool HasRoom(long start, string text)
    {
        long length = Encoding.UTF8.GetByteCount(text) + 1;
        return start - AreaStart >= Math.Max(LvmMetadataArea.HeaderLength + 2 * length, Rounded(LvmMetadataArea.HeaderLength + length));
    }

    /// <summary>
    /// The metadata with the physical volumes and segments of <paramref name="group"/>, and without the logical volumes that it has no more; all
    /// else stays: names, UUIDs, tags, allocation policies. Its number is one higher.
    /// </summary>
    /// <param name="metadata">The text that <paramref name="group"/> was read from, before it was laid out anew.</param>
    public static string Text(string metadata, LvmGroup group)
    {
        var root = LvmText.Parse(metadata, $"metadata of volume group {group.Name}");
        var before = root.Sections.Single().Value;
        var physical = (LvmSection)before["physical_volumes"]!;
        var known = physical.Sections.ToDictionary(s => ((LvmString)s.Value["id"]!).Text, s => s.Value);
        var after = before.With("seqno", new LvmNumber(group.Sequence + 1))
            .With("physical_volumes", new LvmSection([.. group.PhysicalVolumes.Select(p => KeyValuePair.Create(p.Key, (LvmValue)Physical(p, known.GetValueOrDefault(p.Id))))]));
        if (before["logical_volumes"] is LvmSection logical)
        {
            var there = group.LogicalVolumes.ToDictionary(v => v.Name);
            after = after.With("logical_volumes", new LvmSection([.. logical.Entries.Where(e => e.Value is not LvmSection || there.ContainsKey(e.Key)).Select(e => e.Value is LvmSection volume && there[e.Key].Mirror is null
                ? KeyValuePair.Create(e.Key, (LvmValue)Logical(volume, there[e.Key])) : e)]));
        }

        // lvm2 finds the name of the group at the very start of a text.
        var others = root.With("description", new LvmString("Written by dr restore")).Entries.Where(e => e.Key != group.Name);
        return LvmText.Write(new LvmSection([KeyValuePair.Create(group.Name, (LvmValue)after), .. others]));
    }

    /// <summary>The label that <see cref="Write"/> writes.</summary>
    /// <param name="text">Null where this one keeps none.</param>
    public static LvmLabel LabelOf(LvmPhysicalVolume physical, string? text) =>
        new(1, physical.Id, physical.DeviceLength, text is null ? [] : [Extent.Between(AreaStart, physical.Start)], []);

    /// <summary>Makes a physical volume: metadata first, the label that points at it last.</summary>
    /// <param name="volume">The partition or disk; what is before its first extent is lost.</param>
    /// <param name="text">Null where this one keeps none.</param>
    public static void Write(IBlockDevice volume, LvmPhysicalVolume physical, string? text)
    {
        volume.Zero(new Extent(0, physical.Start));
        var area = Extent.Between(AreaStart, physical.Start);
        if (text is not null)
        {
            var bytes = LvmMetadataArea.Encode(area, text);
            Array.Resize(ref bytes, (int)Rounded(bytes.Length));
            volume.Write(bytes, AreaStart);
            volume.Flush();
        }

        var label = LabelOf(physical, text);
        var head = new byte[Math.Min(AreaStart, physical.Start)];
        label.Encode(physical.Start).CopyTo(head, label.Sector * Sector);
        volume.Write(head, 0);
        volume.Flush();
    }

    private static long Rounded(long length) => (length + AreaStart - 1) / AreaStart * AreaStart;

    private static LvmSection Physical(LvmPhysicalVolume volume, LvmSection? before) =>
        (before ?? new LvmSection([
            KeyValuePair.Create("id", (LvmValue)new LvmString(volume.Id)), KeyValuePair.Create("device", (LvmValue)new LvmString("")),
            KeyValuePair.Create("status", (LvmValue)new LvmList([new LvmString("ALLOCATABLE")])), KeyValuePair.Create("flags", (LvmValue)new LvmList([]))]))
        .With("device", new LvmString(volume.DeviceHint))
        .With("dev_size", new LvmNumber(volume.DeviceLength / Sector))
        .With("pe_start", new LvmNumber(volume.Start / Sector))
        .With("pe_count", new LvmNumber(volume.ExtentCount));

    private static LvmSection Logical(LvmSection volume, LvmLogicalVolume after)
    {
        var rest = volume.Entries.Where(e => !(e.Value is LvmSection && e.Key.StartsWith("segment", StringComparison.Ordinal)));
        var segments = after.Segments.Select((s, i) => KeyValuePair.Create($"segment{i + 1}", (LvmValue)Segment(s)));
        return new LvmSection([.. rest, .. segments]).With("segment_count", new LvmNumber(after.Segments.Count));
    }

    private static LvmSection Segment(LvmSegment segment) => new([
        KeyValuePair.Create("start_extent", (LvmValue)new LvmNumber(segment.First)),
        KeyValuePair.Create("extent_count", (LvmValue)new LvmNumber(segment.ExtentCount)),
        KeyValuePair.Create("type", (LvmValue)new LvmString("striped")),
        KeyValuePair.Create("stripe_count", (LvmValue)new LvmNumber(segment.Stripes.Count)),
        .. segment.Stripes.Count == 1 ? [] : (KeyValuePair<string, LvmValue>[])[KeyValuePair.Create("stripe_size", (LvmValue)new LvmNumber(segment.StripeSize / Sector))],
        KeyValuePair.Create("stripes", (LvmValue)new LvmList([.. segment.Stripes.SelectMany(s => (LvmValue[])[new LvmString(s.PhysicalVolume), new LvmNumber(s.Extent)])])),
    ]);
}
