#!/bin/sh
# Writes a base for deploy/Dockerfile to FILE, an OCI archive: Debian with Python, from Debian's packages alone.
# usage: deploy/image/base.sh FILE      as root; takes debootstrap and buildah, and five minutes
set -eu

file=$1
folder=$(mktemp -d)
trap 'umount "$folder/rootfs/proc" 2>/dev/null || true; rm -rf "$folder"' EXIT
store="--root $folder/store --runroot $folder/run --storage-driver vfs"

debootstrap --variant=minbase --include=python3-venv,ca-certificates bookworm "$folder/rootfs" >"$folder/log" ||
    { cat "$folder/log" >&2 && exit 1; }
umount "$folder/rootfs/proc" 2>/dev/null || true
rm -rf "$folder"/rootfs/var/cache/apt/* "$folder"/rootfs/var/lib/apt/lists/* "$folder"/rootfs/var/log/*
# shellcheck disable=SC2086 # options
{
    container=$(buildah $store from scratch)
    buildah $store copy --quiet "$container" "$folder/rootfs" / >/dev/null
    buildah $store commit --quiet --format oci --timestamp 0 "$container" "oci-archive:$file.new:base" >/dev/null
}
mv "$file.new" "$file"
