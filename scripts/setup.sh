#!/bin/bash
# Installs what the scripts and tests need and this machine lacks. Quick and silent when nothing is missing.
set -euo pipefail

# One line per purpose.
packages=(
    libzstd1 fdisk gdisk                                   # dr itself, and the tools it calls
    e2fsprogs dosfstools mtools xfsprogs btrfs-progs       # filesystems: made, checked, grown
    exfatprogs exfat-fuse ntfs-3g partclone lvm2 mdadm     #   and the ones the readers are compared with
    attr acl ldmtool
    parted cryptsetup-bin mount util-linux python3-minimal
    mmdebstrap shim-signed grub-efi-amd64-signed           # drill servers
    grub2-common grub-pc-bin
    squashfs-tools xorriso                                 # the recovery medium
    nginx-light openssl samba smbclient nfs-ganesha-vfs    # servers that images come from
    qemu-system-x86 qemu-utils ovmf                        # the machines they boot in
    qemu-block-extra tgt                                   #   and their tape drive
    partclone fio zstd time                                # peers of the benchmark
    kmod openssh-client                                    # judges which driver serves a device; the way into a booted medium
    jq shellcheck tmux                                     # the gate; tmux is the terminal that judges the screens
)

[[ $(id -u) == 0 ]] || { echo "setup: run as root: drills need loop devices, mounts and chroot" >&2; exit 7; }
command -v dotnet >/dev/null || { echo "setup: no 'dotnet' found: install the .NET 10 SDK first" >&2; exit 7; }

# shellcheck disable=SC2016  # the ${…} are dpkg-query's
installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n')
missing=()
for package in "${packages[@]}"; do
    [[ $'\n'$installed$'\n' == *$'\n'"installed $package"$'\n'* ]] || missing+=("$package")
done

if ((${#missing[@]})); then
    echo "setup: installing ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    install=(apt-get install -y -qq --no-install-recommends "${missing[@]}")
    # The package lists may be absent or stale; fetch them only when an install without them fails.
    "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq >&2 && "${install[@]}" >/dev/null; }
fi
