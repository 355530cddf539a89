#!/bin/sh
# No two machines booted from this medium share a secret, and none has a password.
set -eu
root=$1

rm -f "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
echo recovery >"$root/etc/hostname"
printf '127.0.0.1 localhost recovery\n::1 localhost\n' >"$root/etc/hosts"
: >"$root/etc/fstab"
chroot "$root" passwd --quiet --lock root
