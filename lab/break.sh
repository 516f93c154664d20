#!/bin/sh
# Breaks one node of the lab or mends it, for tests: `break.sh WHAT NODE`. Its machine, and the jobs on it, stay.
#
#   slurmd-kill slurmd-start    the batch daemon; a running job has its own process and goes on
#   sshd-kill sshd-start        with every login that is open
#   mount-away mount-back       the shared files: the place is an empty directory meanwhile
#   cable-out cable-in
#
# Exit code 1: nothing was there to break or to mend, e.g. the node has no running machine (any more).
set -eu
. "$(dirname -- "$0")/place.sh"
. "$(dirname -- "$0")/process.sh"
parameters
ours "$LAB_DIR" || die "there is no lab in $LAB_DIR"
[ "$LAB_CLOUD-$LAB_BATCH" = command-slurm ] || die "only nodes of LAB_CLOUD=command with Slurm can be broken"
NODE=${2:-}
SHARED=$LAB_DIR/node/shared

main() {
  case $1 in
    slurmd-kill) killed slurmd ;;
    slurmd-start)
      ! runs slurmd || exit 1
      inside "$(batch_variables)" slurmd -f "$LAB_DIR/slurm.conf" -N "$NODE" >/dev/null 2>&1
      ;;
    sshd-kill) killed sshd ;;
    sshd-start)
      ! runs sshd || exit 1
      inside "$(command -v sshd)" -f /run/node/sshd_config >/dev/null 2>&1
      ;;
    mount-away) inside umount -l "$SHARED" 2>/dev/null || exit 1 ;; # not mounted yet
    mount-back)
      ! inside mountpoint -q "$SHARED" || exit 1
      inside mount --bind "$LAB_DIR/export" "$SHARED" || exit 1
      ;;
    cable-out) ip link set "$BRIDGE-$NODE" down ;;
    cable-in) ip link set "$BRIDGE-$NODE" up ;;
    *)
      echo "usage: break.sh slurmd-kill|slurmd-start|sshd-kill|sshd-start|mount-away|mount-back|cable-out|cable-in NODE" >&2
      exit 2
      ;;
  esac
}

# Sets ID and first, the first process inside. Fails when the node has no machine that runs.
find_machine() {
  for machine in "$LAB_DIR"/machines/*/; do
    { read -r host <"$machine/hostname" && read -r state <"$machine/state"; } 2>/dev/null || continue
    [ "$host" = "$NODE" ] && [ "$state" = running ] || continue
    ID=$(basename "$machine")
    space=$(alive "$machine/init") || return 1
    first=$(grep -lE "^PPid:[[:space:]]+$space$" /proc/[0-9]*/status 2>/dev/null | head -n 1 | tr -dc '0-9')
    [ -n "$first" ]
    return
  done
  return 1
}

# With the marks of everything that runs in a node, so that it ends with its machine and with its lab.
inside() {
  nsenter -t "$first" --mount --uts --net --pid env -i "PATH=$PATH" LANG=C.UTF-8 "$MARK" \
    "HYBRID_CLOUD_LAB_MACHINE=$LAB_DIR:$ID" "$@" </dev/null
}

# /proc inside shows the node's own processes only. $1 what to do with each: a shell's word; $2 their name
each_of() {
  inside sh -c 'found=1
    for place in /proc/[0-9]*; do
      { read -r name <"$place/comm"; } 2>/dev/null && [ "$name" = "$2" ] || continue
      $1 "${place#/proc/}" && found=0
    done
    exit $found' sh "$1" "$2"
}

runs() { each_of : "$1"; }
killed() { each_of 'kill -KILL' "$1" 2>/dev/null; }

find_machine || exit 1
main "${1:-}"
