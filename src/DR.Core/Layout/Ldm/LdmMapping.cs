using DR.Core.Devices;
using DR.Core.Layout.Raid;

namespace DR.Core.Layout.Ldm;

/// <summary>Where the bytes of dynamic volumes lie.</summary>
public static class LdmMapping
{
    /// <summary>The volume's bytes as a device.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="length">Bytes of the volume.</param>
    /// <param name="chunk">Bytes; not looked at where it is neither striped nor RAID-5.</param>
    /// <param name="pieces">In their order, with their lengths; null for one that is missing. The devices stay the caller's.</param>
    public static IBlockDevice Open(string name, LdmVolumeKind kind, long length, long chunk, IReadOnlyList<(MappedColumn Column, long Length)?> pieces)
    {
        var there = pieces.Where(p => p is not null).Select(p => p!.Value).ToList();
        return kind switch
        {
            LdmVolumeKind.Striped => new MappedBlockDevice(name, [new MappedPiece(length, chunk, [.. there.Select(p => p.Column)])]),
            LdmVolumeKind.Mirrored => new MirrorBlockDevice(name, [.. there.Select(p => Side(name, p.Column, p.Length))]),
            LdmVolumeKind.Raid5 => new ParityBlockDevice(
                name, new ParityShape(chunk, there[0].Length, pieces.Count, 1, ParityRotation.LeftSymmetric), [.. pieces.Select(p => p?.Column)]),
            _ => new MappedBlockDevice(name, [.. there.Select(p => new MappedPiece(p.Length, 0, [p.Column]))]),
        };
    }

    private static MappedBlockDevice Side(string name, MappedColumn column, long length) =>
        new($"{name} on {column.Device.Name}", [new MappedPiece(length, 0, [column])]);
}
