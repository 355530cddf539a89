#!/bin/sh
# What nobody reads on a recovery medium, and what differs from build to build.
set -eu
root=$1

rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/usr/share/info/* \
    "$root"/usr/share/lintian "$root"/usr/share/bug \
    "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/debconf/*-old "$root"/var/log/*.log "$root"/var/log/apt
rm -rf "$root"/usr/lib/modules/*/kernel/sound "$root"/usr/lib/modules/*/kernel/drivers/media
# shellcheck disable=SC2016  # expanded in the new root
chroot "$root" sh -c 'for kernel in /usr/lib/modules/*; do depmod "${kernel##*/}"; done'
