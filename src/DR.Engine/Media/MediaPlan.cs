namespace DR.Engine.Media;

/// <summary>What the operator asked for.</summary>
/// <param name="Output">The ISO file to be made.</param>
/// <param name="Program">Folder of a self-contained dr for Linux; becomes /opt/dr.</param>
/// <param name="Sources">The folder "live": packages, hooks, overlay, boot menu.</param>
/// <param name="Cache">Where root file systems are kept between builds.</param>
public sealed record MediaRequest(string Output, string Program, string Sources, string Cache)
{
    /// <summary>Images that travel on the medium: a file, or the name of a set of pieces.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>A public key, or a file of them, that lets an operator in by SSH; null for no SSH.</summary>
    public string? SshKey { get; init; }

    /// <summary>With Debian's non-free-firmware.</summary>
    public bool Firmware { get; init; }

    /// <summary>An answer file: what the medium does with nobody at the keyboard.</summary>
    public string? Answer { get; init; }

    /// <summary>What <see cref="Answer"/> is known by where it has been carried out, 16 hex digits; empty without one.</summary>
    public string AnswerMark { get; init; } = "";

    /// <summary>Certificates (PEM) of authorities that the medium trusts besides Debian's.</summary>
    public string? Authorities { get; init; }

    /// <summary>A file of credentials, readable by its owner only.</summary>
    public string? Credentials { get; init; }

    /// <summary>A folder of .deb, .ko and firmware files.</summary>
    public string? Drivers { get; init; }

    /// <summary>The machines in <see cref="Images"/>: the medium has to drive their controllers.</summary>
    public IReadOnlyList<ImagedMachine> Machines { get; init; } = [];

    public bool Overwrite { get; init; }
}

/// <summary>A machine as an image recorded it.</summary>
public sealed record ImagedMachine(string Image, IReadOnlyList<string> Modaliases);

/// <summary>A file that is put on the medium as it is.</summary>
/// <param name="Target">Its path there, such as "/dr/images/server.drimg".</param>
public sealed record MediumFile(string Source, string Target, long Length);

/// <summary>Everything that a build is going to do; computed by reading only.</summary>
/// <param name="Packages">Debian packages of the root file system, sorted.</param>
/// <param name="RootKey">Digest of all that the root file system is made from.</param>
/// <param name="Label">Volume label of this medium and of no other: by it the medium finds itself without looking at other disks.</param>
public sealed record MediaPlan(MediaRequest Request, IReadOnlyList<string> Packages, string RootKey, string Label, IReadOnlyList<MediumFile> Files)
{
    public const string Suite = "bookworm";

    public DriverFolder? Drivers { get; init; }

    public string Components => Request.Firmware ? "main,non-free-firmware" : "main";

    /// <summary>Holds the root file system, its kernel and initramfs, once they are made.</summary>
    public string RootFolder => Path.Combine(Request.Cache, "live-" + RootKey);

    public string Hooks => Path.Combine(Request.Sources, "hooks");

    public string Boot => Path.Combine(Request.Sources, "boot");
}

/// <summary>What was made.</summary>
/// <param name="Digest">SHA-256 of the ISO file, in hex.</param>
/// <param name="Checks">What the medium makes of the controllers of each machine.</param>
public sealed record MediaResult(MediaPlan Plan, long Bytes, string Digest, bool RootFromCache, IReadOnlyList<ControllerCheck> Checks);
