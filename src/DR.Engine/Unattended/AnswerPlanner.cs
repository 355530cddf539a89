using DR.Core.Image;
using DR.Core.Primitives;
using DR.Engine.Restore;
using DR.Engine.Sources;

namespace DR.Engine.Unattended;

/// <summary>What an answer means on this machine: changes nothing but, where the answer says so, the network.</summary>
public sealed class AnswerPlanner(UnattendedParts parts)
{
    /// <summary>The disk on which this answer was carried out, and when; null if it was not.</summary>
    public (string Disk, AnswerRecord Record)? DoneOn(Answer answer)
    {
        var digest = answer.Digest();
        foreach (var disk in parts.Machine.Disks().Concat(Files(answer).Select(parts.Machine.Identify)))
        {
            if (RecordOn(disk, digest) is { } record)
            {
                return (disk.Path, record);
            }
        }

        return null;
    }

    /// <summary>Finds and opens the image. The caller disposes it.</summary>
    /// <param name="place">Where it is.</param>
    public OpenedImage Open(AnswerImage image, Core.Devices.IJobReport report, CancellationToken cancel, out string place)
    {
        place = image.Location ?? ImageChooser.Choose(image.Search!, parts.Images.Search(report, cancel)).Location;
        return parts.Images.Open(place, cancel);
    }

    /// <summary>Chooses the targets and plans the restore onto them.</summary>
    /// <exception cref="DrException">It cannot or must not be done; nothing has been changed.</exception>
    public RestorePlan Plan(Answer answer, OpenedImage image)
    {
        var (header, manifest) = Head(image.Input);
        var disks = CandidateDisk.All(parts.Machine, Files(answer), image.LocalPaths, header.ImageId);
        var chosen = TargetChooser.Choose(answer, manifest.Disks, disks);
        var plan = Plan(answer, chosen, image, manifest);
        foreach (var target in plan.Disks)
        {
            RequireAsChosen(target, answer.LayOutAnew ? chosen.First(c => c.Identity.Path == target.Identity.Path) : chosen[target.SourceDisk!.Value], manifest);
        }

        return plan;
    }

    private RestorePlan Plan(Answer answer, IReadOnlyList<CandidateDisk> chosen, OpenedImage image, Manifest manifest)
    {
        try
        {
            return new RestorePlanner(parts.Machine, parts.Tools, parts.Compressor).Plan(image.Input, Request(answer, chosen, image));
        }
        catch (DrException e) when (e.Failure == Failure.DoesNotFit && !answer.LayOutAnew && manifest.CanSpread)
        {
            throw new DrException(Failure.DoesNotFit,
                $"{e.Message}; nothing was changed. The image's {(manifest.Groups.Count > 0 ? "volume groups" : manifest.Dynamics.Count > 0 ? "dynamic volumes" : "partitions")} might fit if they were laid out anew, which the answer has to allow: \"layout\": \"anew\"", e);
        }
    }

    private (ImageHeader Header, Manifest Manifest) Head(IImageInput input)
    {
        using var reader = new ImageStreamReader(input, parts.Compressor);
        return (reader.Header, reader.Manifest);
    }

    private static RestoreRequest Request(Answer answer, IReadOnlyList<CandidateDisk> chosen, OpenedImage image) =>
        new([.. chosen.Select(d => d.Identity is { Bus: "file", SectorSize: not 512 } file ? $"{file.Path}@{file.SectorSize}" : d.Identity.Path)])
        {
            Overwrite = answer.Overwrite,
            ImagePaths = image.LocalPaths,
            Grow = answer.Grow,
            SameShape = !answer.LayOutAnew,
            ReadBack = answer.ReadBack,
            VerifyFirst = answer.VerifyFirst,
            AcceptInconsistent = answer.AcceptInconsistent,
        };

    /// <summary>Nobody looks at the plan: each disk of the image goes where the answer says, or nowhere, even if it would fit elsewhere.</summary>
    private static void RequireAsChosen(TargetDisk target, CandidateDisk chosen, Manifest manifest)
    {
        var meant = chosen.Identity;
        if (target.Identity.Path != meant.Path)
        {
            var source = manifest.Disks.First(d => d.Index == target.SourceDisk);
            throw new DrException(Failure.DoesNotFit,
                $"{source.Identity.Path} of the image ({source.Layout.Length} bytes, sectors of {source.Layout.SectorSize}) does not fit the disk that the answer gives it, {meant.Path} ({meant.Length} bytes, sectors of {meant.SectorSize}); nothing was changed. Let \"targets\" name larger disks, or name them in another order");
        }

        if (target.Identity != meant)
        {
            throw new DrException(Failure.Refused, $"{meant.Path} is not what it was a moment ago (then {meant.Id}, now {target.Identity.Id}); nothing was changed. Start again");
        }
    }

    private AnswerRecord? RecordOn(Core.Devices.DiskIdentity disk, byte[] digest)
    {
        try
        {
            using var device = parts.Machine.OpenForReading(disk);
            return AnswerRecord.On(device, disk, digest);
        }
        catch (DrException)
        {
            // A disk that cannot be read is none on which this has been done; should it be meant, it is refused later by name.
            return null;
        }
    }

    private static IEnumerable<string> Files(Answer answer) =>
        answer.Targets.Select(t => t.Id).OfType<string>().Where(id => id.StartsWith("file:", StringComparison.Ordinal)).Select(id => id["file:".Length..]).Distinct();
}
