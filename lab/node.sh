#!/bin/sh
# One machine of the lab's cloud, from the request to the end: `node.sh boot|init|stop ID`.
#
#   boot  waits for LAB_BOOT_TIME, makes the namespaces, plugs the cable in, and stays beside the machine
#   init  is the first process inside: its network, its own file system parts, sshd, the batch system's daemon
#   stop  ends the machine and forgets it
#
# A node shares this machine's programs and files, but has its own network, host name, processes, mounts, /run and
# /etc/hosts, and a small disk of its own at $LAB_DIR/node. There the shared file system will be mounted; until then its
# place is an empty directory, so a job on a node that was not prepared finds nothing.
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
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs "$LAB_DIR/node"
  mkdir -p "$LAB_DIR/node/shared" /run/sshd /run/node
  own_name
  wait_for 'ip link show eth0 >/dev/null' || { say "no eth0" && exit 1; }
  ip link set lo up
  ip addr add "$IP/24" dev eth0
  ip link set eth0 up
  still starting || exit 0 # somebody deleted it meanwhile
  put "$MACHINE/state" running
  account running "$ID" "$NODE" "$LEASE"
  # The daemon starts with the machine, before anything is mounted: as on an image that enables the service.
  if ! grep -qx no-slurmd "$MACHINE/faults"; then batch_node; fi
  if ! grep -qx no-sshd "$MACHINE/faults"; then run_sshd; fi
  # The first process of a machine waits for every orphan, or they would stay as zombies.
  while :; do
    sleep 3600 &
    wait $!
  done
}

own_name() {
  name=$NODE
  if grep -qx wrong-hostname "$MACHINE/faults"; then name=localhost; fi
  hostname "$name"
  {
    echo "127.0.0.1 localhost"
    for n in $(seq "$LAB_HOSTS"); do echo "$LAB_NET.$((100 + n)) c$n"; done
    batch_hosts
  } >/run/node/hosts
  if [ -f /etc/hosts ]; then mount --bind /run/node/hosts /etc/hosts; fi # a small image has none, and needs none
}

# As a cloud does it: keys made at the first boot, root opened for the keys of the customer (the service's own key).
run_sshd() {
  cat "$LAB_DIR"/state/ssh/*.pub >/run/node/authorized_keys 2>/dev/null || say "no public key in $LAB_DIR/state/ssh yet"
  chmod 600 /run/node/authorized_keys
  ssh-keygen -q -t ed25519 -N '' -C "$NODE" -f /run/node/host_key
  # sshd refuses a locked account even with the right key, and root is locked on many machines. The node has its own file.
  if [ -f /etc/shadow ]; then
    awk -F : -v OFS=: '$1 == "root" && $2 ~ /^!/ { $2 = "*" } { print }' /etc/shadow >/run/node/shadow
    chmod 600 /run/node/shadow
    mount --bind /run/node/shadow /etc/shadow
  fi
  cat >/run/node/sshd_config <<END
Port 22
HostKey /run/node/host_key
AuthorizedKeysFile /run/node/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
PidFile /run/node/sshd.pid
SetEnv $(batch_variables)
Subsystem sftp internal-sftp
END
  "$(command -v sshd)" -D -e -f /run/node/sshd_config &
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
