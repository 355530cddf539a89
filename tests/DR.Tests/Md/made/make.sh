#!/bin/bash
# make.sh, run by tests/DR.Drills/servers/workshop.sh with one empty disk, makes arrays.tar (on that disk): the members of arrays as Linux
# made them, each array filled with blocks of 4 KiB that repeat their own number as 8 bytes, little-endian; and their lengths in bytes.
#   truncate -s 400M out.raw; workshop.sh ROOTFS make.sh out.raw; tar xf out.raw; zstd -19 ...
set -euo pipefail
cd /tmp
modprobe -a loop raid0 raid1 raid10 raid456 linear 2>&1 || true

array() { # array NAME "SIZE-IN-KIB..." MDADM-OPTION...
    local name=$1 sizes=$2 loops=() number=0 size
    shift 2
    for size in $sizes; do
        truncate --size "${size}K" "$name.$number"
        loops+=("$(losetup --find --show "$name.$number")")
        number=$((number + 1))
    done
    mdadm --create "/dev/md/$name" --name="$name" --homehost=server --run "$@" "${loops[@]}" < <(yes)
    udevadm settle 2>/dev/null || true
    local device
    device=/dev/$(basename "$(readlink -f "/dev/md/$name")")
    echo "$name $(blockdev --getsize64 "$device")" >>lengths
    perl -e 'my $n = $ARGV[0] / 4096; for my $i (0 .. $n - 1) { print pack("Q<", $i) x 512 }' "$(blockdev --getsize64 "$device")" | dd of="$device" bs=1M conv=fsync status=none
    mdadm --wait "$device" || true
    [[ $name != *-failed ]] || { mdadm "$device" --fail "${loops[1]}"; perl -e 'print pack("Q<", 0) x 512' | dd of="$device" bs=4K conv=fsync status=none; }
    sync
    mdadm --stop "$device"
    losetup --detach "${loops[@]}"
}

pair="2560 2560"
array one-090 "$pair" --level=1 --raid-devices=2 --metadata=0.90
array one-10 "$pair" --level=1 --raid-devices=2 --metadata=1.0 --bitmap=internal
array one-11 "$pair" --level=1 --raid-devices=2 --metadata=1.1
array one-12 "$pair 2560" --level=1 --raid-devices=2 --spare-devices=1 --metadata=1.2 --bitmap=internal
array one-failed "$pair" --level=1 --raid-devices=2 --metadata=1.2
array zero "$pair 2560" --level=0 --raid-devices=3 --chunk=8
array zero-unequal "2560 3600 4000" --level=0 --raid-devices=3 --chunk=16
array zero-original "2560 3600 4000" --level=0 --layout=original --raid-devices=3 --chunk=16
array linear "2560 3000" --level=linear --raid-devices=2
array ten "$pair $pair" --level=10 --layout=n2 --raid-devices=4 --chunk=8
array ten-three "$pair 2560" --level=10 --layout=n3 --raid-devices=3 --chunk=8
array ten-odd "$pair 2560" --level=10 --layout=n2 --raid-devices=3 --chunk=8 --bitmap=internal
array ten-four "$pair $pair" --level=10 --layout=n3 --raid-devices=4 --chunk=8
array four "$pair 2560" --level=4 --raid-devices=3 --chunk=8
for layout in la ra ls rs parity-first parity-last; do
    array "five-$layout" "$pair $pair" --level=5 --layout=$layout --raid-devices=4 --chunk=8
done
array five-090 "$pair 2560" --level=5 --raid-devices=3 --metadata=0.90 --chunk=16
for layout in la ra ls rs; do
    array "six-$layout" "$pair $pair 2560" --level=6 --layout=$layout --raid-devices=5 --chunk=8
done
tar --create --sparse lengths ./*.[0-9] | dd of=/dev/vdc bs=1M conv=fsync status=none
