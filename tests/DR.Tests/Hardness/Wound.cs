using System.Globalization;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Tests.Hardness;

/// <summary>Bytes of a device that were changed; all are as before when it is disposed of.</summary>
internal sealed class Wound(IBlockDevice device) : IDisposable
{
    private readonly Stack<(long Offset, byte[] Before)> _changes = [];

    public void Change(long offset, byte[] bytes)
    {
        Keep(new Extent(offset, bytes.Length));
        device.Write(bytes, offset);
    }

    /// <summary>Another byte, often one of those that mean something.</summary>
    public void ChangeByte(long offset, Random random)
    {
        byte old = device.ReadBytes(offset, 1)[0];
        byte value = random.Next(5) switch
        {
            0 => 0,
            1 => 0xFF,
            2 => (byte)(old ^ 1 << random.Next(8)),
            3 => unchecked((byte)(old + (random.Next(2) == 0 ? 1 : -1))),
            _ => (byte)random.Next(256),
        };
        Change(offset, [value]);
    }

    /// <summary>What somebody else is going to change.</summary>
    public void Keep(Extent extent) => _changes.Push((extent.Start, device.ReadBytes(extent.Start, (int)extent.Length)));

    /// <summary>What was changed, as far as it is short.</summary>
    public override string ToString() => string.Join(", ", _changes.Where(c => c.Before.Length <= 8)
        .Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Offset}: {Convert.ToHexString(c.Before)}")));

    public void Dispose()
    {
        while (_changes.TryPop(out var change))
        {
            device.Write(change.Before, change.Offset);
        }
    }
}
