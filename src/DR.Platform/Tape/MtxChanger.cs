using System.Globalization;
using System.Text.RegularExpressions;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform.Tape;

/// <summary>A robot, moved by mtx. Places are the numbers of its storage elements.</summary>
public sealed partial class MtxChanger : ITapeChanger
{
    private const string CleaningPrefix = "CLN";

    private readonly IToolRunner _tools;
    private readonly string _device;
    private readonly int _drive;

    /// <param name="location">Its device, and behind a comma the number of the drive that is meant, if not 0: <c>/dev/sg3</c>, <c>/dev/sg3,1</c>.</param>
    /// <exception cref="DrException">It cannot be understood (<see cref="Failure.Usage"/>), or there is no mtx.</exception>
    public MtxChanger(IToolRunner tools, string location)
    {
        _tools = tools;
        int comma = location.IndexOf(',', StringComparison.Ordinal);
        _device = comma < 0 ? location : location[..comma];
        if (_device.Length == 0 || _device.StartsWith('-') || comma >= 0 && !int.TryParse(location[(comma + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _drive))
        {
            throw new DrException(Failure.Usage, $"--changer {location}: the device of a changer is wanted, such as /dev/sg3, and behind a comma the number of its drive, if not 0: /dev/sg3,1");
        }

        if (!tools.Has("mtx"))
        {
            throw new DrException(Failure.Missing, $"--changer {location}: the program mtx is not installed; the recovery medium has it");
        }
    }

    public string Name => "changer:" + _device;

    public IReadOnlyList<TapeCartridge> Cartridges()
    {
        var state = Look();
        var found = state.Slots.Where(s => s.Full).Select(s => new TapeCartridge(Number(s.Number), s.Barcode, false)).ToList();
        if (state.Drive is { } loaded)
        {
            found.Add(new TapeCartridge(loaded.From is { } slot ? Number(slot) : "drive", loaded.Barcode, true));
        }

        return [.. found.Where(c => c.Barcode?.StartsWith(CleaningPrefix, StringComparison.OrdinalIgnoreCase) != true)
            .OrderBy(c => c.Place == "drive" ? int.MaxValue : int.Parse(c.Place, CultureInfo.InvariantCulture))];
    }

    public void Load(TapeCartridge cartridge)
    {
        var state = Look();
        if (state.Drive is { } loaded)
        {
            string back = loaded.From is { } slot ? Number(slot)
                : state.Slots.FirstOrDefault(s => !s.Full && !s.IsPort) is { } free ? Number(free.Number)
                : throw new DrException(Failure.Failed, $"{Name}: there is no free slot for the cartridge in drive {_drive}; take one out");
            Move("unload", back);
            state = Look();
        }

        string place = cartridge.Place == "drive" ? Number(state.Slots.FirstOrDefault(s => s.Barcode is not null && s.Barcode == cartridge.Barcode)?.Number
            ?? throw new DrException(Failure.Failed, $"{Name}: nobody knows where the cartridge that was in drive {_drive} is now")) : cartridge.Place;
        if (!state.Slots.Any(s => s.Full && Number(s.Number) == place))
        {
            throw new DrException(Failure.Failed, $"{Name}: there is no cartridge in slot {place}");
        }

        Move("load", place);
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Move(string verb, string slot)
    {
        var result = _tools.Run("mtx", ["-f", _device, verb, slot, Number(_drive)]);
        if (result.ExitCode != 0)
        {
            throw new DrException(Failure.Failed, $"{Name}: mtx {verb} {slot} {_drive} ended with {result.ExitCode}: {result.LastWords}");
        }
    }

    private State Look()
    {
        var result = _tools.Run("mtx", ["-f", _device, "status"]);
        if (result.ExitCode != 0)
        {
            throw new DrException(Failure.Failed, $"{Name}: mtx status ended with {result.ExitCode}: {result.LastWords}");
        }

        var slots = new List<Slot>();
        var drives = new Dictionary<int, Loaded?>();
        foreach (string line in result.Output.Split('\n'))
        {
            if (DriveLine().Match(line) is { Success: true } drive)
            {
                drives[int.Parse(drive.Groups["number"].Value, CultureInfo.InvariantCulture)] = drive.Groups["full"].Success
                    ? new Loaded(drive.Groups["slot"].Success ? int.Parse(drive.Groups["slot"].Value, CultureInfo.InvariantCulture) : null, Tag(drive)) : null;
            }
            else if (SlotLine().Match(line) is { Success: true } slot)
            {
                slots.Add(new Slot(int.Parse(slot.Groups["number"].Value, CultureInfo.InvariantCulture), slot.Groups["full"].Success, slot.Groups["port"].Success, Tag(slot)));
            }
        }

        return drives.TryGetValue(_drive, out var ours) ? new State(ours, slots)
            : throw new DrException(Failure.Failed, $"{Name}: it has no drive {_drive}; mtx knows {(drives.Count == 0 ? "none" : string.Join(", ", drives.Keys.Order()))}");
    }

    private static string? Tag(Match match) => match.Groups["tag"] is { Success: true, Value.Length: > 0 } tag ? tag.Value : null;

    /// <summary>As mtx 1.3 prints it: <c>Data Transfer Element 0:Full (Storage Element 3 Loaded):VolumeTag = A00003L5</c>.</summary>
    [GeneratedRegex(@"^Data Transfer Element (?<number>\d{1,5}):(?:(?<full>Full) \((?:Storage Element (?<slot>\d{1,5}) Loaded|Unknown Storage Element Loaded)\)(?::VolumeTag ?= ?(?<tag>\S*))?|Empty)")]
    private static partial Regex DriveLine();

    /// <summary><c>Storage Element 1:Full :VolumeTag=A00001L5</c>, <c>Storage Element 23 IMPORT/EXPORT:Empty</c>.</summary>
    [GeneratedRegex(@"^\s+Storage Element (?<number>\d{1,5})(?<port> IMPORT/EXPORT)?:(?:(?<full>Full)\s*(?::VolumeTag ?= ?(?<tag>\S*))?|Empty)")]
    private static partial Regex SlotLine();

    private sealed record Loaded(int? From, string? Barcode);

    private sealed record Slot(int Number, bool Full, bool IsPort, string? Barcode);

    private sealed record State(Loaded? Drive, IReadOnlyList<Slot> Slots);
}
