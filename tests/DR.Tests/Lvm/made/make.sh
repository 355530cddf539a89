#!/bin/bash
# make.sh, run by tests/DR.Drills/servers/workshop.sh with one empty disk, makes mirrors.tar (on that disk): the physical volumes of a volume
# group as lvm2 and the kernel made it, with mirrors of both sorts. Its logical volumes are filled with blocks of 4 KiB that repeat their own number
# as 8 bytes, little-endian.
set -euo pipefail
cd /tmp
modprobe -a loop dm_mod dm_raid dm_mirror raid1
config='activation{udev_sync=0 udev_rules=0 verify_udev_operations=1} backup{backup=0 archive=0} devices{use_devicesfile=0}'
lvm() { command lvm "$@" --config "$config"; }

fill() { # fill VOLUME
    local bytes
    bytes=$(blockdev --getsize64 "/dev/mapper/vgm-$1")
    perl -e 'my $n = $ARGV[0] / 4096; for my $i (0 .. $n - 1) { print pack("Q<", $i) x 512 }' "$bytes" | dd of="/dev/mapper/vgm-$1" bs=1M conv=fsync status=none
}

loops=()
for number in 0 1 2; do
    truncate --size 26M "mirrors.$number"
    loops+=("$(losetup --find --show "mirrors.$number")")
done
lvm pvcreate "${loops[@]}"
lvm vgcreate -s 1M vgm "${loops[@]}"
lvm lvcreate -y -Wn --type raid1 -m 1 -L 6M -n raid vgm
lvm lvcreate -y -Wn --type mirror -m 1 -L 5M -n old vgm
lvm lvcreate -y -Wn -L 4M -n plain vgm
lvm lvcreate -y -Wn -i 3 -L 3M -n striped vgm
for name in raid old plain striped; do fill "$name"; done
for ((i = 0; i < 50; i++)); do
    [[ $(lvm lvs --noheadings -o copy_percent vgm | tr -d ' \n') == 100.00100.00 ]] && break
    sleep 1
done
lvm lvs -a -o +devices,copy_percent vgm
sync
lvm vgchange -an vgm
losetup --detach "${loops[@]}"
tar --create --sparse ./mirrors.[0-9] | dd of=/dev/vdc bs=1M conv=fsync status=none
