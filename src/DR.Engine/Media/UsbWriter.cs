using System.Buffers.Binary;
using System.Security.Cryptography;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Media;

/// <summary>What was burned.</summary>
/// <param name="Digest">SHA-256 of the ISO file, and of what was read back.</param>
public sealed record BurnResult(string Digest, bool CacheExcluded);

/// <summary>
/// Puts an ISO file on a stick: everything behind the first MiB, then that, so that a stick which is not finished does not
/// boot; reads it back; then makes the rest a volume. The stick's MBR gets that volume as its third partition:
/// <code>
/// LBA 0          MBR of the medium; slot 3: type 0x07, DR-DATA
/// 0 ...          the medium, as in the ISO file
/// next 4 MiB ... exFAT "DR-DATA"
/// </code>
/// </summary>
public sealed class UsbWriter(IMachine machine, IToolRunner tools)
{
    public const string DataLabel = "DR-DATA";
    private const int Chunk = 1 << 20;
    private const int ThirdSlot = 446 + (2 * 16);

    public static IReadOnlyList<string> Tools { get; } = ["mkfs.exfat", "fsck.exfat"];

    /// <exception cref="DrException">It failed; says what state the stick is in.</exception>
    public BurnResult Run(BurnPlan plan, IJobReport report, CancellationToken cancel)
    {
        using var stick = machine.OpenExclusively(plan.Stick);
        try
        {
            string digest = Write(plan, stick, report, cancel);
            bool excluded = ReadBack(plan, stick, digest, report, cancel);
            if (plan.Data.Length > 0)
            {
                report.Stage("making " + DataLabel, 0);
                AddPartition(stick, plan.Data);
                MakeVolume(plan, stick, cancel);
            }

            machine.RereadTable(stick);
            return new BurnResult(digest, excluded);
        }
        catch (Exception e) when (e is DrException or OperationCanceledException or IOException)
        {
            var failure = e is DrException known ? known.Failure : e is OperationCanceledException ? Failure.Interrupted : Failure.Failed;
            throw new DrException(failure, $"{e.Message}. {plan.Stick.Path} is not a finished medium; burn it again", e);
        }
    }

    private static string Write(BurnPlan plan, IBlockDevice stick, IJobReport report, CancellationToken cancel)
    {
        report.Stage("burning", plan.Length);
        using var iso = File.OpenRead(plan.Iso);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var first = Read(iso, plan.Length);
        stick.Zero(new Extent(0, Chunk));
        stick.Zero(new Extent(stick.Length - Chunk, Chunk));    // a GPT's second copy would be found by whoever repairs tables
        stick.Flush();
        hash.AppendData(first);
        for (long at = first.Length; at < plan.Length;)
        {
            cancel.ThrowIfCancellationRequested();
            var bytes = Read(iso, plan.Length);
            hash.AppendData(bytes);
            stick.Write(bytes, at);
            at += bytes.Length;
            report.Advance(bytes.Length);
        }

        stick.Flush();
        stick.Write(first, 0);
        stick.Flush();
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Read(FileStream iso, long length)
    {
        var bytes = new byte[Math.Min(Chunk, length - iso.Position)];
        iso.ReadExactly(bytes);
        return bytes;
    }

    private bool ReadBack(BurnPlan plan, IBlockDevice stick, string digest, IJobReport report, CancellationToken cancel)
    {
        report.Stage("reading back", plan.Length);
        bool excluded = machine.DropCaches(stick);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < plan.Length; at += Chunk)
        {
            cancel.ThrowIfCancellationRequested();
            int length = (int)Math.Min(Chunk, plan.Length - at);
            hash.AppendData(stick.ReadBytes(at, length));
            report.Advance(length);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset()) == digest ? excluded
            : throw new DrException(Failure.ReadBackDiffers, $"what was read back from {plan.Stick.Path} is not what was written; the stick is probably bad or smaller than it says");
    }

    /// <summary>MBR entry (16 bytes): active u8, CHS 3, type u8, CHS 3, first sector u32, sectors u32.</summary>
    private static void AddPartition(IBlockDevice stick, Extent data)
    {
        var mbr = stick.ReadBytes(0, 512);
        var slot = mbr.AsSpan(ThirdSlot, 16);
        if (slot.ContainsAnyExcept((byte)0))
        {
            throw new DrException(Failure.Failed, "the medium has a third partition already");
        }

        byte[] noGeometry = [0xFE, 0xFF, 0xFF];
        noGeometry.CopyTo(slot[1..]);
        slot[4] = 0x07;
        noGeometry.CopyTo(slot[5..]);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[8..], checked((uint)(data.Start / 512)));
        BinaryPrimitives.WriteUInt32LittleEndian(slot[12..], checked((uint)(data.Length / 512)));
        stick.Write(mbr, 0);
        stick.Flush();
    }

    private void MakeVolume(BurnPlan plan, IBlockDevice stick, CancellationToken cancel)
    {
        using (var view = machine.Expose(stick, plan.Data))
        {
            Check("mkfs.exfat", ["-n", DataLabel, view.Path], cancel);
            Check("fsck.exfat", ["-n", view.Path], cancel);
        }

        stick.Flush();
    }

    private void Check(string tool, string[] arguments, CancellationToken cancel)
    {
        var result = tools.Run(tool, arguments, cancel);
        if (result.ExitCode != 0)
        {
            throw new DrException(Failure.Failed, $"{tool} ended with {result.ExitCode}: {result.LastWords}");
        }
    }
}
