#!/bin/bash
# rootfs.sh OUT.tar.zst: the Debian system all drill servers are made of: a stock kernel, systemd, and what the
# check of the files needs. Documentation, locales and drivers that no drill meets are left out, to be quick.
set -euo pipefail
out=$1

packages=linux-image-amd64,systemd-sysv,dbus,udev,kmod,e2fsprogs,attr,acl,openssl,zstd,dosfstools,lvm2,mdadm

without=()
for path in usr/share/{doc,man,info,locale,lintian,bug} usr/lib/x86_64-linux-gnu/gconv \
    lib/modules/*/kernel/sound \
    lib/modules/*/kernel/drivers/{gpu,media,infiniband,staging,iio,isdn,bluetooth,hwmon,thunderbolt,mtd,video,comedi} \
    lib/modules/*/kernel/drivers/net/{wireless,ethernet,can,usb,wwan,ieee802154} \
    lib/modules/*/kernel/net/{bluetooth,wireless,mac80211,sctp,tipc,ceph,can,batman-adv,rds,openvswitch}; do
    without+=("--dpkgopt=path-exclude=/$path/*")
done

# shellcheck disable=SC2016  # $1 is the new root, named by mmdebstrap
mmdebstrap --quiet --variant=minbase --include="$packages" "${without[@]}" \
    --aptopt='APT::Install-Recommends "false"' \
    --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"; printf "COMPRESS=zstd\nMODULES=most\n" > "$1/etc/initramfs-tools/conf.d/drill"' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/cache/debconf/*-old' \
    bookworm - | zstd --quiet -T0 -3 -o "$out" --force
