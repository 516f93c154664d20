#!/bin/sh
# One machine of the lab's cloud, from the request to the end: `node.sh boot|init|stop ID`.
#
#   boot  waits for LAB_BOOT_TIME, makes the namespaces, plugs the cable in, and stays beside the machine
#   init  is the first process inside: its network, its file system, its daemons (LAB_CLOUD/site.sh)
#   stop  ends the machine and forgets it
#
# A node has its own network, host name, processes and mounts.
set -eu
. "$(dirname -- "$0")/place.sh"
. "$(dirname -- "$0")/process.sh"
. "$(dirname -- "$0")/faults.sh"
LAB_DIR=$HYBRID_CLOUD_LAB
parameters
ID=$2
MACHINE=$LAB_DIR/machines/$ID
read -r NODE <"$MACHINE/hostname"
read -r IP <"$MACHINE/ip"
read -r LEASE <"$MACHINE/lease"
DEVICE=$BRIDGE-$NODE

boot() {
  boot_time=$LAB_BOOT_TIME
  if fault boot-time; then boot_time=$fault_seconds; fi
  if for_node boot-never; then exec sleep 86400; fi
  sleep "$boot_time"
  still starting || exit 0
  if for_node boot-fail; then fail_boot "it fails on command"; fi
  : >"$MACHINE/faults"
  for name in no-sshd no-slurmd wrong-hostname; do
    if for_node "$name"; then echo "$name" >>"$MACHINE/faults"; fi
  done
  # Not `ip netns`: it leaves a mount behind, and its /sys has no cgroups for daemons. Here all goes with the last process.
  unshare --net --uts --pid --mount --fork --kill-child sh "$SCRIPTS/node.sh" init "$ID" &
  space=$!
  remember "$MACHINE/init" $space
  wait_for '[ "$(readlink /proc/$space/ns/net)" != "$(readlink /proc/self/ns/net)" ]' || fail_boot "no network namespace"
  ip link del "$DEVICE" 2>/dev/null || : # of its last life, when the kernel has not cleaned up yet
  ip link add "$DEVICE" type veth peer name eth0 address "$(hardware_address "${IP##*.}")" netns "$space" ||
    fail_boot "no network device"
  ip link set "$DEVICE" master "$BRIDGE" up || fail_boot "it cannot be plugged in"
  wait "$space" || :
  if still starting || still running; then fail_boot "its processes ended"; fi
}

# true when this fault is meant for this node, or for any
for_node() { fault "$1" "$NODE" any; }

still() { { read -r state <"$MACHINE/state"; } 2>/dev/null && [ "$state" = "$1" ]; }

fail_boot() {
  put "$MACHINE/message" "$1"
  put "$MACHINE/state" failed
  account failed "$ID" "$NODE" "$LEASE"
  say "$ID ($NODE): $1"
  exit 1
}

# Waits at most 5 s until the condition holds.
wait_for() {
  for _ in $(seq 100); do
    if eval "$1" 2>/dev/null; then return; fi
    sleep 0.05
  done
  return 1
}

init() {
  mount -t proc proc /proc
  site_disk
  wait_for 'ip link show eth0 >/dev/null' || { say "no eth0" && exit 1; }
  ip link set lo up
  ip addr add "$IP/24" dev eth0
  ip link set eth0 up
  still starting || exit 0 # somebody deleted it meanwhile
  put "$MACHINE/state" running
  account running "$ID" "$NODE" "$LEASE"
  site_start
}

stop() {
  if fault stop-time; then sleep "$fault_seconds"; fi
  for file in boot init; do
    if pid=$(alive "$MACHINE/$file"); then kill -KILL "$pid" 2>/dev/null || :; fi
  done
  # Whoever was started and not written down, but not ourselves: we carry this mark too.
  for pid in $(marked "HYBRID_CLOUD_LAB_MACHINE=$LAB_DIR:$ID"); do
    [ "$pid" = $$ ] || [ "$(parent_of "$pid")" = $$ ] || kill -KILL "$pid" 2>/dev/null || :
  done
  wait_for '! alive "$MACHINE/init" >/dev/null' || { say "$ID does not end" && exit 1; }
  ip link del "$DEVICE" 2>/dev/null || :
  account gone "$ID" "$NODE" "$LEASE"
  mv "$MACHINE" "$LAB_DIR/machines/.gone-$ID"
  rm -rf "$LAB_DIR/machines/.gone-$ID"
}

parent_of() { awk '$1 == "PPid:" { print $2 }' "/proc/$1/status" 2>/dev/null || :; }

"$1"
