using DR.Core.Layout.Lvm;
using DR.Core.Layout.Md;

namespace DR.Core.Layout;

/// <summary>Types of partitions that mean the same in an MBR and in a GPT (UEFI specification 5.3.3, discoverable partitions of systemd).</summary>
public static class PartitionTypes
{
    public const string LinuxData = "0fc63daf-8483-4772-8e79-3d69d8477de4";
    private const string Recovery = "de94bba4-06d1-4d40-a16a-bfd50179d6ac";
    private const string MbrRecovery = "0x27";
    private const string BasicData = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7";

    private static readonly (string Mbr, string Gpt)[] Pairs =
    [
        ("0x83", LinuxData),
        ("0x82", "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"),
        (LvmMember.MbrType, LvmMember.GptType),
        ("0xfd", MdMember.GptType),
        ("0x07", BasicData),
        (MbrRecovery, Recovery),
        ("0xef", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
    ];

    private static readonly string[] WindowsTypes = ["0x01", "0x04", "0x06", "0x0b", "0x0c", "0x0e"];

    /// <summary>Whether it is that of Windows' recovery partitions, which lie behind the volume that has to grow.</summary>
    public static bool IsRecovery(string type) => type is Recovery or MbrRecovery;

    /// <summary>The type in a table of this kind; that of plain Linux data where there is none that means the same.</summary>
    /// <param name="type">Of either kind of table.</param>
    public static string In(TableKind table, string type)
    {
        bool isMbr = type.StartsWith("0x", StringComparison.Ordinal);
        return isMbr == (table == TableKind.Mbr) ? type
            : table == TableKind.Mbr ? Pairs.FirstOrDefault(p => p.Gpt == type, Pairs[0]).Mbr
            : WindowsTypes.Contains(type, StringComparer.OrdinalIgnoreCase) ? BasicData
            : Pairs.FirstOrDefault(p => string.Equals(p.Mbr, type, StringComparison.OrdinalIgnoreCase), Pairs[0]).Gpt;
    }
}
