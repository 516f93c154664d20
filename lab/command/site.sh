# Sourced after place.sh: the lab's cloud as the service sees it. Every LAB_CLOUD answers to the same names:
#   site_needs    program:package pairs
#   site_images   builds what its nodes are made of, before the lab is up
#   site_config   writes the service's configuration but for hosts.json
#   site_slurm    more lines for slurm.conf
#   site_up       starts what it needs beside the batch system, which is up
#   site_down     ends that
#   site_disk     inside a node: its file system and its name
#   site_start    inside a node whose network is up: its daemons; never returns
#
# This one is CLOUD=command with $LAB_DIR/cloud. A node shares this machine's programs and files, but has its own /run and
# /etc/hosts and a small disk of its own at $LAB_DIR/node. There the shared file system will be mounted; until then its
# place is an empty directory, so a job on a node that was not prepared finds nothing.

site_needs() { :; }
site_images() { :; }
site_slurm() { :; }
site_up() { :; }
site_down() { :; }

site_config() {
  cat >"$LAB_DIR/config/env" <<END
QUEUE_NAME=cloud
$(batch_config)
CLOUD=command
CLOUD_COMMAND=$LAB_DIR/cloud
NFS_TYPE=bind
NFS_MOUNT_POINT=$LAB_DIR/export
NFS_LOCAL_DIR=$LAB_DIR/node/shared
BOOTSTRAP=ssh
SSH_USER=root
SSH_PORT=22
STATE_DIR=$LAB_DIR/state
API_SOCKET=$LAB_DIR/run/api.sock
POLL_INTERVAL=2
CLEANUP_NODE_WAIT_TIME=20
IDLE_NODE_WAIT_TIME=20
END
}

site_disk() {
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs "$LAB_DIR/node"
  mkdir -p "$LAB_DIR/node/shared" /run/sshd /run/node
  own_name
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

# The daemon starts with the machine, before anything is mounted: as on an image that enables the service.
site_start() {
  if ! grep -qx no-slurmd "$MACHINE/faults"; then batch_node; fi
  if ! grep -qx no-sshd "$MACHINE/faults"; then run_sshd; fi
  # The first process of a machine waits for every orphan, or they would stay as zombies.
  while :; do
    sleep 3600 &
    wait $!
  done
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
