using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Primitives;

namespace DR.Core.Layout.Lvm;

/// <summary>Makes a volume group of its metadata text; every number is held to the others.</summary>
public static partial class LvmGroupReader
{
    private const int Sector = 512;
    private const int MaxVolumes = 4096;
    private const int MaxStripes = 128;
    private const int MaxPlaces = 16_384;

    /// <summary>Bytes that a label may lie in: no extent begins before, and none is smaller.</summary>
    private const int Least = 4 * Sector;

    /// <summary>Flags of logical volumes that change nothing about where their bytes lie.</summary>
    private static readonly string[] PlainFlags = ["READ", "WRITE", "VISIBLE", "FIXED_MINOR", "ACTIVATION_SKIP", "NOAUTOACTIVATE"];

    private static readonly string[] PlainGroupFlags = ["RESIZEABLE", "READ", "WRITE", "EXPORTED", "NOAUTOACTIVATE"];

    [GeneratedRegex("^[A-Za-z0-9]{6}(-[A-Za-z0-9]{4}){5}-[A-Za-z0-9]{6}$")]
    private static partial Regex Uuid();

    [GeneratedRegex("^[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,127}$")]
    private static partial Regex NameRule();

    /// <param name="where">The object for error messages.</param>
    /// <returns>A group that <see cref="LvmGroup.Unsupported"/> may say is not read further.</returns>
    /// <exception cref="CorruptDataException">It is no metadata, or contradicts itself.</exception>
    public static LvmGroup Read(string text, string where)
    {
        var root = LvmText.Parse(text, where);
        var groups = root.Sections.ToList();
        Require(groups.Count == 1, where, $"it describes {groups.Count} volume groups");
        var (name, section) = groups[0];
        Require(NameRule().IsMatch(name), where, "the name of the volume group is none");
        string place = $"{where}, volume group {name}";
        var group = new LvmGroup(
            name, Id(section, place), Number(section, "seqno", place, 0), Bytes(section, "extent_size", place, 1),
            Strings(section["status"]), PhysicalVolumes(section, place), []);
        var flags = group.Flags.Concat(Strings(section["flags"])).Except(PlainGroupFlags).ToList();
        string? unsupported = flags.Count > 0 ? $"it has the flags {string.Join(", ", flags)}"
            : section["lock_type"] is LvmString { Text: not "none" } type ? $"it is shared by locks of type {type.Text}"
            : group.ExtentSize < Least ? $"its extents have {group.ExtentSize} bytes"
            : group.PhysicalVolumes.FirstOrDefault(p => p.Start < Least) is { } early ? $"the extents of physical volume {early.Key} begin at byte {early.Start}"
            : null;
        var volumes = new List<LvmLogicalVolume>();
        foreach (var (key, volume) in (section["logical_volumes"] as LvmSection)?.Sections ?? [])
        {
            Require(NameRule().IsMatch(key), place, "the name of a logical volume is none");
            unsupported ??= Refusal(key, volume, place);
            string here = $"{place}, logical volume {key}";
            var mirror = unsupported is null ? Mirror(volume, here) : null;
            volumes.Add(new LvmLogicalVolume(key, Id(volume, place), Strings(volume["status"]).Contains("VISIBLE"),
                unsupported is null && mirror is null ? Segments(volume, here) : [])
            { Mirror = mirror });
        }

        unsupported ??= Disorder(volumes);
        group = group with { LogicalVolumes = volumes, Unsupported = unsupported };
        Check(group, place);
        return group;
    }

    private static List<LvmPhysicalVolume> PhysicalVolumes(LvmSection group, string where)
    {
        var found = new List<LvmPhysicalVolume>();
        foreach (var (key, section) in (group["physical_volumes"] as LvmSection)?.Sections ?? [])
        {
            string place = $"{where}, physical volume {key}";
            found.Add(new LvmPhysicalVolume(
                key, Id(section, place), (section["device"] as LvmString)?.Text ?? "", Bytes(section, "dev_size", place, 0),
                Bytes(section, "pe_start", place, 0), Number(section, "pe_count", place, 0), Strings(section["flags"]).Contains("MISSING")));
        }

        return found;
    }

