using DR.Core.Devices;
using DR.Core.Layout;
using DR.Core.Primitives;

namespace DR.Engine.Restore;

/// <summary>How far a target has got.</summary>
internal enum TargetState
{
    Untouched,

    /// <summary>Erasing has begun; the old table may be there or not.</summary>
    Erasing,

    /// <summary>No table is visible.</summary>
    Empty,

    /// <summary>The bytes that make it valid are being written; all others are there.</summary>
    Committing,

    /// <summary>All data and the table are there, and were read back.</summary>
    Valid,
}

/// <summary>A disk while it is being restored, and what state it is in. Owns the disk.</summary>
/// <param name="image">Id of the image, for the mark.</param>
internal sealed class RestoreTarget(TargetDisk plan, IBlockDevice disk, Guid image) : IDisposable
{
    private const int MaxHeld = 1 << 20;

    private bool _prepared;

    public TargetDisk Plan => plan;

    public HeldBlockDevice Disk { get; } = new(disk, HeldLength(plan.Layout));

    public TargetState State { get; private set; }

    /// <summary>Whether the same restore may start anew without being told to overwrite.</summary>
    public bool IsMarked { get; private set; }

    public string Path => plan.Identity.Path;

    /// <summary>What state the disk is in, for the operator.</summary>
    public string Words => State switch
    {
        TargetState.Untouched => $"{Path} was not changed.",
        TargetState.Erasing => $"Erasing {Path} had begun: what was on it must be taken for lost.",
        TargetState.Empty => $"{Path} has no partition table and counts as empty.",
        TargetState.Committing => $"Writing the partition table of {Path} failed and could not be taken back: it may be visible or not. Do not start from it.",
        _ => $"{Path} is complete and valid.",
    };

    /// <summary>
    /// Clears the start of the disk first, so that from then on no old table or filesystem is believed; then marks the disk;
    /// then clears the rest.
    /// </summary>
    public void Erase()
    {
        State = TargetState.Erasing;
        Disk.Inner.Zero(new Extent(0, Math.Min(MaxHeld, Disk.Length)));
        Disk.Flush();
        State = TargetState.Empty;
        Mark();
        var mark = plan.MarkerOffset is { } offset ? ExtentSet.From(new Extent(offset, RestoreMarker.Length)) : ExtentSet.Empty;
        foreach (var extent in ExtentSet.From(plan.Erase).Subtract(mark).AsEnumerable())
        {
            Disk.Inner.Zero(extent);
        }

        Disk.Flush();
    }

    /// <summary>Writes tables and what was held back, all but the bytes that make the disk valid.</summary>
    public void PrepareCommit()
    {
        _prepared = true;
        TableCommit.Prepare(Disk, plan.Layout);
    }

    /// <summary>Writes the bytes that make the disk valid, and proves the tables.</summary>
    public void Commit()
    {
        State = TargetState.Committing;
        TableCommit.MakeValid(Disk, plan.Layout);
        State = TargetState.Valid;
    }

    public void RemoveMark()
    {
        if (IsMarked && plan.MarkerOffset is { } offset && offset >= Disk.Head.Length)
        {
            Disk.Inner.Zero(new Extent(offset, RestoreMarker.Length));
            Disk.Inner.Flush();
        }

        IsMarked = false;
    }

    /// <summary>After a failure: takes back a table that was being written, so that the disk is visibly empty again.</summary>
    public void Abandon()
    {
        if (!_prepared || State == TargetState.Valid)
        {
            return;
        }

        try
        {
            TableCommit.Undo(Disk, plan.Layout);
            State = TargetState.Empty;
            Mark();
        }
        catch (DrException)
        {
            // The first failure is the one to be told; the state says what became of this disk.
        }
    }

    public void Dispose() => Disk.Dispose();

    private void Mark()
    {
        if (plan.MarkerOffset is { } offset)
        {
            IsMarked = false;
            RestoreMarker.Write(Disk.Inner, offset, image, plan.Identity);
            IsMarked = true;
        }
    }

    private static int HeldLength(DiskLayout layout) =>
        (int)layout.Partitions.Select(p => p.Extent.Start).Append(Math.Min(MaxHeld, layout.Length)).Min();
}
