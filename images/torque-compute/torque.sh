#!/bin/sh
# Build time: `torque.sh get URL SHA256` makes sure that there is a Torque in /torque; `torque.sh install PACKAGES` puts it
# into the image and proves that pbs_mom can be started there.
set -eu
HERE=/usr/local/lib/hybrid-cloud

get() {
  # The project's own folder is empty but for these.
  rm -f /torque/README.md /torque/.gitignore
  if [ -n "$1" ]; then
    [ -n "$2" ] || die "TORQUE_URL without TORQUE_SHA256: give the checksum of the file as well"
    [ -z "$(ls -A /torque)" ] || die "there is a Torque in TORQUE_DIR and one in TORQUE_URL: give one"
    sh "$HERE/packages.sh" curl:curl -:ca-certificates
    file=/torque/${1##*/}
    curl -fsSL --max-time 600 -o "$file" "$1" || die "$1 cannot be fetched"
    printf '%s  %s\n' "$2" "$file" | sha256sum -c >/dev/null 2>&1 || die "$1 does not have the checksum TORQUE_SHA256"
  fi
  [ -n "$(ls -A /torque)" ] ||
    die "no Torque: put your packages or built tree into a folder and give --build-arg TORQUE_DIR=FOLDER (in the build context), or TORQUE_URL and TORQUE_SHA256"
}

put_in() {
  # No program of the name "-" exists, so each of them is installed.
  # shellcheck disable=SC2046,SC2086
  set -- $(printf ' -:%s' $1) $(find /tmp/torque -maxdepth 1 -name '*.deb' -printf ' -:%p')
  [ $# -eq 0 ] || [ "$*" = -: ] || sh "$HERE/packages.sh" "$@"
  tree=''
  for file in /tmp/torque/*; do
    case $file in
      *.deb) ;;
      *.tar.gz | *.tgz | *.tar.xz) tar -xf "$file" -C / --no-same-owner --keep-directory-symlink ;;
      *) tree=yes ;;
    esac
  done
  if [ -n "$tree" ]; then
    (cd /tmp/torque && tar -c --exclude='./*.deb' --exclude='./*.tar.?z' --exclude='./*.tgz' .) |
      tar -x -C / --no-same-owner --keep-directory-symlink --no-overwrite-dir
  fi
  rm -rf /tmp/torque
  ldconfig
  mom=$(command -v pbs_mom) || die "there is no pbs_mom on PATH in what TORQUE_DIR or TORQUE_URL brought"
  lacking=$(ldd "$mom" 2>/dev/null | awk '/not found/ { print $1 }' | tr '\n' ' ')
  [ -z "$lacking" ] || die "$mom needs ${lacking}: give the packages with them in --build-arg EXTRA_PACKAGES='...'"
}

die() {
  printf '%s\n' "hybrid-cloud image: $*" >&2
  exit 1
}

case $1 in
  get) get "$2" "$3" ;;
  install) put_in "$2" ;;
esac