    /// <summary>Why the group's volumes cannot be read one by one because of this one; null if it is plain.</summary>
    private static string? Refusal(string name, LvmSection volume, string where)
    {
        var flags = Strings(volume["status"]).Concat(Strings(volume["flags"])).Except(PlainFlags).ToList();
        var other = Segments(volume).Select(s => (s["type"] as LvmString)?.Text ?? "none").FirstOrDefault(t => t != "striped" && !(t is "raid1" or "mirror" && Segments(volume).Count == 1));
        bool nested = Segments(volume).Any(s => s["stripes"] is LvmList list && list.Items.Chunk(2).Any(pair =>
            pair[0] is LvmString area && !IsPhysical(area.Text)));
        return other is not null ? $"logical volume {name} is of type {other}"
            : flags.Count > 0 ? $"logical volume {name} has the flags {string.Join(", ", flags)}"
            : nested ? $"logical volume {name} lies on other logical volumes"
            : null;
    }

    /// <summary>Null where it is none.</summary>
    private static LvmMirror? Mirror(LvmSection volume, string where)
    {
        if (Segments(volume) is not [var section] || section["type"] is not LvmString { Text: "raid1" or "mirror" } type)
        {
            return null;
        }

        bool raid = type.Text == "raid1";
        long count = Number(section, raid ? "device_count" : "mirror_count", where, 1);
        var items = (section[raid ? "raids" : "mirrors"] as LvmList)?.Items ?? [];
        Require(count <= MaxStripes && items.Count == 2 * count && Number(section, "start_extent", where, 0) == 0, where, $"it has {count} sides and a list of {items.Count / 2}");
        var pairs = items.Chunk(2).Select(p => (First: (p[0] as LvmString)?.Text ?? "", Second: p[1])).ToList();
        return raid
            ? new LvmMirror(type.Text, Number(section, "extent_count", where, 1), [.. pairs.Select(p => (p.Second as LvmString)?.Text ?? "")], [.. pairs.Select(p => p.First)])
            : new LvmMirror(type.Text, Number(section, "extent_count", where, 1), [.. pairs.Select(p => p.First)], section["mirror_log"] is LvmString log ? [log.Text] : []);
    }

    /// <summary>Why mirrors are not what can be read: their parts are plain volumes of the right lengths that nobody else has.</summary>
    private static string? Disorder(List<LvmLogicalVolume> volumes)
    {
        var known = volumes.DistinctBy(v => v.Name).ToDictionary(v => v.Name);
        var used = new HashSet<string>();
        foreach (var volume in volumes.Where(v => v.Mirror is not null))
        {
            foreach (string part in volume.Mirror!.Parts)
            {
                if (!known.TryGetValue(part, out var other) || other.Mirror is not null || other.Visible || !used.Add(part)
                    || volume.Mirror.Images.Contains(part) && other.Extents != volume.Mirror.ExtentCount)
                {
                    return $"logical volume {volume.Name} is a mirror whose part {part} is not what it should be";
                }
            }
        }

        return null;
    }

    /// <summary>LVM itself calls them pv0, pv1 and so on, and no logical volume so within a list of stripes.</summary>
    private static bool IsPhysical(string key) => key.StartsWith("pv", StringComparison.Ordinal) && key.Length > 2 && key[2..].All(char.IsAsciiDigit);

    private static List<LvmSection> Segments(LvmSection volume) =>
        [.. volume.Sections.Where(s => s.Key.StartsWith("segment", StringComparison.Ordinal)).Select(s => s.Value)];

    private static List<LvmSegment> Segments(LvmSection volume, string where)
    {
        var found = new List<LvmSegment>();
        foreach (var section in Segments(volume))
        {
            long count = Number(section, "extent_count", where, 1);
            var stripes = Stripes(section, where);
            long size = stripes.Count > 1 ? Bytes(section, "stripe_size", where, 1) : 0;
            Require(count % stripes.Count == 0, where, $"{count} extents do not divide into {stripes.Count} stripes");
            found.Add(new LvmSegment(Number(section, "start_extent", where, 0), count, size, stripes));
        }

        Require(found.Count > 0 && found.Count == Number(volume, "segment_count", where, 0), where, $"it has {found.Count} segments");
        found.Sort((one, other) => one.First.CompareTo(other.First));
        long next = 0;
        foreach (var segment in found)
        {
            Require(segment.First == next, where, $"a segment begins at extent {segment.First} instead of {next}");
            next = checked(next + segment.ExtentCount);
        }

        return found;
    }

    private static List<LvmStripe> Stripes(LvmSection section, string where)
    {
        long count = Number(section, "stripe_count", where, 1);
        var items = (section["stripes"] as LvmList)?.Items ?? [];
        Require(count <= MaxStripes && items.Count == 2 * count, where, $"it has {count} stripes and a list of {items.Count / 2}");
        return [.. items.Chunk(2).Select(pair => pair is [LvmString key, LvmNumber extent]
            ? new LvmStripe(key.Text, Parse(extent.Text, "a stripe", where))
            : throw new CorruptDataException(where, "a stripe is no physical volume with an extent"))];
    }

