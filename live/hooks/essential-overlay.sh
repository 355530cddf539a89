#!/bin/sh
# Before the packages are installed: live/root is laid over the new system, so that the initramfs made with the kernel
# holds it already.
set -eu
root=$1
cp --recursive --no-preserve=ownership "$(dirname "$(realpath "$0")")/../root/." "$root"
