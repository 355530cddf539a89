#!/bin/bash
# make-server.sh KIND OUT.raw: makes a real Debian server's disk, with the manifest of its files on it.
#   uefi   GPT: ESP with \EFI\debian only, ext4 root, ext4 /srv, swap
#   bios   MBR: primary ext4 /srv, ext4 root and swap in logical partitions, GRUB in the gap
# The Debian system is kept in ${DR_CACHE:-/var/cache/dr}; delete it there to fetch a newer one.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
parts=$here/../tests/DR.Drills/servers
cache=${DR_CACHE:-/var/cache/dr}

[[ $# == 2 && $1 =~ ^(uefi|bios)$ ]] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
kind=$1
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

install_system() {
    mkdir "$root"
    mount "$root_device" "$root"
    tar --extract --zstd --xattrs --xattrs-include='*' --numeric-owner --file "$rootfs" --directory "$root"
    mount "$srv_device" "$root/srv"
    cat >"$root/etc/fstab" <<-END
		UUID=$(uuid_of "$root_device") / ext4 errors=remount-ro 0 1
		UUID=$(uuid_of "$srv_device") /srv ext4 defaults 0 2
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
    cat >"$root/boot/grub/grub.cfg" <<-END
		search --no-floppy --fs-uuid --set=root $(uuid_of "$root_device")
		linux /vmlinuz root=UUID=$(uuid_of "$root_device") ro console=tty0 console=ttyS0
		initrd /initrd.img
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


write_manifest() {
    sync --file-system "$root" "$root/srv"     # block counts are final only then
    mount --bind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    chroot "$root" /usr/local/sbin/dr-manifest >"$root/usr/local/share/dr-check.manifest"
}

check_clean() {
    e2fsck -f -n "$root_device" >"$work/fsck.log" 2>&1 || { cat "$work/fsck.log" >&2; return 1; }
    e2fsck -f -n "$srv_device" >"$work/fsck.log" 2>&1 || { cat "$work/fsck.log" >&2; return 1; }
}

disk=$out.new
fetch_rootfs
rm -f "$disk"
truncate --size 3G "$disk"
"lay_out_$kind"
mkswap --label swap "$swap_device" >/dev/null
install_system
"install_loader_$kind"
write_manifest
umount --recursive "$root"
check_clean
sync "$disk"
mv "$disk" "$out"
