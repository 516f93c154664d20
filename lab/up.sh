#!/bin/sh
# Brings a lab up: munged, slurmctld, a bridge, a file server's directory and the service's configuration, all of it
# under $LAB_DIR. There are no nodes yet: they come through $LAB_DIR/cloud, the lab's cloud (CLOUD=command).
#
# Parameters, from the environment:
#   LAB_NAME           lab            names the bridge and the cluster; several labs can run side by side
#   LAB_DIR            /var/tmp/hybrid-cloud-lab (for another name: /var/tmp/hybrid-cloud-NAME)
#   LAB_NET            10.77.0        the /24 of bridge (.1) and nodes (.101 ...)
#   LAB_HOSTS          4              c1 ... cN
#   LAB_CPUS           2              CPUs of each node
#   LAB_BOOT_TIME      5              seconds from the request to the start of a node's daemons
#   LAB_PORT_BASE      20710          slurmctld's port; the next one is slurmd's
#   LAB_SLURMD_TIMEOUT 30             seconds until Slurm calls a silent node down
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

HOST=$(uname -n | cut -d . -f 1)
MEMORY_MIB=512

main() {
  check_machine
  make_place
  trap 'failed' EXIT
  start_munge
  make_bridge
  write_slurm_conf
  write_cloud
  write_config
  sh "$SCRIPTS/slurmctld.sh" start
  trap - EXIT
  say "up in $LAB_DIR: Slurm on $LAB_NET.1:$LAB_PORT_BASE, partition cloud with c1-c$LAB_HOSTS, no node yet"
}

failed() {
  warn "this did not work; what was begun is taken down again"
  tail -n 3 "$LAB_DIR"/log/*.log 2>/dev/null | sed 's/^/lab:   /' >&2 || :
  LAB_DIR=$LAB_DIR LAB_NAME=$LAB_NAME sh "$SCRIPTS/down.sh" >&2 || :
}

check_machine() {
  [ "$(id -u)" = 0 ] || die "the lab makes network namespaces: it needs root (sudo ./hybrid-cloud lab)"
  for program in slurmctld slurmd munged sshd ip unshare flock setsid; do
    command -v "$program" >/dev/null || die "$program is not installed: run $SCRIPTS/install.sh first"
  done
  words=$(unshare --net --uts --pid --mount --fork true 2>&1) ||
    die "no namespaces here ($words): a container needs --privileged (CAP_SYS_ADMIN and CAP_NET_ADMIN)"
  if ours "$LAB_DIR" && alive "$LAB_DIR/slurmctld.pid" >/dev/null; then
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
LAB_OWNER='$LAB_OWNER'"
  cd "$LAB_DIR"
  mkdir -m 755 munge ctld log node machines faults config run export
  mkdir -m 700 state
  # The on-premises file server. Nodes that mounted it can read the marker; others cannot.
  mkdir -m 1777 export/results
  put export/marker "the on-premises files of $LAB_NAME $(od -An -N8 -tx1 /dev/urandom | tr -d ' ')"
}

start_munge() {
  dd if=/dev/urandom of="$LAB_DIR/munge/key" bs=128 count=1 2>/dev/null
  chmod 600 "$LAB_DIR/munge/key"
  start_daemon "$LAB_DIR/munge/running" "$LAB_DIR/log/munged.log" munged --foreground --force \
    --key-file="$LAB_DIR/munge/key" --socket="$LAB_DIR/munge/socket" --pid-file="$LAB_DIR/munge/pid" \
    --log-file="$LAB_DIR/log/munged.log" --seed-file="$LAB_DIR/munge/seed"
  for _ in $(seq 100); do
    if [ -S "$LAB_DIR/munge/socket" ] && munge -S "$LAB_DIR/munge/socket" -n >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  die "munged does not answer"
}

make_bridge() {
  ip link add "$BRIDGE" type bridge || die "this kernel makes no bridge"
  # An own address: without one the bridge takes the lowest of its members', and changes it whenever a node comes or goes.
  ip link set "$BRIDGE" address "$(hardware_address 1)"
  ip addr add "$LAB_NET.1/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
}

# Slurm as on an ordinary cluster, with short times. SlurmctldHost must be this machine's own name.
write_slurm_conf() {
  {
    cat <<END
ClusterName=$LAB_NAME
SlurmctldHost=$HOST($LAB_NET.1)
SlurmctldPort=$LAB_PORT_BASE
SlurmdPort=$((LAB_PORT_BASE + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$LAB_DIR/munge/socket
StateSaveLocation=$LAB_DIR/ctld
SlurmctldPidFile=$LAB_DIR/ctld/pid
SlurmctldLogFile=$LAB_DIR/log/slurmctld.log
SlurmdSpoolDir=$LAB_DIR/node/spool-%n
SlurmdPidFile=$LAB_DIR/node/slurmd-%n.pid
SlurmdLogFile=$LAB_DIR/log/slurmd-%n.log
# A node here is a namespace of this machine: no cgroups, and the size written here counts, whatever the machine has.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
SlurmdTimeout=$LAB_SLURMD_TIMEOUT
SlurmctldTimeout=30
MessageTimeout=10
KillWait=5
InactiveLimit=0
MinJobAge=1800
MaxJobCount=50000
MaxArraySize=20001
MailProg=/bin/true
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=5,bf_interval=5
DefMemPerCPU=64
NodeName=c[1-$LAB_HOSTS] NodeAddr=$LAB_NET.[101-$((100 + LAB_HOSTS))] CPUs=$LAB_CPUS RealMemory=$MEMORY_MIB State=UNKNOWN
PartitionName=cloud Nodes=c[1-$LAB_HOSTS] Default=YES DefaultTime=10 MaxTime=INFINITE State=UP
END
    if [ -n "$LAB_JOB_SUBMIT" ]; then
      cp "$LAB_JOB_SUBMIT" "$LAB_DIR/job_submit.lua" || die "LAB_JOB_SUBMIT=$LAB_JOB_SUBMIT cannot be read"
      echo JobSubmitPlugins=lua
    fi
    [ -z "$LAB_SLURM_EXTRA" ] || printf '%s\n' "$LAB_SLURM_EXTRA"
  } | sed 's/NodeName=c\[1-1\]/NodeName=c1/; s/\[101-101\]/101/; s/Nodes=c\[1-1\]/Nodes=c1/' >"$LAB_DIR/slurm.conf"
  # slurmd loads a cgroup plugin in any case. The old one does nothing when it is not used; the newer one wants a scope
  # from systemd, which a node here does not have.
  put "$LAB_DIR/cgroup.conf" CgroupPlugin=cgroup/v1
}

# The program that CLOUD_COMMAND names. The service hands its children no environment, so the place is written into it.
write_cloud() {
  put "$LAB_DIR/cloud" "#!/bin/sh
exec env '$MARK' sh '$(printf '%s' "$SCRIPTS" | sed "s/'/'\\\\''/g")/cloud.sh' \"\$@\""
  chmod 755 "$LAB_DIR/cloud"
}

# What an administrator would write: the specification's env and hosts.json.
write_config() {
  cat >"$LAB_DIR/config/env" <<END
QUEUE_NAME=cloud
BATCH_SYSTEM=slurm
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
