using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Engine.Restore;

namespace DR.Engine.Media;

/// <summary>What a burn is going to do; computed by reading only.</summary>
/// <param name="Contents">What is on the stick now, in words.</param>
/// <param name="Data">The exFAT volume DR-DATA behind the medium; empty where the stick has no room for one.</param>
public sealed record BurnPlan(string Iso, long Length, DiskIdentity Stick, string Contents, bool Blank, Extent Data);

/// <summary>Decides whether an ISO may be burned onto a disk: only one that can be pulled out, that nobody uses and that was named.</summary>
public sealed class BurnPlanner(IMachine machine)
{
    /// <summary>Partitions begin at multiples of it, as flash likes it.</summary>
    private const long Grain = 4 << 20;

    /// <summary>Less is not worth a volume.</summary>
    private const long SmallestData = 32 << 20;

    /// <summary>An MBR counts sectors by 32 bits.</summary>
    private const long LargestMbr = (1L << 32) * 512;
    private static readonly string[] Removable = ["usb", "mmc"];

    /// <exception cref="DrException">It may not be burned there; nothing was changed.</exception>
    public BurnPlan Plan(string iso, string device)
    {
        long length = RequireMedium(iso);
        var stick = machine.Identify(device);
        Refuse(iso, stick);
        if (stick.SectorSize != 512 || stick.Length < length)
        {
            throw new DrException(Failure.DoesNotFit, stick.SectorSize != 512
                ? $"{stick.Path} has sectors of {stick.SectorSize} bytes; the medium needs 512. Nothing was changed"
                : $"{stick.Path} has {stick.Length} bytes, {iso} has {length}; nothing was changed. Take a larger stick");
        }

        var contents = Look(stick);
        long start = (length + Grain - 1) / Grain * Grain;
        long end = Math.Min(stick.Length, LargestMbr) / Grain * Grain;
        return new BurnPlan(iso, length, stick, contents.Words, contents.Blank, end - start < SmallestData ? new Extent(start, 0) : new Extent(start, end - start));
    }

    /// <summary>Refuses one that is not blank unless its identity was named.</summary>
    public static void RequireNamed(BurnPlan plan, IReadOnlyList<string> overwrite)
    {
        if (!plan.Blank && !overwrite.Contains(plan.Stick.Id))
        {
            throw new DrException(Failure.Refused,
                $"{plan.Stick.Path} is not blank ({plan.Contents}); nothing was changed. To erase it unasked, name its identity: --overwrite \"{plan.Stick.Id}\"");
        }
    }

    public void Refuse(string iso, DiskIdentity stick)
    {
        if (!Removable.Contains(stick.Bus))
        {
            throw new DrException(Failure.Refused, $"{stick.Path} is no removable disk ({stick.Model ?? "no model"}, {stick.Bus}); nothing was changed. A medium is burned onto a USB stick or a card only");
        }

        new DiskGuard(machine).Resolve(new RestoreRequest([stick.Path]) { ImagePaths = [iso] });
    }

    private static long RequireMedium(string iso)
    {
        using var file = File.Exists(iso) ? File.OpenRead(iso) : throw new DrException(Failure.Usage, $"there is no file {iso}");
        var head = new byte[512];
        var volume = new byte[6];
        if (file.Length % 512 == 0 && file.Length > 64 << 10)
        {
            file.ReadExactly(head);
            file.Position = 0x8000;
            file.ReadExactly(volume);
        }

        return head[510] == 0x55 && head[511] == 0xAA && volume.AsSpan(1).SequenceEqual("CD001"u8) ? file.Length
            : throw new DrException(Failure.Usage, $"{iso} is no image that boots from a stick (ISO 9660 with an MBR); nothing was changed. Build one with dr media build");
    }

    private DiskContents Look(DiskIdentity stick)
    {
        using var device = machine.OpenForReading(stick);
        try
        {
            return DiskContents.Of(device);
        }
        catch (CorruptDataException e)
        {
            return new DiskContents(false, e.Message, new Core.Layout.DiskLayout(Core.Layout.TableKind.None, null, 512, stick.Length, []));
        }
    }
}
