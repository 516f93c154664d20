#!/bin/sh
# The lab's docker: takes the command line that a Docker engine would get, refuses what it does not know, and runs the
# image's program on the image's files, in a mount namespace of its own that ends with it.
#
#   docker image inspect [--format=...] IMAGE
#   docker run [OPTION...] IMAGE [WORD...]
#
# A real SDK reaches its VC controller over the network; the emulated one finds its own in the folder that is mounted here.
set -eu
. "$(dirname -- "$0")/../place.sh"
. "$(dirname -- "$0")/../process.sh"
LAB_DIR=$HYBRID_CLOUD_LAB
parameters
CONTROLLER=/run/vcp-controller

main() {
  case "${1:-} ${2:-}" in
    'image inspect')
      shift 2
      inspect "$@"
      ;;
    'run '*)
      printf '%s\n' "$*" >>"$LAB_DIR/log/docker.log"
      shift
      run "$@"
      ;;
    'inside '*)
      shift
      inside "$@"
      ;;
    *) refuse "'$*' is not a docker command" ;;
  esac
}

refuse() {
  printf '%s\n' "docker: $*" >&2
  exit 125
}

inspect() {
  case ${1:-} in --format=*) shift ;; esac
  find_image "${1:?an image}" || {
    printf 'Error: No such image: %s\n' "$1" >&2
    exit 1
  }
  echo "$root"
}

run() {
  entry='' input=no network=private words=''
  while :; do
    case ${1:-} in
      --rm | --log-driver=none | --pull=never | --pull=missing | --label=?*=?* | --security-opt=label=disable) ;;
      -i | --interactive) input=yes ;;
      --network=host) network=host ;;
      --entrypoint=?*) entry=${1#*=} ;;
      --env=?*=* | --mount=type=bind,source=/*,target=/*) words="$words $(quoted "$1")" ;;
      -*) refuse "unknown flag: $1" ;;
      *) break ;;
    esac
    shift
  done
  image=${1:-}
  [ -n "$image" ] || refuse "'docker run' requires at least 1 argument"
  shift
  find_image "$image" || refuse "Unable to find image '$image' locally"
  # Without --entrypoint it would be the image's own; the lab's only caller says it.
  [ -n "$entry" ] || refuse "no --entrypoint"
  if [ "$input" = no ]; then exec </dev/null; fi
  kept=$(for word in "$@"; do quoted "$word"; done)
  eval "set -- $words -- $(quoted "$entry") $kept"
  case $network in host) network='' ;; *) network=--net ;; esac
  exec unshare --mount --propagation private $network sh "$0" inside "$root" "$its_env" "$@"
}

quoted() { printf " '%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# $1 the image's files, $2 its environment, then --mount=... and --env=... words, --, the command
inside() {
  container_disk "$1" "$LAB_DIR/node"
  image_env=$2 place=$LAB_DIR/node/root
  container_kernel "$place"
  container_bind "$place" "$VCP/controller" "$CONTROLLER"
  shift 2
  environment="VCP_EMULATOR_DIR=$CONTROLLER"
  while [ "$1" != -- ]; do
    case $1 in
      --env=*) environment="$environment
${1#--env=}" ;;
      --mount=*) mounted "${1#--mount=}" ;;
    esac
    shift
  done
  shift
  kept=$(for word in "$@"; do quoted "$word"; done)
  # A container has nothing of our environment but the lab's mark, by which it is found.
  eval "set -- $(printf '%s\n%s\n%s\n' "$MARK" "$(cat "$image_env")" "$environment" | while IFS= read -r line; do quoted "$line"; done)"
  eval "exec env -i \"\$@\" chroot '$place' $kept"
}

# $1 type=bind,source=SOURCE,target=TARGET[,readonly]
mounted() {
  source='' target='' options=''
  fields=$1,
  while [ -n "$fields" ]; do
    field=${fields%%,*}
    fields=${fields#*,}
    case $field in
      type=bind) ;;
      source=*) source=${field#source=} ;;
      target=*) target=${field#target=} ;;
      readonly) options=ro ;;
      *) refuse "invalid argument \"$1\" for \"--mount\" flag" ;;
    esac
  done
  [ -e "$source" ] || refuse "invalid mount config for type \"bind\": bind source path does not exist: $source"
  container_bind "$place" "$source" "$target" "$options"
}

main "$@"
