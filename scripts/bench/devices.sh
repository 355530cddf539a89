#!/bin/bash
# Disks of the benchmark: files on loop devices with direct I/O. Read by bench.sh.
# shellcheck disable=SC2154  # $work is bench.sh's

source_loop='' target_loop='' host_loop=''
home=                                                    # where the disks' files lie; a mount where a section needs its own
mounted=()

detach() { [[ -z $1 ]] || losetup --detach "$1"; }

attach() { # attach FILE: sets $loop; its partitions are there, where it has any
    loop=$(losetup --find --show --direct-io=on --partscan "$1")
    if sfdisk --dump "$1" >/dev/null 2>&1 && [[ ! -b ${loop}p1 ]]; then partx --add "$loop"; fi
}

lay_out() { # lay_out FILE GIB: one partition of the size
    truncate --size "$(($2 * 1024 + 2))M" "$1"
    printf 'label: gpt\nsize=%sG, type=linux\n' "$2" | sfdisk --quiet "$1"
}

make_source_disk() { # make_source_disk GIB: sets $source_loop; its partition is empty
    home=${home:-$work}
    lay_out "$home/source.raw" "$1"
    attach "$home/source.raw"
    source_loop=$loop
}

fresh_target() { # fresh_target GIB [laid-out]: a blank disk, as large as the source; partclone wants its partition there
    detach "$target_loop"
    target_loop=''
    rm -f "$home/target.raw"
    if (($# > 1)); then lay_out "$home/target.raw" "$1"; else truncate --size "$(($1 * 1024 + 2))M" "$home/target.raw"; fi
    attach "$home/target.raw"
    target_loop=$loop
}

remove_disks() {
    local place
    for place in "${mounted[@]}"; do
        if mountpoint -q "$place"; then umount "$place"; fi
    done
    detach "$source_loop"
    detach "$target_loop"
    source_loop='' target_loop=''
    rm -f "$work"/{source,target}.raw "$work"/image.* "$work"/*.times
}

mount_host() { # mount_host GIB: an XFS of its own to keep disks on that are larger than ext4 lets a file be
    truncate --size "$1G" "$work/host.raw"
    host_loop=$(losetup --find --show --direct-io=on "$work/host.raw")
    mkfs.xfs -q -f "$host_loop"
    mkdir -p "$work/host"
    mount "$host_loop" "$work/host"
    home=$work/host
}

unmount_host() {
    remove_disks
    if mountpoint -q "$work/host"; then umount "$work/host"; fi
    detach "$host_loop"
    host_loop=''
    rm -f "$work/host.raw"
    home=$work
}

clean_up() {
    unmount_host
    rm -rf --one-file-system "$work"
}
