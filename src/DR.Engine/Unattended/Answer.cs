using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DR.Engine.Restore;

namespace DR.Engine.Unattended;

/// <summary>What becomes of the machine once its disks are restored.</summary>
public enum Afterwards
{
    Reboot,
    PowerOff,
    Stay,
}

/// <summary>Which image, where the answer does not say its place: all that is given has to match.</summary>
/// <param name="Newest">Of several, the one that was made last.</param>
public sealed record ImageCriteria(string? Name, string? HostName, Guid? Id, bool Newest);

/// <summary>Where the image is, or what it is known by; one of the two.</summary>
/// <param name="Location">What <see cref="Sources.IImageLibrary.Open"/> takes.</param>
public sealed record AnswerImage(string? Location, ImageCriteria? Search);

/// <summary>By what a target disk is known: it has to match everything that is given, and no other disk may.</summary>
public sealed record AnswerTarget
{
    /// <summary>The disk of the image that goes onto it, as <c>dr info</c> names it, or its DISK-ID; null: the next one in order.</summary>
    public string? For { get; init; }

    /// <summary>DISK-ID as <c>dr disks</c> prints it.</summary>
    public string? Id { get; init; }

    public string? Serial { get; init; }

    public string? Wwn { get; init; }

    public string? Bus { get; init; }

    public string? Model { get; init; }

    /// <summary>Bytes.</summary>
    public long? MinSize { get; init; }

    /// <summary>Bytes.</summary>
    public long? MaxSize { get; init; }

    public bool OnlyBlankInternal { get; init; }

    /// <summary>In words: <c>serial "S4EV", at least 80 GB</c>.</summary>
    public string Words => string.Join(", ", ((string?[])
    [
        Id is null ? null : $"id \"{Id}\"",
        Serial is null ? null : $"serial \"{Serial}\"",
        Wwn is null ? null : $"wwn \"{Wwn}\"",
        Bus is null ? null : $"bus \"{Bus}\"",
        Model is null ? null : $"model \"{Model}\"",
        MinSize is { } min ? $"at least {DiskSize.Format(min)}" : null,
        MaxSize is { } max ? $"at most {DiskSize.Format(max)}" : null,
        OnlyBlankInternal ? "the only blank internal disk" : null,
    ]).OfType<string>());
}

/// <summary>How the network is set up before the image is opened.</summary>
/// <param name="Interface">Name or MAC address; null for any wired one.</param>
/// <param name="Dhcp">Whether the address comes from a DHCP server.</param>
/// <param name="Address">With its prefix, <c>192.0.2.7/24</c>; null with DHCP.</param>
/// <param name="Vlan">1 to 4094; null for none.</param>
public sealed record AnswerNetwork(string? Interface, bool Dhcp, string? Address, string? Gateway, IReadOnlyList<string> Dns, int? Vlan);

/// <summary>What an operator would say, written down before: everything that an unattended restore does not ask.</summary>
/// <param name="Targets">At least one.</param>
public sealed record Answer(AnswerImage Image, IReadOnlyList<AnswerTarget> Targets)
{
    public const int DefaultCountdown = 30;

    /// <summary>DISK-IDs of disks that may be erased although they are not blank.</summary>
    public IReadOnlyList<string> Overwrite { get; init; } = [];

    public GrowPolicy Grow { get; init; } = GrowPolicy.Default;

    /// <summary>
    /// Whether volume groups and dynamic volumes may be laid out anew, on any number of targets; otherwise each disk of the image
    /// becomes what it was, on the target that is given for it.
    /// </summary>
    public bool LayOutAnew { get; init; }

    public bool ReadBack { get; init; } = true;

    public bool VerifyFirst { get; init; }

    public bool AcceptInconsistent { get; init; }

    /// <summary>Null: as the machine has it already.</summary>
    public AnswerNetwork? Network { get; init; }

    /// <summary>Seconds in which a key can stop it, 0 to 3600.</summary>
    public int Countdown { get; init; } = DefaultCountdown;

    public Afterwards Afterwards { get; init; } = Afterwards.Reboot;

    /// <summary>Folders and addresses that the report and the log are sent to.</summary>
    public IReadOnlyList<string> Report { get; init; } = [];

    /// <summary>Any text: another one makes this another answer, which has not been carried out yet.</summary>
    public string Rearm { get; init; } = "";

    /// <summary>The start of <see cref="Digest"/> in hex, for the boot menu of a medium and the restored system.</summary>
    public string Mark => Convert.ToHexStringLower(Digest())[..16];

    /// <summary>
    /// 32 bytes by which a disk knows an answer that has been carried out: of what is restored onto what, and of
    /// <see cref="Rearm"/>. A countdown, a comment or a report's place that changes does not arm it again, nor does a newer image.
    /// </summary>
    public byte[] Digest()
    {
        var text = new StringBuilder("dr answer 1\n");
        Add("location", Image.Location);
        Add("name", Image.Search?.Name);
        Add("host", Image.Search?.HostName);
        Add("image", Image.Search?.Id?.ToString());
        foreach (var target in Targets)
        {
            Add("for", target.For);
            Add("target", target.Words);
            Add("min", target.MinSize?.ToString(CultureInfo.InvariantCulture));
            Add("max", target.MaxSize?.ToString(CultureInfo.InvariantCulture));
        }

        if (LayOutAnew)
        {
            Add("layout", "anew");
        }

        Add("rearm", Rearm);
        return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));

        void Add(string name, string? value) => text.Append(name).Append(' ').Append(value?.Length ?? -1).Append(' ').Append(value).Append('\n');
    }
}
