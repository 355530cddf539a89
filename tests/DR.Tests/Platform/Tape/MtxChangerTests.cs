using System.Globalization;
using System.Text;
using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform.Tape;

namespace DR.Tests.Platform.Tape;

/// <summary>A robot as mtx 1.3.12 tells of it.</summary>
public sealed class MtxChangerTests
{
    private readonly Robot _robot = new();

    [Fact]
    public void Cartridges_are_those_of_its_slots_and_of_its_drive_without_the_cleaning_ones()
    {
        _robot.Drives[0] = (3, "A00003L5");
        _robot.Slots[4] = "CLN001L1";
        Assert.Equal(
            [new TapeCartridge("1", "A00001L5", false), new TapeCartridge("2", null, false), new TapeCartridge("3", "A00003L5", true), new TapeCartridge("6", "A00006L5", false)],
            Changer().Cartridges());
    }

    [Fact]
    public void Loading_puts_the_other_one_back_first()
    {
        _robot.Drives[0] = (3, "A00003L5");
        Changer().Load(new TapeCartridge("1", "A00001L5", false));
        Assert.Equal(["unload 3 0", "load 1 0"], _robot.Moves);
        Changer().Load(new TapeCartridge("1", "A00001L5", true));
        Assert.Equal(["unload 1 0", "load 1 0"], _robot.Moves.Skip(2));
    }

    [Fact]
    public void One_whose_slot_nobody_remembers_goes_to_a_free_one()
    {
        _robot.Drives[0] = (null, "A00009L5");
        Changer().Load(new TapeCartridge("drive", "A00009L5", true));
        Assert.Equal(["unload 3 0", "load 3 0"], _robot.Moves);
        foreach (int slot in _robot.Slots.Keys.ToList())
        {
            _robot.Slots[slot] ??= "FULL";
        }

        _robot.Drives[0] = (null, "A00009L5");
        Assert.Contains("no free slot", Assert.Throws<DrException>(() => Changer().Load(new TapeCartridge("1", null, false))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_second_drive_is_another_one()
    {
        _robot.Drives[0] = (3, "A00003L5");
        var second = new MtxChanger(_robot, "/dev/sg3,1");
        Assert.DoesNotContain(second.Cartridges(), c => c.InDrive);
        second.Load(new TapeCartridge("1", "A00001L5", false));
        Assert.Equal(["load 1 1"], _robot.Moves);
    }

    [Fact]
    public void What_fails_is_told_in_the_words_of_mtx()
    {
        Assert.Contains("no cartridge in slot 5", Assert.Throws<DrException>(() => Changer().Load(new TapeCartridge("5", null, false))).Message, StringComparison.Ordinal);
        _robot.Fails = "mtx: Request Sense: Sense Key=Illegal Request";
        string message = Assert.Throws<DrException>(() => Changer().Load(new TapeCartridge("1", null, false))).Message;
        Assert.Contains("mtx load 1 0 ended with 1: mtx: Request Sense: Sense Key=Illegal Request", message, StringComparison.Ordinal);
        Assert.Contains("it has no drive 7; mtx knows 0, 1", Assert.Throws<DrException>(() => new MtxChanger(_robot, "/dev/sg3,7").Cartridges()).Message, StringComparison.Ordinal);
        foreach (string wrong in (string[])["", ",0", "/dev/sg3,x", "-f"])
        {
            Assert.Equal(Failure.Usage, Assert.Throws<DrException>(() => new MtxChanger(_robot, wrong)).Failure);
        }

        _robot.Installed = false;
        Assert.Equal(Failure.Missing, Assert.Throws<DrException>(Changer).Failure);
    }

    private MtxChanger Changer() => new(_robot, "/dev/sg3");

    private sealed class Robot : IToolRunner
    {
        public SortedDictionary<int, string?> Slots { get; } = new() { [1] = "A00001L5", [2] = "", [3] = null, [4] = null, [5] = null, [6] = "A00006L5" };

        public (int? From, string Tag)?[] Drives { get; } = new (int?, string)?[2];

        public List<string> Moves { get; } = [];

        public string? Fails { get; set; }

        public bool Installed { get; set; } = true;

        public bool Has(string tool) => Installed && tool == "mtx";

        public ToolResult Run(string tool, IReadOnlyList<string> arguments, CancellationToken cancel = default)
        {
            Assert.Equal(("mtx", "-f", "/dev/sg3"), (tool, arguments[0], arguments[1]));
            if (arguments[2] == "status")
            {
                return new ToolResult(0, Status(), "");
            }

            if (Fails is not null)
            {
                return new ToolResult(1, "", Fails);
            }

            int slot = int.Parse(arguments[3], CultureInfo.InvariantCulture);
            int drive = int.Parse(arguments[4], CultureInfo.InvariantCulture);
            Moves.Add($"{arguments[2]} {slot} {drive}");
            if (arguments[2] == "load")
            {
                Assert.Null(Drives[drive]);
                (Drives[drive], Slots[slot]) = ((slot, Slots[slot]!), null);
            }
            else
            {
                Assert.Null(Slots[slot]);
                (Slots[slot], Drives[drive]) = (Drives[drive]!.Value.Tag, null);
            }

            return new ToolResult(0, "", "");
        }

        private string Status()
        {
            var text = new StringBuilder("  Storage Changer /dev/sg3:2 Drives, 6 Slots ( 1 Import/Export )\n");
            for (int i = 0; i < Drives.Length; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"Data Transfer Element {i}:")
                    .Append(Drives[i] is not { } loaded ? "Empty\n"
                        : $"Full ({(loaded.From is { } slot ? $"Storage Element {slot}" : "Unknown Storage Element")} Loaded):VolumeTag = {loaded.Tag}                            \n");
            }

            foreach (var (number, tag) in Slots)
            {
                text.Append(CultureInfo.InvariantCulture, $"      Storage Element {number}{(number == 6 ? " IMPORT/EXPORT" : "")}:")
                    .Append(tag is null ? "Empty\n" : tag.Length == 0 ? "Full \n" : $"Full :VolumeTag={tag}                            \n");
            }

            return text.ToString();
        }
    }
}
