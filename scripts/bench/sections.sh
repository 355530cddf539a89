#!/bin/bash
# What the benchmark does with each kind of disk. Read by bench.sh.
# shellcheck disable=SC2154  # $dr, $work, $runs, $disk_gib, $used_gib, $rootfs and the loops are those of the other files

readonly reference_runs=2

partclone_capture() { # partclone_capture KIND
    rm -f "$work/image.zst"
    measure partclone-capture "partclone.$1 -c -L '$work/partclone.log' -s ${source_loop}p1 -o - | zstd -1 -T0 -q -o '$work/image.zst'; sync '$work/image.zst'"
}

partclone_restore() { # partclone_restore KIND GIB
    fresh_target "$2" laid-out
    measure partclone-restore "zstd -dc -q '$work/image.zst' | partclone.$1 -r -L '$work/partclone.log' -s - -o ${target_loop}p1; sync ${target_loop}p1"
    check_filesystem "$1" "${target_loop}p1" partclone
}

ntfsclone_both() {
    rm -f "$work/image.ntfsclone"
    measure ntfsclone-capture "ntfsclone --save-image --output - ${source_loop}p1 | zstd -1 -T0 -q -o '$work/image.ntfsclone'; sync '$work/image.ntfsclone'"
    fresh_target "$disk_gib" laid-out
    measure ntfsclone-restore "zstd -dc -q '$work/image.ntfsclone' | ntfsclone --restore-image --overwrite ${target_loop}p1 -; sync ${target_loop}p1"
    check_filesystem ntfs "${target_loop}p1"
}

dr_capture() {
    rm -f "$work/image.drimg"
    measure dr-capture "'$dr' capture $source_loop --to '$work/image.drimg' --quiet; sync '$work/image.drimg'"
}

dr_restore() { # dr_restore KIND GIB fast|checked
    fresh_target "$2"
    measure "dr-restore-$3" "'$dr' restore '$work/image.drimg' --to $target_loop --yes --quiet $([[ $3 == checked ]] || echo --no-readback); sync $target_loop"
    [[ -b ${target_loop}p1 ]] || partx --add "$target_loop"
    check_filesystem "$1" "${target_loop}p1"
}

copy_whole() {
    fresh_target "$disk_gib"
    measure dd "dd if=$source_loop of=$target_loop bs=1M iflag=direct oflag=direct conv=fsync"
}

run_disk() { # run_disk KIND FILL
    local run options=()
    [[ $2 != fill_small ]] || options=(-i 4096)
    say "making a disk of $disk_gib GiB with $1 ($2)"
    make_source_disk "$disk_gib"
    make_filesystem "$1" "${source_loop}p1" "${options[@]}"
    mount_source "$1" "${source_loop}p1"
    "$2"
    umount "$work/tree"
    used_bytes=$(used_bytes_of "$1" "${source_loop}p1")
    say "$((used_bytes >> 20)) MiB are in use"
    for ((run = 1; run <= runs; run++)); do
        say "run $run of $runs"
        partclone_capture "$1"
        dr_capture
        partclone_restore "$1" "$disk_gib"
        dr_restore "$1" "$disk_gib" fast
        dr_restore "$1" "$disk_gib" checked
        if [[ $1 == ntfs ]] && ((run <= reference_runs)); then ntfsclone_both; fi
    done
    copy_whole
    rates="read $(fio_rate read "$source_loop")"
    fresh_target "$disk_gib"
    rates="$rates MB/s, write $(fio_rate write "$target_loop") MB/s"
    print_disk "$1" "$2"
}

