#!/bin/bash
# bench.sh [--only ext4|xfs|ntfs|files|sparse|stages|tape] [--runs N] [--disk GIB] [--used GIB]: capture and restore by dr and by
# its peers, side by side on the same loop devices (direct I/O), with fio's rates as the limit.
#   ext4 xfs ntfs   a disk of 16 GiB with Debian trees and 1 GiB that does not compress, about 5 GiB in all
#   files           ext4 with a million small files, and a hole behind every few of them
#   sparse          XFS and ext4 of 64 TiB with little in use
#   stages          what each stage costs one thread
#   tape            a virtual drive of 400 MB/s: does it keep running?
# Prints Markdown tables of medians. Every time includes the sync; caches are dropped before each run; each restored
# filesystem is checked by its own checker. What takes long and is for reference only runs fewer times: the table says so.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
sections=(ext4 xfs ntfs files sparse stages tape) runs=5 disk_gib=16 used_gib=5
while (($#)); do
    case $1 in
        --only) sections=("$2") ;;
        --runs) runs=$2 ;;
        --disk) disk_gib=$2 ;;
        --used) used_gib=$2 ;;
        *) sed -n '2,9s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
cd "$here/.."

say() { printf 'bench: %s\n' "$*" >&2; }

# shellcheck source=scripts/bench/devices.sh
. "$here/bench/devices.sh"
# shellcheck source=scripts/bench/filesystems.sh
. "$here/bench/filesystems.sh"
# shellcheck source=scripts/bench/measure.sh
. "$here/bench/measure.sh"
# shellcheck source=scripts/bench/sections.sh
. "$here/bench/sections.sh"

"$here/setup.sh"
dotnet build tests/DR.Tests --configuration Release --nologo --verbosity quiet >&2
dr=$PWD/artifacts/bin/DR.App/release/dr
work=$(mktemp -d /var/tmp/dr-bench.XXXXXX)
trap clean_up EXIT
[[ ${sections[*]} == tape ]] || make_tree
for section in "${sections[@]}"; do
    case $section in
        ext4 | xfs | ntfs) run_disk "$section" fill_mixed ;;
        files) run_disk ext4 fill_small ;;
        sparse) run_sparse xfs; run_sparse ext4 ;;
        stages) run_stages ;;
        tape) run_tape ;;
        *) say "there is no section $section"; exit 2 ;;
    esac
    remove_disks
done
