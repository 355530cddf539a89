using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Layout.Md;

/// <summary>A partition or disk that says that it belongs to an array.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Superblock">Null where it is damaged.</param>
/// <param name="Bytes">Of the superblock; none where it is damaged.</param>
/// <param name="Problem">What is damaged, in a sentence; null where nothing is.</param>
public sealed record MdMember(string Name, MdSuperblock? Superblock, byte[] Bytes, string? Problem)
{
    /// <summary>Type of a partition for a member, in a GPT.</summary>
    public const string GptType = "a19d880f-05fc-4d3b-a006-743f0f84911e";

    /// <summary>Damage, and sectors that cannot be read, are in <see cref="Problem"/>.</summary>
    public static MdMember Read(IBlockDevice volume)
    {
        try
        {
            return MdSuperblock.Read(volume) is var (superblock, bytes)
                ? new MdMember(volume.Name, superblock, bytes, null)
                : new MdMember(volume.Name, null, [], "it does not say where it lies");
        }
        catch (DrException e) when (e is CorruptDataException or DeviceFaultException { Kind: FaultKind.Medium or FaultKind.Timeout })
        {
            return new MdMember(volume.Name, null, [], e.Message);
        }
    }
}
