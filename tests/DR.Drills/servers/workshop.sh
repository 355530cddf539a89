#!/bin/bash
# workshop.sh ROOTFS.tar.zst SCRIPT DISK...: runs SCRIPT as root in a machine of its own that has the DISKs (raw files) as /dev/vdc,
# /dev/vdd and so on: what needs drivers that this kernel may not have, such as those of arrays and volume groups. Fails as SCRIPT does.
set -euo pipefail
rootfs=$1 script=$2
shift 2

work=$(mktemp -d /var/tmp/workshop.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir "$work/root"
tar --extract --zstd --numeric-owner --file "$rootfs" --directory "$work/root"
cp "$work"/root/boot/vmlinuz-* "$work/vmlinuz"
cp "$work"/root/boot/initrd.img-* "$work/initrd"
cat >"$work/root/sbin/workshop" <<'END'
#!/bin/bash
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /tmp; mount -t tmpfs run /run
mountpoint -q /dev || mount -t devtmpfs dev /dev
tr -d '\0' </dev/vdb >/tmp/script
bash -euo pipefail -x /tmp/script </dev/null && echo "WORKSHOP DONE" || echo "WORKSHOP FAILED"
sync
echo o >/proc/sysrq-trigger
sleep 60
END
chmod 755 "$work/root/sbin/workshop"
truncate --size 2G "$work/root.raw"
mke2fs -q -t ext4 -d "$work/root" "$work/root.raw"
cp "$script" "$work/script.raw"
truncate --size "%64K" "$work/script.raw"

drives=()
for disk in "$work/root.raw" "$work/script.raw" "$@"; do
    drives+=(-drive "file=$disk,format=raw,if=virtio,cache=unsafe,file.locking=off")
done
timeout 900 qemu-system-x86_64 -accel tcg,thread=multi -cpu max,-erms -smp 2 -m 2048 -display none -no-reboot -serial "file:$work/serial" -monitor none -nic none \
    -kernel "$work/vmlinuz" -initrd "$work/initrd" -append "root=/dev/vda rw console=ttyS0 init=/sbin/workshop quiet" "${drives[@]}" || true
if [[ -n ${WORKSHOP_LOG:-} ]]; then cp "$work/serial" "$WORKSHOP_LOG"; fi
grep -q '^WORKSHOP DONE' "$work/serial" || { tail -40 "$work/serial" >&2; exit 1; }
