#!/bin/sh
# drivers.sh ROOT DIR: what --drivers adds. Runs before the other hooks; the name keeps it from running without being asked.
#   *.deb  installed      *.ko  into updates/ of the kernel they were made for      all other files  firmware
set -eu
root=$1
drivers=$2

mkdir "$root/tmp/drivers"
find "$drivers" -name '*.deb' -exec cp {} "$root/tmp/drivers" \;
for kernel in "$root"/usr/lib/modules/*; do
    find "$drivers" -name '*.ko' -exec install -D -m 644 -t "$kernel/updates/dr" {} +
done
(cd "$drivers" && find . -type f ! -name '*.deb' ! -name '*.ko') | while read -r file; do
    install -D -m 644 "$drivers/$file" "$root/usr/lib/firmware/${file#./firmware/}"
done

# shellcheck disable=SC2016  # expanded in the new root
chroot "$root" sh -eu -c '
    set -- /tmp/drivers/*.deb
    [ ! -e "$1" ] || apt-get install --yes --quiet --no-install-recommends "$@"
    for kernel in /usr/lib/modules/*; do
        for module in "$kernel"/updates/dr/*.ko; do
            [ -e "$module" ] || continue
            made_for=$(modinfo --field vermagic "$module" | cut -d" " -f1)
            [ "$made_for" = "${kernel##*/}" ] ||
                { echo "$(basename "$module") was made for kernel $made_for; the medium has ${kernel##*/}" >&2; exit 1; }
        done
        depmod "${kernel##*/}"
    done
    update-initramfs -u -k all
'
rm -r "$root/tmp/drivers"
