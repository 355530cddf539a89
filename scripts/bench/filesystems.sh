#!/bin/bash
# Filesystems of the benchmark: made, filled, measured and checked. Read by bench.sh.
# shellcheck disable=SC2154  # $work, $used_gib and $here are bench.sh's, $mounted is devices.sh's

make_tree() { # sets $rootfs, an archive of a Debian system
    "$here/make-server.sh" uefi "$work/server.raw"       # fills the cache
    rm "$work/server.raw"
    rootfs=$(find "${DR_CACHE:-/var/cache/dr}" -maxdepth 1 -name 'rootfs-*.tar.zst' -printf '%T@ %p\n' | sort -n | tail -1 | cut -d ' ' -f 2-)
}

make_filesystem() { # make_filesystem KIND DEVICE [OPTION...]
    case $1 in
        ext4) mkfs.ext4 -q "${@:3}" "$2" ;;
        xfs) mkfs.xfs -q -f "${@:3}" "$2" ;;
        ntfs) mkfs.ntfs --quick --quiet --force "$2" ;;
    esac
}

mount_source() { # mount_source KIND DEVICE
    mkdir -p "$work/tree"
    mounted+=("$work/tree")
    if [[ $1 == ntfs ]]; then ntfs-3g -o big_writes "$2" "$work/tree"; else mount "$2" "$work/tree"; fi
}

fill_mixed() { # Debian trees, and 1 GiB that does not compress (a fifth, where less is asked for than 5 GiB)
    local tree=0
    head -c "$((used_gib * 1024 / 5))M" /dev/urandom >"$work/tree/random"
    while (($(df --block-size=1M --output=used "$work/tree" | tail -1) < used_gib * 1024 - 200)); do
        mkdir "$work/tree/$((++tree))"
        zstd -dc -q "$rootfs" | tar --extract --directory "$work/tree/$tree" --exclude=./dev
    done
}

# Files of one block each; every third is deleted again, so that what is in use lies in hundreds of thousands of pieces.
fill_small() {
    local folder
    zstd -dc -q "$rootfs" >"$work/tree.tar"
    for ((folder = 0; folder < 1530 * used_gib / 5; folder++)); do
        mkdir "$work/tree/$folder"
        dd if="$work/tree.tar" bs=150000 skip="$folder" count=20 status=none | split --bytes=3000 --suffix-length=3 - "$work/tree/$folder/"
        rm "$work/tree/$folder"/*[a-i]
    done
    rm "$work/tree.tar"
}

used_bytes_of() { # used_bytes_of KIND DEVICE: what the filesystem itself counts as in use
    case $1 in
        ext4) dumpe2fs -h "$2" 2>/dev/null |
            awk -F ': *' '/^Block count/ { all = $2 } /^Free blocks/ { free = $2 } /^Block size/ { size = $2 } END { printf "%.0f", (all - free) * size }' ;;
        xfs) xfs_db -r -c 'sb 0' -c 'print dblocks fdblocks blocksize' "$2" |
            awk '{ v[$1] = $3 } END { printf "%.0f", (v["dblocks"] - v["fdblocks"]) * v["blocksize"] }' ;;
        ntfs) ntfsinfo --mft "$2" 2>/dev/null |
            awk -F ': *' '/Cluster Size/ { size = $2 } /Volume Size in Clusters/ { all = $2 } /Free Clusters/ { free = $2 } END { printf "%.0f", (all - free) * size }' ;;
    esac
}

# partclone leaves the copy of the boot sector behind the last cluster of NTFS out, which ntfsfix calls damage: of what it
# restores only the clusters are checked.
check_filesystem() { # check_filesystem KIND DEVICE [partclone]: the filesystem's own checker finds nothing
    case $1 in
        ext4) e2fsck -fn "$2" ;;
        xfs) xfs_repair -n "$2" ;;
        ntfs) ntfsresize --info --force "$2" && { (($# > 2)) || ntfsfix --no-action "$2"; } ;;
    esac >"$work/log" 2>&1 || { say "a restored $1 is damaged"; cat "$work/log" >&2; exit 1; }
}
