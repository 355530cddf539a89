#!/bin/bash
# content.sh ROOT: files of every sort a server may hold, on / and /srv of the tree at ROOT.
set -euo pipefail
root=$1

random() { # random MIB FILE: incompressible
    head -c "${1}M" /dev/urandom >"$2"
}

fill() { # fill DIR: the same variety on each filesystem
    mkdir -p "$1" && cd "$1"
    random 1 small.bin
    mkdir -p empty deep/a/b/c/d/e/f/g 'with space' 'ünïcödé/日本語/Ελληνικά'
    echo content >'with space/a "quoted" name'
    echo content >'ünïcödé/日本語/Ελληνικά/файл🙂.txt'
    echo content >'back\slash'
    : >empty-file
    echo content >"$(printf 'n%.0s' {1..255})"

    echo one >name-1 && ln name-1 name-2 && ln name-1 deep/a/b/name-3
    ln -s ../nowhere dangling && ln -s small.bin link
    ln -s "/$(printf 't%.0s' {1..200})" link-in-its-own-block

    truncate -s 100M sparse                                          # three islands in a sea of holes
    for mib in 0 31 99; do head -c 64K /dev/urandom | dd of=sparse bs=1M seek="$mib" conv=notrunc status=none; done
    fallocate -l 4M preallocated && head -c 1M /dev/urandom | dd of=preallocated conv=notrunc status=none

    cp /bin/true setuid && chown 65534:4 setuid && chmod 6755 setuid
    mkdir shared && chmod 3777 shared
    mknod null c 1 3 && mknod -m 640 disk b 8 17 && mkfifo -m 600 fifo
    echo content >owned && chown 123456:654321 owned && chmod 0 owned

    echo content >attributes
    setfattr -n user.comment -v 'a comment' attributes
    setfattr -n user.large -v "0s$(head -c 2500 /dev/urandom | base64 -w0)" attributes   # beyond the inode
    setfattr -n trusted.dr -v secret attributes
    cp /bin/true capable
    setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 capable     # cap_net_bind_service+ep
    mkdir acl && echo content >acl/file
    setfacl -m u:1234:rwx,g:4321:r,m::rwx acl/file
    setfacl -d -m u:1234:rwx acl && mkdir acl/inherits

    mkdir many && (cd many && seq 1 600 | xargs touch && rm -f {300..350})        # a hashed directory
    cd - >/dev/null
}

fill "$root/var/lib/variety"
fill "$root/srv/variety"
random 12 "$root/var/lib/variety/large.bin"
random 40 "$root/srv/variety/large.bin"
