#!/bin/bash
# demo.sh [uefi|bios]: the main job, for real. Makes a Debian server's disk, captures it, restores it onto a larger
# blank disk, boots that in QEMU, and shows its login and the check of its files. Ends with 0 only if all of it is true.
set -euo pipefail
kind=${1:-uefi}
cd "$(dirname "$(realpath "$0")")/.."

work=$(mktemp -d /var/tmp/dr-demo.XXXXXX)
machine=
clean_up() {
    if [[ -n $machine ]] && kill "$machine" 2>/dev/null; then wait "$machine" || true; fi    # killed: its status says so
    rm -rf "$work"
}
trap clean_up EXIT

bold='' plain=''
if [[ -t 1 ]]; then bold=$'\e[1;36m' plain=$'\e[0m'; fi
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
run() { printf '$ %s\n' "$*"; "$@"; }
used() { du --block-size=1M "$1" | cut -f 1; }

boot() { # boot DISK: leaves the machine running, its first serial port in $work/serial
    local firmware=()
    if [[ $kind == uefi ]]; then
        cp /usr/share/OVMF/OVMF_VARS_4M.fd "$work/nvram"      # empty: this machine has never seen the server
        firmware=(-drive "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"
            -drive "if=pflash,format=raw,file=$work/nvram")
    fi
    : >"$work/serial"
    qemu-system-x86_64 -nodefaults -display none -vga std -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 \
        "${firmware[@]}" -drive file="$1",format=raw,if=virtio,cache=unsafe -serial file:"$work/serial" &
    machine=$!
}

wait_for() { # wait_for PATTERN: up to 12 minutes; an emulated machine on a busy host is slow
    local end=$((SECONDS + 720))
    until grep -aqE "$1" "$work/serial"; do
        kill -0 "$machine" 2>/dev/null || { echo "the machine stopped"; tail -n 20 "$work/serial"; return 1; }
        ((SECONDS < end)) || { echo "nothing came"; tail -n 20 "$work/serial"; return 1; }
        sleep 1
    done
}

step "Set up and build"
run ./scripts/setup.sh
run dotnet build src/DR.App --configuration Release --nologo --verbosity quiet
dr=artifacts/bin/DR.App/release/dr

step "A real Debian server: its disk"
run ./scripts/make-server.sh "$kind" "$work/server.raw"
sfdisk --list "$work/server.raw"

step "Capture it: only what is in use"
run "$dr" capture "$work/server.raw" --to "$work/server.drimg"
run "$dr" info "$work/server.drimg"
run "$dr" verify "$work/server.drimg"
echo "disk of $(($(stat --format=%s "$work/server.raw") >> 20)) MiB, $(used "$work/server.raw") MiB of it written; image of $(used "$work/server.drimg") MiB"

step "Restore it onto a larger blank disk"
run truncate --size 5G "$work/new.raw"
run "$dr" restore "$work/server.drimg" --to "$work/new.raw" --yes
sfdisk --list "$work/new.raw"

step "Boot the new disk in a machine that has never seen it"
boot "$work/new.raw"
wait_for "drill-$kind login:"
echo "up after $SECONDS s of this demo; it now compares every file with what was there when the server was made"
wait_for 'DR-CHECK (OK|FAILED)'
tr -d '\r' <"$work/serial" | grep -aoE '^(Debian GNU/Linux .*|.* login:)|DR-CHECK .*'

step "Result"
if grep -aq 'DR-CHECK OK' "$work/serial"; then
    echo "The server is back: it boots, and every file is as it was. ($SECONDS s)"
else
    echo "The server boots, but its files differ."
    exit 1
fi
