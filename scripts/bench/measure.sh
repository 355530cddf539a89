#!/bin/bash
# Measuring and the tables of the benchmark. Read by bench.sh.
# shellcheck disable=SC2154  # $work and $used_gib are bench.sh's, $used_bytes is sections.sh's

measure() { # measure NAME COMMAND: one line "seconds user system KiB" more in $work/NAME.times
    sync
    echo 3 >/proc/sys/vm/drop_caches
    /usr/bin/time --format '%e %U %S %M' --append --output "$work/$1.times" bash -o pipefail -ec "$2" >"$work/log" 2>&1 ||
        { say "$1 failed: $2"; cat "$work/log" >&2; exit 1; }
    say "$1: $(tail -1 "$work/$1.times")"
}

fio_rate() { # fio_rate read|write LOOP: MB/s
    fio --name=rate --filename="$2" --rw="$1" --bs=1M --iodepth=8 --ioengine=libaio --direct=1 --size="${used_gib}G" \
        --end_fsync=1 --output-format=json | jq ".jobs[0].$1.bw_bytes / 1e6 | round"
}

median() { # median NAME FIELD
    cut -d ' ' -f "$2" "$work/$1.times" | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

table_head() {
    cat <<'END'

| | runs | seconds | MB/s in use | CPU s/GiB | ceiling of the cores, MB/s | peak MiB | times as fast as partclone |
|---|---|---|---|---|---|---|---|
END
}

row() { # row NAME TITLE PEER: of what was measured; nothing if it was not
    [[ -f $work/$1.times ]] || return 0
    awk -v title="$2" -v used="$used_bytes" -v cores="$(nproc)" -v peer="$(median "$3" 1)" -v t="$(median "$1" 1)" \
        -v user="$(median "$1" 2)" -v sys="$(median "$1" 3)" -v kib="$(median "$1" 4)" -v runs="$(wc -l <"$work/$1.times")" 'BEGIN {
            gib = used / 2 ^ 30; cpu = (user + sys) / gib
            printf "| %s | %d | %.1f | %.0f | %.2f | %.0f | %.0f | %.2f |\n",
                title, runs, t, used / t / 1e6, cpu, cores / cpu * 1073.741824, kib / 1024, peer / t
        }'
}

mib() { # mib FILE...: what the files take
    local file
    for file; do
        if [[ -f $file ]]; then stat --format=%s "$file"; fi
    done | awk '{ sum += $1 } END { printf "%.0f", sum / 2 ^ 20 }'
}
