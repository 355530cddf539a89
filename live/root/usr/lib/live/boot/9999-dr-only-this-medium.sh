#!/bin/sh
# Sourced after live-boot's own functions. live-boot looks for the medium by mounting one block device after the other,
# "ro", which replays the journal of an unclean ext file system: it would change the disks of the machine. Each
# medium has a label of its own, and nothing else is mounted.
find_livefs ()
{
    [ -b "${LIVE_MEDIA}" ] || return 1
    # On a stick both the disk and its first partition have the label. A mount of the disk would keep every other
    # partition of it, such as DR-DATA, from being mounted.
    disk=$(readlink -f "${LIVE_MEDIA}")
    for part in "${disk}1" "${disk}p1"
    do
        [ ! -b "${part}" ] || { check_dev "null" "${part}" "skip_uuid_check"; return; }
    done
    check_dev "null" "${LIVE_MEDIA}" "skip_uuid_check"
}