    private static void Check(LvmGroup group, string where)
    {
        Require(group.PhysicalVolumes.Count is > 0 and <= MaxVolumes && group.LogicalVolumes.Count <= MaxVolumes, where,
            $"it has {group.PhysicalVolumes.Count} physical and {group.LogicalVolumes.Count} logical volumes");
        Require(group.LogicalVolumes.Sum(v => v.Segments.Sum(s => (long)s.Stripes.Count)) <= MaxPlaces, where, $"its logical volumes have more than {MaxPlaces} pieces");
        Require(group.PhysicalVolumes.DistinctBy(p => p.Id).Count() == group.PhysicalVolumes.Count, where, "two physical volumes have one UUID");
        Require(group.LogicalVolumes.DistinctBy(v => v.Id).Count() == group.LogicalVolumes.Count, where, "two logical volumes have one UUID");
        foreach (var volume in group.PhysicalVolumes)
        {
            Require(volume.ExtentCount <= (long.MaxValue - volume.Start) / group.ExtentSize, where, $"physical volume {volume.Key} has {volume.ExtentCount} extents");
            long end = volume.Start + volume.ExtentCount * group.ExtentSize;
            Require(volume.DeviceLength == 0 || end <= volume.DeviceLength, where,
                $"physical volume {volume.Key} has extents up to byte {end}, but {volume.DeviceLength} bytes");
        }

        CheckPlaces(group, where);
    }

    /// <summary>Every stripe lies on its physical volume, and no two on the same extents.</summary>
    private static void CheckPlaces(LvmGroup group, string where)
    {
        var byKey = group.PhysicalVolumes.ToDictionary(p => p.Key);
        var places = new List<(string Key, long First, long End, string Volume)>();
        foreach (var (volume, segment) in group.LogicalVolumes.SelectMany(v => v.Segments.Select(s => (v, s))))
        {
            foreach (var stripe in segment.Stripes)
            {
                Require(byKey.TryGetValue(stripe.PhysicalVolume, out var physical), where, $"logical volume {volume.Name} lies on {stripe.PhysicalVolume}, which is not there");
                Require(stripe.Extent <= physical!.ExtentCount - segment.StripeExtents, where,
                    $"logical volume {volume.Name} lies on {stripe.PhysicalVolume} from extent {stripe.Extent} on, which has {physical.ExtentCount}");
                places.Add((stripe.PhysicalVolume, stripe.Extent, stripe.Extent + segment.StripeExtents, volume.Name));
            }

            Require(segment.Stripes.Count == 1 || segment.StripeExtents * group.ExtentSize % segment.StripeSize == 0, where,
                $"logical volume {volume.Name} has stripes of {segment.StripeSize} bytes, which do not divide its extents");
        }

        places.Sort();
        foreach (var (one, other) in places.Zip(places.Skip(1)))
        {
            Require(one.Key != other.Key || one.End <= other.First, where, $"logical volumes {one.Volume} and {other.Volume} share extents of {one.Key}");
        }
    }

    private static string Id(LvmSection section, string where) =>
        section["id"] is LvmString { Text: var id } && Uuid().IsMatch(id) ? id : throw new CorruptDataException(where, "it has no UUID");

    private static IReadOnlyList<string> Strings(LvmValue? value) =>
        value is LvmList list ? [.. list.Items.OfType<LvmString>().Select(s => s.Text)] : value is LvmString one ? [one.Text] : [];

    private static long Bytes(LvmSection section, string name, string where, long least)
    {
        long sectors = Number(section, name, where, least);
        return sectors <= long.MaxValue / Sector ? sectors * Sector : throw new CorruptDataException(where, $"{name} is {sectors}");
    }

    private static long Number(LvmSection section, string name, string where, long least)
    {
        long value = section[name] is LvmNumber number ? Parse(number.Text, name, where) : throw new CorruptDataException(where, $"it has no {name}");
        return value >= least ? value : throw new CorruptDataException(where, $"{name} is {value}");
    }

    private static long Parse(string text, string name, string where) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= long.MaxValue / 4
            ? value
            : throw new CorruptDataException(where, $"{name} is {text}");

    private static void Require(bool holds, string where, string problem)
    {
        if (!holds)
        {
            throw new CorruptDataException(where, problem);
        }
    }
}
