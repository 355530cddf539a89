#!/bin/sh
# Which units run on the medium. Nobody logs in: the console belongs to whoever stands before the machine. The screen is on
# tty1 and ttyS0, a plain console on tty2 (Alt-F2).
set -eu
root=$1

systemctl --root="$root" --quiet enable dr-unattended.service dr-ui.service dr-console@tty2.service
systemctl --root="$root" --quiet enable ssh.service systemd-networkd.service systemd-resolved.service

# No password, no login prompt.
systemctl --root="$root" --quiet mask getty@.service serial-getty@.service console-getty.service container-getty@.service autovt@.service

systemctl --root="$root" --quiet disable smartmontools.service

# Nothing that writes to, activates or maintains what is found on disks, and nothing that waits for the network.
systemctl --root="$root" --quiet mask \
    swap.target \
    fstrim.timer fstrim.service e2scrub_all.timer e2scrub_all.service e2scrub_reap.service \
    open-iscsi.service \
    smartmontools.service systemd-hibernate-resume@.service \
    rpcbind.service rpcbind.socket nfs-blkmap.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer \
    systemd-networkd-wait-online.service systemd-firstboot.service
