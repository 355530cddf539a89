using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Engine.Capture;

/// <summary>
/// Reads what can be read. A request that the medium refuses is tried again in ever smaller pieces; sectors that stay
/// unreadable become zeros and are recorded.
/// </summary>
internal static class SectorReader
{
    /// <param name="bad">Takes the unreadable runs, in bytes of the device.</param>
    /// <exception cref="DeviceFaultException">The device failed in another way than by its medium: it is gone, for instance.</exception>
    public static void Read(IBlockDevice device, Span<byte> buffer, long offset, List<Extent> bad) => Read(device, buffer, offset, bad, again: false);

    /// <param name="again">Whether the same bytes have been tried before, in a larger request or alone.</param>
    private static void Read(IBlockDevice device, Span<byte> buffer, long offset, List<Extent> bad, bool again)
    {
        try
        {
            device.Read(buffer, offset);
        }
        catch (DeviceFaultException e) when (IsOfMedium(e))
        {
            int half = Half(buffer.Length, device);
            if (half > 0)
            {
                Read(device, buffer[..half], offset, bad, again: true);
                Read(device, buffer[half..], offset + half, bad, again: true);
            }
            else if (!again)
            {
                Read(device, buffer, offset, bad, again: true);
            }
            else
            {
                buffer.Clear();
                bad.Add(new Extent(offset, buffer.Length));
            }
        }
    }

    /// <summary>Whether the device is there, and only these bytes of it cannot be had.</summary>
    public static bool IsOfMedium(DeviceFaultException fault) => fault.Kind is FaultKind.Medium or FaultKind.Timeout;

    private static int Half(int length, IBlockDevice device)
    {
        int unit = length > 2 * device.PhysicalSectorSize ? device.PhysicalSectorSize : device.SectorSize;
        return length <= unit ? 0 : Math.Max(unit, length / 2 / unit * unit);
    }
}
