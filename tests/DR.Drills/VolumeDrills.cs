namespace DR.Drills;

/// <summary>Arrays and mirrors of volume groups that dr has restored, started by the kernel, which has to read every block as it was.</summary>
[Trait("Category", "Matrix")]
public sealed class VolumeDrills : IDisposable
{
    private const string Script = """
        modprobe -a loop dm_mod dm_raid dm_mirror raid0 raid1 raid10 raid456 linear || true
        mkdir /tmp/a; cd /tmp; tar xf /dev/vde -C a
        check() {
            perl -e 'open F, "<", $ARGV[0] or die; my ($n, $b) = (0); while ($n * 4096 + 4096 <= $ARGV[1] && read(F, $b, 4096) == 4096) { die "block $n of $ARGV[0]\n" if $b ne pack("Q<", $n) x 512; $n++ }' "$1" "${2:-1e15}"
        }
        idle() { for ((i = 0; i < 120; i++)); do [[ -e $1 && $(<$1) != idle ]] || return 0; sleep 1; done; return 1; }
        config='activation{udev_sync=0 udev_rules=0} backup{backup=0 archive=0} devices{use_devicesfile=0}'
        vgchange --config "$config" -ay vgm
        for name in raid old plain striped; do check /dev/mapper/vgm-$name; done
        [[ $(lvs --config "$config" --noheadings -o segtype vgm | sort | xargs) == "linear mirror raid1 striped" || $(lvs --config "$config" --noheadings -o segtype vgm | sort | xargs) == "linear linear mirror raid1" ]]
        for name in $(cd a && ls *.? | sed 's/[.].$//' | sort -u); do
            loops=(); for file in a/$name.?; do loops+=("$(losetup --find --show $file)"); done
            mdadm --assemble /dev/md/$name "${loops[@]}"
            device=/dev/$(basename "$(readlink -f /dev/md/$name)")
            length=$(awk -v name="${name%-larger}" '$1 == name { print $2 }' a/lengths)
            check $device $length
            [[ $name != *-larger || $(blockdev --getsize64 $device) -gt $length ]]
            mdadm --detail $device | grep -qE 'Failed Devices : 0|Raid Level : (raid0|linear)'
            mdadm --readwrite $device || true
            action=/sys/block/${device#/dev/}/md/sync_action
            idle $action
            if [[ -e $action && $name != *-failed ]]; then
                echo check >$action
                idle $action
                [[ $(<${action%sync_action}mismatch_cnt) == 0 ]]
            fi
            [[ $name != six-* || -e a/$name-larger.0 ]] || { mdadm --stop $device; mdadm --assemble --run /dev/md/$name "${loops[@]:2}"; check $device $length; }
            mdadm --stop $device; losetup -d "${loops[@]}"
        done
        """;

    private static readonly string[] Larger = ["one-090", "one-10", "one-12", "five-090", "five-ls", "six-ls", "ten", "ten-three", "ten-odd", "ten-four", "four"];

    private readonly Workplace _workplace = new();

    public VolumeDrills() => Requires.Tools("tar", "zstd", "qemu-system-x86_64", "mke2fs");

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void The_kernel_reads_them_as_they_were()
    {
        string made = Path.Combine(Server.Repository, "tests/DR.Tests");
        string arrays = Unpack(Path.Combine(made, "Md/made/arrays.tar.zst"), "arrays");
        string mirrors = Unpack(Path.Combine(made, "Lvm/made/mirrors.tar.zst"), "mirrors");
        string[] targets = [_workplace.BlankDiskOf("one.raw", 40), _workplace.BlankDiskOf("other.raw", 40)];
        Restore(Directory.GetFiles(mirrors), targets);

        string restored = Directory.CreateDirectory(_workplace.PathOf("restored")).FullName;
        foreach (var array in Directory.GetFiles(arrays).Where(f => Path.GetExtension(f).Length == 2).Order(StringComparer.Ordinal).GroupBy(f => Path.GetFileNameWithoutExtension(f)))
        {
            Restore([.. array], [.. array.Select(f => Blank(Path.Combine(restored, Path.GetFileName(f)), new FileInfo(f).Length))]);
            if (Larger.Contains(array.Key))
            {
                Restore([.. array], [.. array.Select((f, i) => Noise(Path.Combine(restored, $"{array.Key}-larger{Path.GetExtension(f)}"), new FileInfo(f).Length + ((4 + i) << 20), i))]);
            }
        }

        File.Copy(Path.Combine(arrays, "lengths"), Path.Combine(restored, "lengths"));

        string all = _workplace.PathOf("all.tar");
        Tool.Run("tar", "--sparse", "-cf", all, "-C", restored, ".");
        Tool.Run("truncate", "--size", "%1M", all);
        string script = _workplace.PathOf("script");
        File.WriteAllText(script, Script);
        Server.Bios.Disk();
        string rootfs = Directory.GetFiles(Server.Cache, "rootfs-*.tar.zst").MaxBy(File.GetLastWriteTimeUtc)!;
        Tool.Run(Path.Combine(Server.Repository, "tests/DR.Drills/servers/workshop.sh"), rootfs, script, targets[0], targets[1], all);
    }

    private string Unpack(string archive, string name)
    {
        string folder = Directory.CreateDirectory(_workplace.PathOf(name)).FullName;
        Tool.Run("tar", "--no-same-owner", "--zstd", "-xf", archive, "-C", folder);
        return folder;
    }

    private void Restore(string[] sources, string[] targets)
    {
        string image = _workplace.PathOf(Path.GetRandomFileName());
        Dr.Run(["capture", .. sources.Order(StringComparer.Ordinal), "--to", image]);
        Dr.Run(["restore", image, .. targets.SelectMany(t => (string[])["--to", t, "--overwrite", "file:" + t]), "--yes"]);
    }

    /// <summary>What the kernel has to make equal, because nobody else has written it.</summary>
    private static string Noise(string path, long length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string Blank(string path, long length)
    {
        using var file = File.Create(path);
        file.SetLength(length);
        return path;
    }
}