print_disk() { # print_disk KIND FILL
    cat <<END

$(nproc) cores, $disk_gib GiB $1 with $((used_bytes >> 20)) MiB in use$([[ $2 != fill_small ]] || echo ' by small files with holes between them'), medians, $(date --utc +%F), dr $(git rev-parse --short HEAD).
fio, O_DIRECT, sequential, on the same loop devices: $rates.
Images: partclone + zstd $(mib "$work/image.zst") MiB, dr $(mib "$work/image.drimg") MiB$([[ $1 != ntfs ]] || echo ", ntfsclone + zstd $(mib "$work/image.ntfsclone") MiB").
END
    table_head
    row partclone-capture "partclone.$1 -c \\\\| zstd -1 -T0" partclone-capture
    row ntfsclone-capture 'ntfsclone --save-image \\| zstd -1 -T0' partclone-capture
    row dr-capture 'dr capture' partclone-capture
    row partclone-restore "zstd -dc \\\\| partclone.$1 -r" partclone-restore
    row ntfsclone-restore 'zstd -dc \\| ntfsclone --restore-image' partclone-restore
    row dr-restore-fast 'dr restore --no-readback' partclone-restore
    row dr-restore-checked 'dr restore' partclone-restore
    row dd 'dd of the whole device' partclone-restore
}

run_sparse() { # run_sparse KIND: 64 TiB, with 2 GiB of files in it
    local gib=$((64 << 10)) run options=(-K -l size=64m)
    [[ $1 != ext4 ]] || options=(-T largefile4 -O 64bit -E 'lazy_itable_init=1,lazy_journal_init=1,nodiscard')
    mount_host 200
    say "making a disk of 64 TiB with $1"
    make_source_disk "$gib"
    make_filesystem "$1" "${source_loop}p1" "${options[@]}"
    mount_source "$1" "${source_loop}p1"
    head -c 512M /dev/urandom >"$work/tree/random"
    for run in 1 2 3 4; do
        mkdir "$work/tree/$run"
        zstd -dc -q "$rootfs" | tar --extract --directory "$work/tree/$run" --exclude=./dev
    done
    umount "$work/tree"
    used_bytes=$(used_bytes_of "$1" "${source_loop}p1")
    say "$((used_bytes >> 20)) MiB are in use"
    for ((run = 1; run <= runs; run++)); do
        dr_capture
        dr_restore "$1" "$gib" fast
        dr_restore "$1" "$gib" checked
    done
    print_sparse "$1"
    unmount_host
}

print_sparse() { # print_sparse KIND
    cat <<END

$(nproc) cores, 64 TiB $1 with $((used_bytes >> 20)) MiB in use, medians, $(date --utc +%F), dr $(git rev-parse --short HEAD). Image: $(mib "$work/image.drimg") MiB.
END
    table_head
    row dr-capture 'dr capture' dr-capture
    row dr-restore-fast 'dr restore --no-readback' dr-restore-fast
    row dr-restore-checked 'dr restore' dr-restore-fast
}

run_stages() {
    cat <<END

What the stages cost one thread on a tree of Debian, and the rate at which they alone would keep $(nproc) cores busy:

| stage | CPU s/GiB | ceiling of the cores, MB/s |
|---|---|---|
END
    zstd -dc -q "$rootfs" >"$work/tree.tar"
    truncate --size "$(($(stat --format=%s "$work/tree.tar") >> 20))M" "$work/tree.tar"
    DR_BENCH_FILE=$work/tree.tar artifacts/bin/DR.Tests/release/DR.Tests -noColor -noLogo -explicit only -class DR.Tests.Bench.StageCosts \
        -showLiveOutput | grep -oE '\| .* \|$'
}

run_tape() {
    local folder
    folder=$(mktemp -d /dev/shm/dr-bench.XXXXXX)
    cat <<END

A virtual tape drive of 400 MB/s, 6 GiB that do not compress, disks in memory, $(nproc) cores, $(date --utc +%F), dr $(git rev-parse --short HEAD):

| job | stops after the start | MB/s while it runs | of 400 MB/s | of 400 MB/s, with start and end | s |
|---|---|---|---|---|---|
END
    DR_BENCH_FOLDER=$folder artifacts/bin/DR.Tests/release/DR.Tests -noColor -noLogo -explicit only -class DR.Tests.Bench.TapeRates \
        -showLiveOutput | grep -oE '\| (capture|restore) .* \|$' || { rm -r "$folder"; say "the benchmark of tapes failed"; return 1; }
    rm -r "$folder"
}
