#!/bin/bash
# bench.sh [--runs N] [--disk GIB] [--used GIB]: capture and restore of an ext4 partition by dr and by
# partclone | zstd, side by side on the same loop devices (direct I/O), with fio's rates as the ceiling.
# Prints a Markdown table of medians. Every time includes the sync; caches are dropped before each run.
set -euo pipefail
runs=3 disk_gib=16 used_gib=5
while (($#)); do
    case $1 in
        --runs) runs=$2 ;;
        --disk) disk_gib=$2 ;;
        --used) used_gib=$2 ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
here=$(dirname "$(realpath "$0")")
cd "$here/.."
"$here/setup.sh"
dotnet build tests/DR.Tests --configuration Release --nologo --verbosity quiet >&2
dr=$PWD/artifacts/bin/DR.App/release/dr

work=$(mktemp -d /var/tmp/dr-bench.XXXXXX)
source_loop='' target_loop='' rootfs=''
clean_up() {
    if mountpoint -q "$work/tree"; then umount "$work/tree"; fi
    detach "$source_loop"
    detach "$target_loop"
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT

say() { printf 'bench: %s\n' "$*" >&2; }
detach() { [[ -z $1 ]] || losetup --detach "$1"; }

attach() { # attach FILE: sets $loop; its partitions are there, where it has any
    loop=$(losetup --find --show --direct-io=on --partscan "$1")
    if sfdisk --dump "$1" >/dev/null 2>&1 && [[ ! -b ${loop}p1 ]]; then partx --add "$loop"; fi
}

lay_out() { # lay_out FILE: one partition of the asked size
    truncate --size "$((disk_gib * 1024 + 2))M" "$1"
    printf 'label: gpt\nsize=%sG, type=linux\n' "$disk_gib" | sfdisk --quiet "$1"
}

make_source() { # Debian trees, and 1 GiB that does not compress
    local tree=0
    "$here/make-server.sh" uefi "$work/server.raw"       # fills the cache
    rm "$work/server.raw"
    rootfs=$(find "${DR_CACHE:-/var/cache/dr}" -maxdepth 1 -name 'rootfs-*.tar.zst' -printf '%T@ %p\n' | sort -n | tail -1 | cut -d ' ' -f 2-)
    lay_out "$work/source.raw"
    attach "$work/source.raw"
    source_loop=$loop
    mkfs.ext4 -q "${loop}p1"
    mkdir "$work/tree"
    mount "${loop}p1" "$work/tree"
    head -c 1G /dev/urandom >"$work/tree/random"
    while (($(df --block-size=1M --output=used "$work/tree" | tail -1) < used_gib * 1024 - 200)); do
        mkdir "$work/tree/$((++tree))"
        tar --extract --zstd --file "$rootfs" --directory "$work/tree/$tree"
    done
    umount "$work/tree"
}

fresh_target() { # fresh_target [laid-out]: a blank disk, as large as the source; partclone wants its partition there
    detach "$target_loop"
    rm -f "$work/target.raw"
    if (($#)); then lay_out "$work/target.raw"; else truncate --size "$((disk_gib * 1024 + 2))M" "$work/target.raw"; fi
    attach "$work/target.raw"
    target_loop=$loop
}

measure() { # measure NAME COMMAND: one line "seconds user system KiB" more in $work/NAME.times
    sync
    echo 3 >/proc/sys/vm/drop_caches
    /usr/bin/time --format '%e %U %S %M' --append --output "$work/$1.times" bash -o pipefail -ec "$2" >"$work/log" 2>&1 ||
        { say "$1 failed: $2"; cat "$work/log" >&2; exit 1; }
    say "$1: $(tail -1 "$work/$1.times")"
}

check_target() { # the last restore has made a whole filesystem
    [[ -b ${target_loop}p1 ]] || partx --add "$target_loop"
    e2fsck -fn "${target_loop}p1" >"$work/log" 2>&1 || { say "$1 restored a damaged filesystem"; cat "$work/log" >&2; exit 1; }
}

fio_rate() { # fio_rate read|write LOOP: MB/s
    fio --name=rate --filename="$2" --rw="$1" --bs=1M --iodepth=8 --ioengine=libaio --direct=1 --size="${used_gib}G" \
        --end_fsync=1 --output-format=json | jq ".jobs[0].$1.bw_bytes / 1e6 | round"
}

median() { # median NAME FIELD
    cut -d ' ' -f "$2" "$work/$1.times" | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

row() { # row NAME TITLE PEER
    awk -v title="$2" -v used="$used_bytes" -v cores="$(nproc)" -v peer="$(median "$3" 1)" -v t="$(median "$1" 1)" \
        -v user="$(median "$1" 2)" -v sys="$(median "$1" 3)" -v kib="$(median "$1" 4)" 'BEGIN {
            gib = used / 2 ^ 30; cpu = (user + sys) / gib
            printf "| %s | %.1f | %.0f | %.2f | %.0f | %.0f | %.2f |\n", title, t, used / t / 1e6, cpu, cores / cpu * 1073.741824, kib / 1024, peer / t
        }'
}

say "making a disk of $disk_gib GiB with about $used_gib GiB in use"
make_source
used_bytes=$(dumpe2fs -h "${source_loop}p1" 2>/dev/null |
    awk -F ': *' '/^Block count/ { all = $2 } /^Free blocks/ { free = $2 } /^Block size/ { size = $2 } END { printf "%.0f", (all - free) * size }')

for ((run = 1; run <= runs; run++)); do
    say "run $run of $runs"
    rm -f "$work"/image.*
    measure partclone-capture "partclone.ext4 -c -L '$work/partclone.log' -s ${source_loop}p1 -o - | zstd -1 -T0 -q -o '$work/image.zst'; sync '$work/image.zst'"
    measure dr-capture "'$dr' capture $source_loop --to '$work/image.drimg' --quiet; sync '$work/image.drimg'"
    fresh_target laid-out
    measure partclone-restore "zstd -dc -q '$work/image.zst' | partclone.ext4 -r -L '$work/partclone.log' -s - -o ${target_loop}p1; sync ${target_loop}p1"
    check_target partclone
    for way in fast checked; do
        fresh_target
        measure "dr-restore-$way" "'$dr' restore '$work/image.drimg' --to $target_loop --yes --quiet $([[ $way == checked ]] || echo --no-readback); sync $target_loop"
        check_target dr
    done
done
read_rate=$(fio_rate read "$source_loop")
fresh_target
write_rate=$(fio_rate write "$target_loop")

cat <<END
$(nproc) cores, $disk_gib GiB ext4 with $((used_bytes >> 20)) MiB in use, medians of $runs runs, $(date --utc +%F), dr $(git rev-parse --short HEAD).
fio, O_DIRECT, sequential, on the same loop devices: read $read_rate MB/s, write $write_rate MB/s.
Images: partclone + zstd $(($(stat --format=%s "$work/image.zst") >> 20)) MiB, dr $(($(stat --format=%s "$work/image.drimg") >> 20)) MiB.

| | seconds | MB/s in use | CPU s/GiB | ceiling of the cores, MB/s | peak MiB | times as fast as partclone |
|---|---|---|---|---|---|---|
END
row partclone-capture 'partclone.ext4 -c \| zstd -1 -T0' partclone-capture
row dr-capture 'dr capture' partclone-capture
row partclone-restore 'zstd -dc \| partclone.ext4 -r' partclone-restore
row dr-restore-fast 'dr restore --no-readback' partclone-restore
row dr-restore-checked 'dr restore' partclone-restore

cat <<END

What the stages cost one thread on a tree of Debian, and the rate at which they alone would keep $(nproc) cores busy:

| stage | CPU s/GiB | ceiling of the cores, MB/s |
|---|---|---|
END
zstd -dc -q "$rootfs" >"$work/tree.tar"
truncate --size "$(($(stat --format=%s "$work/tree.tar") >> 20))M" "$work/tree.tar"
DR_BENCH_FILE=$work/tree.tar artifacts/bin/DR.Tests/release/DR.Tests -noColor -noLogo -explicit only -class DR.Tests.Bench.StageCosts \
    -showLiveOutput | grep -oE '\| .* \|$'
