#!/bin/sh
# Brings a lab up: a batch system, a bridge, a file server's directory and the service's configuration, all of it under
# $LAB_DIR. There are no nodes yet: they come through $LAB_DIR/cloud, the lab's cloud.
#
# Parameters, from the environment:
#   LAB_NAME           lab            names the bridge and the cluster; several labs can run side by side
#   LAB_BATCH          slurm          slurm or gridengine
#   LAB_CLOUD          command        command: nodes share this machine's files; vcp: nodes from an image, through the SDK
#   IMAGE_CACHE        /var/tmp/hybrid-cloud-images   where images are kept (vcp)
#   LAB_DIR            /var/tmp/hybrid-cloud-lab (for another name: /var/tmp/hybrid-cloud-NAME)
#   LAB_NET            10.77.0        the /24 of bridge (.1) and nodes (.101 ...)
#   LAB_HOSTS          4              c1 ... cN
#   LAB_CPUS           2              CPUs of each node
#   LAB_BOOT_TIME      5              seconds from the request to the start of a node's daemons
#   LAB_PORT_BASE      20710          the batch server's port; the next one is its nodes'
#   LAB_SLURMD_TIMEOUT 30             seconds until a silent node is down (gridengine: unreachable)
#   LAB_CRED_EXPIRE    120            seconds until a job whose node failed may start again, and a launch must have arrived
#   LAB_JOB_SUBMIT                    a job_submit.lua to be used
#   LAB_SLURM_EXTRA                   more lines for slurm.conf
#   LAB_OWNER                         a word of the caller's; down.sh with another word leaves this lab alone
set -eu
. "$(dirname -- "$0")/place.sh"
. "$(dirname -- "$0")/process.sh"
parameters

# Marked, so that `down` also ends an up.sh whose caller was killed and that would go on building. Not while it calls
# down.sh itself.
if [ "${HYBRID_CLOUD_LAB_UP:-}" != "$LAB_DIR" ]; then exec env "HYBRID_CLOUD_LAB_UP=$LAB_DIR" sh "$0" "$@"; fi

MEMORY_MIB=512

main() {
  check_machine
  make_place
  trap 'failed' EXIT
  make_bridge
  program "$LAB_DIR/cloud" cloud.sh
  write_hosts
  site_config
  batch_up
  site_up
  trap - EXIT
  say "up in $LAB_DIR: $(batch_said) with c1-c$LAB_HOSTS, no node yet"
}

failed() {
  warn "this did not work; what was begun is taken down again"
  tail -n 3 "$LAB_DIR"/log/*.log 2>/dev/null | sed 's/^/lab:   /' >&2 || :
  LAB_DIR=$LAB_DIR LAB_NAME=$LAB_NAME sh "$SCRIPTS/down.sh" >&2 || :
}

check_machine() {
  [ "$(id -u)" = 0 ] || die "the lab makes network namespaces: it needs root (sudo ./hybrid-cloud lab)"
  for program in $(batch_programs) $(site_needs) sshd ip unshare flock setsid; do
    program=${program%%:*}
    command -v "$program" >/dev/null || die "$program is not installed: run $SCRIPTS/install.sh first"
  done
  words=$(unshare --net --uts --pid --mount --fork true 2>&1) ||
    die "no namespaces here ($words): a container needs --privileged (CAP_SYS_ADMIN and CAP_NET_ADMIN)"
  if ours "$LAB_DIR" && batch_running; then
    die "a lab is already up in $LAB_DIR: ./hybrid-cloud lab down ends it"
  fi
  if [ -e "$LAB_DIR" ] || [ -L "$LAB_DIR" ]; then
    ours "$LAB_DIR" || remains "$LAB_DIR" || die "$LAB_DIR exists and is no lab of ours"
  fi
  # What a killed lab left behind goes first.
  if [ -e "$LAB_DIR" ] || ip link show "$BRIDGE" >/dev/null 2>&1; then sh "$SCRIPTS/down.sh"; fi
  if ip -o -4 addr show | grep -qF " $LAB_NET."; then
    die "the network $LAB_NET.0/24 is in use on this machine: choose another, e.g. LAB_NET=10.91.7"
  fi
}

make_place() {
  mkdir -p "$(dirname -- "$LAB_DIR")"
  mkdir "$LAB_DIR" # fails when somebody else was quicker
  put "$LAB_DIR/lab.env" "LAB_DIR='$LAB_DIR' LAB_NAME='$LAB_NAME' LAB_NET='$LAB_NET' LAB_HOSTS='$LAB_HOSTS' \
LAB_BOOT_TIME='$LAB_BOOT_TIME' LAB_CPUS='$LAB_CPUS' LAB_PORT_BASE='$LAB_PORT_BASE' LAB_SLURMD_TIMEOUT='$LAB_SLURMD_TIMEOUT' \
LAB_OWNER='$LAB_OWNER' LAB_BATCH='$LAB_BATCH' LAB_CLOUD='$LAB_CLOUD' IMAGE_CACHE='$IMAGE_CACHE'"
  cd "$LAB_DIR"
  mkdir -m 755 log node machines faults config run export
  mkdir -m 700 state
  # The on-premises file server. Nodes that mounted it can read the marker; others cannot.
  mkdir -m 1777 export/results
  put export/marker "the on-premises files of $LAB_NAME $(od -An -N8 -tx1 /dev/urandom | tr -d ' ')"
}

make_bridge() {
  ip link add "$BRIDGE" type bridge || die "this kernel makes no bridge"
  # An own address: without one the bridge takes the lowest of its members', and changes it whenever a node comes or goes.
  ip link set "$BRIDGE" address "$(hardware_address 1)"
  ip addr add "$LAB_NET.1/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
}

# The service hands its children no environment, so the place is written into a program. $1 the file, $2 our script
program() {
  put "$1" "#!/bin/sh
exec env '$MARK' sh '$(printf '%s' "$SCRIPTS" | sed "s/'/'\\\\''/g")/$2' \"\$@\""
  chmod 755 "$1"
}

write_hosts() {
  {
    echo '{'
    for n in $(seq "$LAB_HOSTS"); do
      [ "$n" = "$LAB_HOSTS" ] && end='' || end=,
      echo "  \"$LAB_NET.$((100 + n))\": \"c$n\"$end"
    done
    echo '}'
  } >"$LAB_DIR/config/hosts.json"
}

main
