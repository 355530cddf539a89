using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Raid;

/// <summary>
/// A volume that is there several times. Reads come from the first side, and from the next where that one's medium fails; writes
/// go to all. Does not own the sides.
/// </summary>
public sealed class MirrorBlockDevice : IBlockDevice
{
    private readonly IBlockDevice[] _sides;

    /// <param name="name">What messages call it.</param>
    /// <param name="sides">At least one, all equally long.</param>
    public MirrorBlockDevice(string name, IReadOnlyList<IBlockDevice> sides)
    {
        if (sides.Count == 0 || sides.Any(s => s.Length != sides[0].Length))
        {
            throw new ArgumentException($"{name}: {sides.Count} sides of {string.Join(", ", sides.Select(s => s.Length))} bytes", nameof(sides));
        }

        Name = name;
        _sides = [.. sides];
    }

    public string Name { get; }

    /// <summary>Whether a read looks at all sides, and fails where they differ: for reading back what was written.</summary>
    public bool Compares { get; private init; }

    public long Length => _sides[0].Length;

    public int SectorSize => _sides.Max(s => s.SectorSize);

    public int PhysicalSectorSize => _sides.Max(s => s.PhysicalSectorSize);

    public int Alignment => _sides.Max(s => s.Alignment);

    public bool IsReadOnly => _sides.Any(s => s.IsReadOnly);

    /// <summary>The same mirror; reads look at all sides.</summary>
    public MirrorBlockDevice Comparing() => new(Name, _sides) { Compares = true };

    public void Read(Span<byte> buffer, long offset)
    {
        if (Compares)
        {
            ReadAll(buffer, offset);
            return;
        }

        for (int side = 0; ; side++)
        {
            try
            {
                _sides[side].Read(buffer, offset);
                return;
            }
            catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium && side + 1 < _sides.Length)
            {
                // The next side has the same bytes.
            }
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        foreach (var side in _sides)
        {
            side.Write(buffer, offset);
        }
    }

    public void Zero(Extent extent) => Array.ForEach(_sides, s => s.Zero(extent));

    public void Discard(Extent extent) => Array.ForEach(_sides, s => s.Discard(extent));

    public IEnumerable<BlockStatus> Status(Extent extent) => _sides[0].Status(extent);

    public void Flush() => Array.ForEach(_sides, s => s.Flush());

    public void Dispose()
    {
    }

    private void ReadAll(Span<byte> buffer, long offset)
    {
        _sides[0].Read(buffer, offset);
        var other = new byte[buffer.Length];
        foreach (var side in _sides.Skip(1))
        {
            side.Read(other, offset);
            if (!buffer.SequenceEqual(other))
            {
                throw new DrException(Failure.ReadBackDiffers, $"{Name}: {buffer.Length} bytes at offset {offset} of {side.Name} differ from those of {_sides[0].Name}. A disk, its cable or its controller is faulty: replace it and restore again");
            }
        }
    }
}
