#!/bin/sh
# Builds the image from deploy/Dockerfile with buildah, podman or docker, whichever is there first.
# usage: deploy/image/build.sh TAG [OPTION…]      the engine gets the options, as --build-arg BASE=IMAGE
set -eu

cd "$(dirname "$0")/../.."
tag=$1
shift

# Every file and the image itself are dated 1970, so that the same input gives the same digest.
if command -v buildah >/dev/null; then
    set -- buildah bud --format oci --timestamp 0 --identity-label=false "$@"
elif command -v podman >/dev/null; then
    set -- podman build --format oci --timestamp 0 --identity-label=false "$@"
elif command -v docker >/dev/null; then
    export SOURCE_DATE_EPOCH=0
    set -- docker build "$@"
else
    echo "Ostiary: an image takes buildah, podman or docker to build: install one of them" >&2
    exit 1
fi
exec "$@" --file deploy/Dockerfile --tag "$tag" .
