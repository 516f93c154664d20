#!/bin/sh
# Builds the images of images/ without a container engine and without a registry: buildah with chroot isolation, on a
# base made by mmdebstrap from this machine's own apt sources. Everything is kept in one folder of its own between runs
# (the machine's images are not touched); a second build takes seconds. Needs root, buildah and mmdebstrap.
#
#   image.sh build NAME TAG [OPTION of buildah bud...]   images/NAME -> localhost/TAG; NAME may be a full path
#   image.sh buildah WORD...                             any buildah command on the same storage; a container
#                                                        made with it (from) must get a --name
#   image.sh forget                                      takes away what a killed build left
#   image.sh prune                                       and layers of which no image with a name is made any more
#
#   IMAGE_CACHE    the folder; default /var/tmp/hybrid-cloud-images
#   IMAGE_CONTEXT  the folder that COPY reads from; default images/
set -eu
PATH=$PATH:/usr/sbin:/sbin
CACHE=${IMAGE_CACHE:-/var/tmp/hybrid-cloud-images}
IMAGES=$(CDPATH='' cd -- "$(dirname -- "$0")/../images" && pwd -P)
# Anything in here that changes the base makes a new one.
RECIPE=1
umask 077

main() {
  [ "$(id -u)" = 0 ] || die "needs root"
  # Not open to others: it holds this machine's apt settings.
  mkdir -p "$CACHE"
  if [ ! -O "$CACHE" ] || [ -L "$CACHE" ]; then die "$CACHE is not ours"; fi
  case ${1:-} in
    buildah)
      shift
      on_storage "$@"
      ;;
    build)
      [ $# -ge 3 ] || die "usage: image.sh build NAME TAG [OPTION...]"
      shift
      build "$@"
      ;;
    forget | prune)
      locked
      forget_builds
      # Not by force: an image that a container is made of stays.
      if [ "$1" = prune ]; then on_storage rmi --prune 9>&-; fi
      ;;
    *) die "usage: image.sh build NAME TAG [OPTION...] | buildah WORD... | forget | prune" ;;
  esac
}

# While one builds nobody else does, and nobody takes away the layers it has just made.
locked() {
  exec 9>"$CACHE/lock"
  flock 9
}

# The state of mounts is in /run: it must not outlive the machine's.
on_storage() {
  nice -n 10 buildah --root "$CACHE/storage" --runroot /run/hybrid-cloud-images --storage-driver overlay "$@"
}

build() {
  case $1 in /*) file=$1 ;; *) file=$IMAGES/$1/Containerfile ;; esac
  tag=$2
  shift 2
  locked
  forget_builds
  base=$(make_base)
  umask 022
  on_storage bud --layers --force-rm --isolation chroot --network host --build-arg "BASE_IMAGE=$base" "$@" \
    -t "localhost/$tag" -f "$file" "${IMAGE_CONTEXT:-$IMAGES}" 9>&-
}

# What a killed build left: its containers (a container for use has a name of its own), half a base. Under the lock no build runs.
forget_builds() {
  for container in $(on_storage containers --all --format '{{.ContainerName}}' | grep -- '-working-container'); do
    on_storage rm "$container" >/dev/null 2>&1 || : # it may have gone by itself
  done
  rm -f "$CACHE/base.tar" "$CACHE/sources.list" "$CACHE/apt.conf"
}

# Prints the name of the base image; makes it when it is not there.
make_base() {
  codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
  name=localhost/hybrid-cloud-base:$codename-$RECIPE
  if ! on_storage inspect --type image "$name" >/dev/null 2>&1; then
    tar=$CACHE/base.tar
    sources=$CACHE/sources.list
    distribution_sources >"$sources"
    # Without package lists apt does not know whose sources they are.
    [ -s "$sources" ] || { apt-get -qq update >&2 && distribution_sources >"$sources"; }
    [ -s "$sources" ] || die "apt has no source of Debian or Ubuntu with a component main"
    set --
    # Proxies and the like, as this machine has them; a base is of no use to apt in it without them.
    apt-config dump | grep -Ei '^Acquire::(https?::(.*::)?proxy|check-)' >"$CACHE/apt.conf" || :
    while IFS= read -r line; do set -- "$@" "--aptopt=$line"; done <"$CACHE/apt.conf"
    # It leaves this machine's name and resolver behind.
    # shellcheck disable=SC2016
    nice -n 10 mmdebstrap --quiet --variant=apt --mode=root "$@" --aptopt='Acquire::Languages "none"' \
      --customize-hook='rm -f "$1/etc/hostname" "$1/etc/resolv.conf"' "$codename" "$tar" "$sources" >&2 ||
      die "mmdebstrap failed"
    container=$(on_storage from scratch)
    on_storage add --quiet "$container" "$tar" / >/dev/null
    on_storage config --cmd /bin/bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    on_storage commit --quiet --rm "$container" "$name" >/dev/null
    rm -f "$tar" "$sources" "$CACHE/apt.conf"
  fi
  printf '%s' "$name"
}

# What apt here takes the distribution itself from, in one-line form. Its keys are where mmdebstrap looks by itself.
distribution_sources() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
    awk '($1 == "Debian" || $1 == "Ubuntu") && ($4 == "main" || $4 == "universe") { print "deb", $2, $3, $4 }'
}

die() {
  printf '%s\n' "image: $*" >&2
  exit 1
}

main "$@"
