#!/bin/sh
# Which firmware files each module asks for: "module<TAB>file", for `dr media check`.
set -eu
root=$1
mkdir -p "$root/usr/share/dr"
# shellcheck disable=SC2016  # expanded in the new root
chroot "$root" sh -c 'find /usr/lib/modules -name "*.ko" -print0 | xargs -0 modinfo' |
    awk '$1 == "filename:" { n = split($2, part, "/"); module = part[n]; sub(/\.ko.*/, "", module); gsub(/-/, "_", module) }
         $1 == "firmware:" { print module "\t" $2 }' | sort -u >"$root/usr/share/dr/firmware-wanted"
