#!/bin/sh
# Sourced after live-boot's own functions. live-boot looks for the medium by mounting one block device after the other,
# "ro", which replays the journal of an unclean ext file system: it would change the disks of the machine. Each
# medium has a label of its own, and nothing else is mounted.
find_livefs ()
{
    [ -b "${LIVE_MEDIA}" ] || return 1
    check_dev "null" "${LIVE_MEDIA}" "skip_uuid_check"
}
