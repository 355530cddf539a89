#!/bin/bash
# make-server.sh KIND OUT.raw: makes a real Debian server's disk, with the manifest of its files on it.
#   uefi   GPT: ESP with \EFI\debian only, ext4 root, ext4 /srv, swap
#   bios   MBR: primary ext4 /srv, ext4 root and swap in logical partitions, GRUB in the gap
#   lvm        two disks, OUT.raw (MBR, GRUB in the gap, a physical volume) and OUT.raw.2 (all of it a physical volume):
#              logical volumes root, over both, with /boot, and swap
#   lvm-uefi   the same with a GPT and an ESP in place of MBR and GRUB
#   lvm-one    the same as lvm on one disk
#   lvm-three  three disks, and /srv in stripes over all of them
#   md         two disks, each with an MBR, GRUB in the gap, and members of two RAID-1 arrays: /boot, and a physical volume with root
#              and swap
# The Debian system is kept in ${DR_CACHE:-/var/cache/dr}; delete it there to fetch a newer one.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
parts=$here/../tests/DR.Drills/servers
cache=${DR_CACHE:-/var/cache/dr}

[[ $# == 2 && $1 =~ ^(uefi|bios|lvm|lvm-uefi|lvm-one|lvm-three|md)$ ]] || { sed -n '2,12s/^# //p' "$0" >&2; exit 2; }
kind=$1
family=${kind%%-*}
out=$(realpath "$2")
"$here/setup.sh"

work=$(mktemp -d /var/tmp/make-server.XXXXXX)
root=$work/root
loops=()
clean_up() {
    if mountpoint -q "$root"; then umount --recursive "$root"; fi
    for loop in "${loops[@]}"; do losetup --detach "$loop"; done
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT

attach() { # attach LOSETUP-OPTION... : sets $device
    device=$(losetup --find --show "$@" "$disk")
    loops+=("$device")
}

partition() { # partition NUMBER: sets $device
    local start size
    read -r start size < <(sfdisk --json "$disk" |
        jq -r --arg node "$disk$1" '.partitiontable.partitions[] | select(.node == $node) | "\(.start * 512) \(.size * 512)"')
    attach --offset "$start" --sizelimit "$size"
}

format_ext4() { # format_ext4 NUMBER LABEL: sets $device
    partition "$1"
    mkfs.ext4 -q -L "$2" "$device"
}

uuid_of() { blkid --probe --output value --match-tag UUID "$1"; }

fetch_rootfs() { # one build at a time fills the cache
    local key
    key=$(sha256sum "$parts/rootfs.sh" | cut -c 1-12)
    rootfs=$cache/rootfs-$key.tar.zst
    mkdir -p "$cache"
    exec {lock}>"$cache/lock"
    flock "$lock"
    if [[ ! -f $rootfs ]]; then
        echo "make-server: fetching Debian (once)" >&2
        "$parts/rootfs.sh" "$rootfs.new"
        mv "$rootfs.new" "$rootfs"
    fi
    exec {lock}>&-
}

lay_out_uefi() {
    sfdisk --quiet "$disk" <<-END
		label: gpt
		name=ESP,  size=100M,  type=uefi
		name=root, size=1400M, type=linux
		name=srv,  size=600M,  type=linux
		name=swap,             type=swap
	END
    format_ext4 2 root && root_device=$device
    format_ext4 3 srv && srv_device=$device
    partition 4 && swap_device=$device
}

lay_out_bios() {
    sfdisk --quiet "$disk" <<-END
		label: dos
		size=600M,  type=linux
		            type=extended
		size=1400M, type=linux, bootable
		            type=swap
	END
    format_ext4 1 srv && srv_device=$device
    format_ext4 5 root && root_device=$device
    partition 6 && swap_device=$device
}

# The filesystems are made as files; they go into logical volumes when they are done, as no volume can be active here.
lay_out_lvm() {
    truncate --size 1400M "$work/root.raw" && truncate --size 256M "$work/swap.raw"
    mkfs.ext4 -q -L root "$work/root.raw"
    root_device=$(losetup --find --show "$work/root.raw") && loops+=("$root_device")
    swap_device=$(losetup --find --show "$work/swap.raw") && loops+=("$swap_device")
    root_name=/dev/mapper/vg0-root
    [[ $kind == lvm-three ]] || return 0
    truncate --size 516M "$work/srv.raw"
    mkfs.ext4 -q -L srv "$work/srv.raw"
    srv_device=$(losetup --find --show "$work/srv.raw") && loops+=("$srv_device")
}

lay_out_md() {
    truncate --size 1400M "$work/root.raw" && truncate --size 256M "$work/swap.raw" && truncate --size 190M "$work/boot.raw"
    mkfs.ext4 -q -L root "$work/root.raw" && mkfs.ext4 -q -L boot "$work/boot.raw"
    root_device=$(losetup --find --show "$work/root.raw") && loops+=("$root_device")
    swap_device=$(losetup --find --show "$work/swap.raw") && loops+=("$swap_device")
    boot_device=$(losetup --find --show "$work/boot.raw") && loops+=("$boot_device")
    root_name=/dev/mapper/vg0-root
}

install_system() {
    root_name=${root_name:-UUID=$(uuid_of "$root_device")}
    mkdir "$root"
    mount "$root_device" "$root"
    [[ -z $boot_device ]] || mount --mkdir "$boot_device" "$root/boot"
    tar --extract --zstd --xattrs --xattrs-include='*' --numeric-owner --file "$rootfs" --directory "$root"
    [[ -z $srv_device ]] || mount "$srv_device" "$root/srv"
    cat >"$root/etc/fstab" <<-END
		UUID=$(uuid_of "$root_device") / ext4 errors=remount-ro 0 1
		${boot_device:+UUID=$(uuid_of "$boot_device") /boot ext4 defaults 0 2}
		${srv_device:+UUID=$(uuid_of "$srv_device") /srv ext4 defaults 0 2}
		UUID=$(uuid_of "$swap_device") none swap sw 0 0
	END
    echo "drill-$kind" >"$root/etc/hostname"
    install -m 755 "$parts/guest/dr-manifest" "$parts/guest/dr-check" "$root/usr/local/sbin"
    install -m 644 "$parts/guest/dr-check.service" "$root/etc/systemd/system"
    systemctl --root="$root" --quiet enable dr-check.service
    # What the first boot would create is there already, so that the manifest may be strict.
    systemd-machine-id-setup --root="$root" 2>/dev/null
    ln -s /etc/machine-id "$root/var/lib/dbus/machine-id"
    mkdir -p "$root"/var/lib/systemd/{linger,timers}
    "$parts/content.sh" "$root"
    mkdir -p "$root/boot/grub"
    local kernel=/vmlinuz initrd=/initrd.img
    if [[ -n $boot_device ]]; then
        kernel=/$(cd "$root/boot" && echo vmlinuz-*) initrd=/$(cd "$root/boot" && echo initrd.img-*)
    fi
    cat >"$root/boot/grub/grub.cfg" <<-END
		search --no-floppy --fs-uuid --set=root $(uuid_of "${boot_device:-$root_device}")
		linux $kernel root=$root_name ro console=tty0 console=ttyS0
		initrd $initrd
		boot
	END
}

# \EFI\debian and nothing else: only the firmware's own boot entry, or a fallback loader put there, starts it.
install_loader_uefi() {
    local efi=$work/esp/EFI/debian esp=$work/esp.raw
    mkdir -p "$efi" "$root/boot/efi"
    cp /usr/lib/shim/shimx64.efi.signed "$efi/shimx64.efi"
    cp /usr/lib/shim/mmx64.efi.signed "$efi/mmx64.efi"
    cp /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed "$efi/grubx64.efi"
    cat >"$efi/grub.cfg" <<-END
		search.fs_uuid $(uuid_of "$root_device") root
		set prefix=(\$root)/boot/grub
		configfile \$prefix/grub.cfg
	END
    # Made by tools, as a file: the kernel need not know FAT.
    truncate --size 100M "$esp"
    mkfs.vfat -F 32 -n ESP -h 2048 "$esp" >/dev/null
    mcopy -s -i "$esp" "$work/esp/EFI" ::
    dd if="$esp" of="$disk" bs=1M seek=1 conv=notrunc,sparse status=none
    echo "UUID=$(uuid_of "$esp") /boot/efi vfat umask=0077 0 1" >>"$root/etc/fstab"
    mount --bind "$work/esp" "$root/boot/efi"
}

install_loader_bios() {
    local whole
    attach --partscan
    whole=$device
    [[ -b ${whole}p5 ]] || partx --add "$whole"     # not every kernel scans a loop device by itself
    # GRUB names its own partition by what holds /boot: it has to be seen as a partition of the disk.
    umount --recursive "$root"
    mount "${whole}p5" "$root"
    grub-install --target=i386-pc --boot-directory="$root/boot" "$whole" 2>"$work/grub.log" || { cat "$work/grub.log" >&2; return 1; }
    mount "$srv_device" "$root/srv"
}


# GRUB finds the root by its own reader of LVM.
install_loader_lvm() {
    if [[ $kind == lvm-uefi ]]; then
        install_loader_uefi
        return
    fi
    local modules=(biosdisk part_msdos lvm ext2 search search_fs_uuid configfile linux normal echo boot test)
    cat >"$work/early.cfg" <<-END
		search.fs_uuid $(uuid_of "$root_device") root
		set prefix=(\$root)/boot/grub
		configfile \$prefix/grub.cfg
	END
    grub-mkimage --format i386-pc --prefix /boot/grub --config "$work/early.cfg" --output "$work/core.img" "${modules[@]}"
}

# By its reader of arrays, on each of the disks.
install_loader_md() {
    local modules=(biosdisk part_msdos mdraid1x ext2 search search_fs_uuid configfile linux normal echo boot test)
    cat >"$work/early.cfg" <<-END
		search.fs_uuid $(uuid_of "$boot_device") root
		set prefix=(\$root)/grub
		configfile \$prefix/grub.cfg
	END
    grub-mkimage --format i386-pc --prefix /grub --config "$work/early.cfg" --output "$work/core.img" "${modules[@]}"
}

# The arrays are made by Linux, in a machine that has the drivers.
finish_md() {
    local one
    for one in "$disk" "$disk.2"; do
        rm -f "$one"
        truncate --size 2100M "$one"
        sfdisk --quiet "$one" <<<$'label: dos\nsize=200M, type=fd, bootable\ntype=fd'
        dd if=/usr/lib/grub/i386-pc/boot.img of="$one" bs=440 count=1 conv=notrunc status=none
        dd if="$work/core.img" of="$one" bs=512 seek=1 conv=notrunc status=none
    done
    cat >"$work/arrays" <<-'END'
		modprobe -a raid1 dm_mod
		mdadm --create /dev/md/0 --name=0 --homehost=drill-md --run --assume-clean --level=1 --raid-devices=2 --metadata=1.2 /dev/vdc1 /dev/vdd1
		mdadm --create /dev/md/1 --name=1 --homehost=drill-md --run --assume-clean --level=1 --raid-devices=2 --metadata=1.2 --bitmap=internal /dev/vdc2 /dev/vdd2
		dd if=/dev/vdg of=/dev/md/0 bs=1M conv=fsync
		config='activation{udev_sync=0 udev_rules=0} backup{backup=0 archive=0}'
		pvcreate --config "$config" /dev/md/1
		vgcreate --config "$config" vg0 /dev/md/1
		lvcreate --config "$config" -y -Wn -n root -L 1400M vg0
		lvcreate --config "$config" -y -Wn -n swap -L 256M vg0
		dd if=/dev/vde of=/dev/mapper/vg0-root bs=1M conv=fsync
		dd if=/dev/vdf of=/dev/mapper/vg0-swap bs=1M conv=fsync
		vgchange --config "$config" -an vg0
		mdadm --stop /dev/md/0 /dev/md/1
	END
    sync "$work/root.raw" "$work/swap.raw" "$work/boot.raw"
    "$parts/workshop.sh" "$rootfs" "$work/arrays" "$disk" "$disk.2" "$work/root.raw" "$work/swap.raw" "$work/boot.raw"
    mv "$disk.2" "$out.2"
}

lvm_tool() { # lvm_tool VERB ARGUMENT... : on the physical volumes only, and without device-mapper
    local verb=$1 filter
    shift
    filter=$(printf '"a|^%s$|",' "${physical[@]}")
    "$verb" --driverloaded n "$@" 2>"$work/lvm.log" --config "devices{use_devicesfile=0 filter=[${filter}\"r|.*|\"]} backup{backup=0 archive=0} activation{udev_sync=0 udev_rules=0}" ||
        { cat "$work/lvm.log" >&2; return 1; }
}

into_volume() { # into_volume FILE VOLUME: copies it to where lvs says that the volume lies
    local mib=1048576 start size stripes stripe devices at place extent row
    while read -r start size stripes stripe devices; do
        IFS=, read -ra places <<<"$devices"
        ((stripes > 1)) || stripe=$size
        for ((at = 0; at < size; at += stripe)); do
            place=${places[at / stripe % stripes]}
            extent=${place##*\(}
            row=$((at / (stripe * stripes)))
            dd if="$1" of="${place%\(*}" bs=1M skip=$(((start + at) / mib)) count=$((stripe / mib)) \
                seek=$((1 + ${extent%\)} * 4 + row * (stripe / mib))) conv=notrunc,sparse status=none
        done
    done < <(lvm_tool lvs --segments --noheadings --units b --nosuffix -o seg_start,seg_size,stripes,stripe_size,devices "vg0/$2")
}

finish_lvm() {
    local first=$disk mebibytes number
    case $kind in
        lvm | lvm-uefi) mebibytes=(1100 1000) ;;
        lvm-one) mebibytes=(2000) ;;
        lvm-three) mebibytes=(900 900 800) ;;
    esac
    truncate --size "${mebibytes[0]}M" "$first"
    if [[ $kind == lvm-uefi ]]; then
        sfdisk --quiet --wipe never --wipe-partitions never "$first" <<<$'label: gpt\nname=ESP, size=100M, type=uefi\nname=lvm, type=lvm'
        partition 2
    else
        sfdisk --quiet "$first" <<<$'label: dos\ntype=8e, bootable'
        dd if=/usr/lib/grub/i386-pc/boot.img of="$first" bs=440 count=1 conv=notrunc status=none
        dd if="$work/core.img" of="$first" bs=512 seek=1 conv=notrunc status=none
        partition 1
    fi
    physical=("$device")
    for ((number = 2; number <= ${#mebibytes[@]}; number++)); do
        truncate --size "${mebibytes[number - 1]}M" "$first.$number"
        disk=$first.$number attach && physical+=("$device")
    done
    lvm_tool pvcreate -q -y "${physical[@]}" && lvm_tool vgcreate -q vg0 "${physical[@]}"
    if [[ -n $srv_device ]]; then
        lvm_tool lvcreate -q -y -an -Zn -Wn -n srv -i "${#physical[@]}" -I 1M -L 516M vg0
        into_volume "$work/srv.raw" srv
    fi
    lvm_tool lvcreate -q -y -an -Zn -Wn -n root -L 1400M vg0
    lvm_tool lvcreate -q -y -an -Zn -Wn -n swap -L 256M vg0
    into_volume "$work/root.raw" root
    into_volume "$work/swap.raw" swap
    for ((number = 2; number <= ${#mebibytes[@]}; number++)); do
        sync "$first.$number"
        mv "$first.$number" "$out.$number"
    done
}

write_manifest() {
    sync --file-system "$root" "$root/srv" "$root/boot"     # block counts are final only then
    mount --bind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    chroot "$root" /usr/local/sbin/dr-manifest >"$root/usr/local/share/dr-check.manifest"
}

check_clean() {
    e2fsck -f -n "$root_device" >"$work/fsck.log" 2>&1 || { cat "$work/fsck.log" >&2; return 1; }
    [[ -z $boot_device ]] || e2fsck -f -n "$boot_device" >"$work/fsck.log" 2>&1 || { cat "$work/fsck.log" >&2; return 1; }
    [[ -z $srv_device ]] || e2fsck -f -n "$srv_device" >"$work/fsck.log" 2>&1 || { cat "$work/fsck.log" >&2; return 1; }
}

disk=$out.new
srv_device=
boot_device=
root_name=
fetch_rootfs
rm -f "$disk" "$disk".[0-9]
truncate --size 3G "$disk"
"lay_out_$family"
mkswap --label swap "$swap_device" >/dev/null
install_system
"install_loader_$family"
write_manifest
umount --recursive "$root"
check_clean
case $family in
    lvm) finish_lvm ;;
    md) finish_md ;;
esac
sync "$disk"
mv "$disk" "$out"
