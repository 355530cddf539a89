using DR.Core.Devices;
using DR.Core.Image;
using DR.Core.Primitives;

namespace DR.Engine.Unattended;

/// <summary>
/// Finds the disks that an answer means. Pure. What is not certain is refused: no disk matches, or more than one, or one that
/// must not be erased; each refusal says which disks there are, and nothing has been changed.
/// </summary>
public static class TargetChooser
{
    /// <returns>The target of each disk of the image, in their order; all targets in theirs where the answer allows a new layout.</returns>
    /// <exception cref="DrException">
    /// <see cref="Failure.Refused"/>, or <see cref="Failure.DoesNotFit"/> where the answer has not one target for each disk.
    /// </exception>
    public static IReadOnlyList<CandidateDisk> Choose(Answer answer, IReadOnlyList<ManifestDisk> image, IReadOnlyList<CandidateDisk> disks)
    {
        if (answer.LayOutAnew && answer.Targets.Any(t => t.For is not null))
        {
            throw Refused("the answer allows a new layout (\"layout\": \"anew\") and says \"for\" which disk of the image a target is", "Where the layout is new no disk of the image has a target of its own: leave \"for\" out");
        }

        if (!answer.LayOutAnew && answer.Targets.Count != image.Count)
        {
            throw new DrException(Failure.DoesNotFit,
                $"the image has {image.Count} disk(s), the answer {answer.Targets.Count} target(s); nothing was changed. There must be one target for each: {string.Join(", ", image.Select(Title))}");
        }

        var chosen = Ordered(answer.Targets, image).Select(t => Only(t, disks)).ToList();
        var twice = chosen.GroupBy(d => d.Identity.Path).FirstOrDefault(g => g.Count() > 1);
        return twice is not null
            ? throw Refused($"two targets of the answer find the same disk, {twice.First().Words}", "Let each of them say by what its disk alone is known")
            : [.. chosen.Select(d => MayBeErased(d, answer.Overwrite))];
    }

    private static IEnumerable<AnswerTarget> Ordered(IReadOnlyList<AnswerTarget> targets, IReadOnlyList<ManifestDisk> image)
    {
        if (targets[0].For is null)
        {
            return targets;
        }

        var stray = targets.FirstOrDefault(t => !image.Any(d => Means(t.For!, d.Identity)));
        return stray is not null
            ? throw Refused($"the image has no disk {stray.For}", $"It has {string.Join(", ", image.Select(Title))}")
            : image.Select(d => targets.Where(t => Means(t.For!, d.Identity)).ToList() is [var one] ? one
                : throw Refused($"the answer has not one target \"for\" {Title(d)}", "Name each disk of the image once"));
    }

    private static CandidateDisk Only(AnswerTarget target, IReadOnlyList<CandidateDisk> disks)
    {
        var found = disks.Where(d => Matches(target, d)).ToList();
        var possible = found.Where(d => d.Never is null).ToList();
        return possible.Count switch
        {
            1 => possible[0],
            0 => throw None(target, found, disks),
            _ => throw Refused($"{possible.Count} disks match the target ({target.Words}): {List(possible)}", "Let the answer say by what the right one alone is known, such as its serial number"),
        };
    }

    private static DrException None(AnswerTarget target, List<CandidateDisk> found, IReadOnlyList<CandidateDisk> disks)
    {
        string there = disks.Count == 0 ? "This machine has no disk that could be seen: is a driver missing (dr media check)?" : $"There are: {List(disks)}";
        return found.Count > 0 ? Refused($"the target ({target.Words}) is {List(found)}: such a disk is never a target", "Name another disk, or put the image elsewhere")
            : target.OnlyBlankInternal && disks.Where(d => d.IsInternal && Matches(target with { OnlyBlankInternal = false }, d)).ToList() is { Count: > 0 } used
                ? Refused($"no internal disk is blank; not blank: {List(used)}",
                    $"If one of them may be erased, name it in the answer: \"targets\": [ {{ \"id\": \"{used[0].Identity.Id}\" }} ], \"overwrite\": [ \"{used[0].Identity.Id}\" ]")
                : Refused($"no disk of this machine is the target ({target.Words})", there);
    }

    private static CandidateDisk MayBeErased(CandidateDisk disk, IReadOnlyList<string> overwrite) =>
        disk.Blank || overwrite.Any(id => Means(id, disk.Identity)) ? disk
            : throw Refused($"{disk.Identity.Path} is not blank ({disk.Contents}), and its identity {disk.Identity.Id} is not in \"overwrite\"",
                $"If it may be erased, add \"{disk.Identity.Id}\" to \"overwrite\" in the answer");

    private static bool Matches(AnswerTarget target, CandidateDisk disk) =>
        (target.Id is null || Means(target.Id, disk.Identity))
        && (target.Serial is null || target.Serial == disk.Identity.Serial)
        && (target.Wwn is null || target.Wwn == disk.Identity.Wwn)
        && (target.Bus is null || target.Bus == disk.Identity.Bus)
        && (target.Model is null || disk.Identity.Model?.Contains(target.Model, StringComparison.OrdinalIgnoreCase) == true)
        && (target.MinSize is null || disk.Identity.Length >= target.MinSize)
        && (target.MaxSize is null || disk.Identity.Length <= target.MaxSize)
        && (!target.OnlyBlankInternal || disk.IsInternal && disk.Blank);

    /// <summary>Whether a DISK-ID in any of its forms, or for a disk of the image also its path, is this disk.</summary>
    private static bool Means(string id, DiskIdentity disk) =>
        id == disk.Id || id == disk.Path || id == "wwn:" + disk.Wwn || id == "serial:" + disk.Serial
        || id == $"path:{disk.Path},size:{disk.Length},content:{disk.Fingerprint}";

    private static string Title(ManifestDisk disk) => $"{disk.Identity.Path} ({DiskSize.Format(disk.Layout.Length)}, {disk.Identity.Id})";

    private static string List(IEnumerable<CandidateDisk> disks) => string.Join("; ", disks.Select(d => d.Words));

    private static DrException Refused(string what, string remedy) => new(Failure.Refused, $"{what}; nothing was changed. {remedy}");
}
