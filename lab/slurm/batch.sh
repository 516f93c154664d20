# Sourced after place.sh and process.sh: the Slurm of the lab. Every batch system of the lab answers to the same names:
#   batch_needs      program:package pairs         batch_units PACKAGE   its services, which stay off
#   batch_version    what is installed             batch_programs        what must be there
#   batch_prepare    just before its packages are installed
#   batch_up         starts the server; its bridge is there
#   batch_running    is a server of this lab up?   batch_down            ends it
#   batch_node       inside a node: starts its daemon        batch_hosts  inside a node: more lines for /etc/hosts
#   batch_variables  NAME=VALUE words of the environment its commands need
#   batch_config     lines for the service's env file
#   batch_said       what is up, for people

batch_needs() {
  echo slurmctld:slurmctld slurmd:slurmd slurmstepd:slurmd sbatch:slurm-client scontrol:slurm-client \
    squeue:slurm-client srun:slurm-client munged:munge
}

batch_units() {
  case $1 in
    slurmctld | slurmd) echo "$1.service" ;;
    munge) echo munge.service ;;
  esac
}

batch_programs() { echo slurmctld slurmd munged; }
batch_version() { printf '%s' "$(slurmctld -V), $(munged --version | head -n 1 | cut -d ' ' -f 1)"; }
batch_said() { printf '%s' "Slurm on $LAB_NET.1:$LAB_PORT_BASE, partition cloud"; }
batch_running() { alive "$LAB_DIR/slurmctld.pid" >/dev/null; }
batch_variables() { printf '%s' "SLURM_CONF=$LAB_DIR/slurm.conf"; }
batch_config() { echo BATCH_SYSTEM=slurm; }
batch_hosts() { :; }
batch_prepare() { :; }

batch_up() {
  mkdir -m 755 "$LAB_DIR/munge" "$LAB_DIR/ctld"
  start_munge
  write_slurm_conf
  sh "$SCRIPTS/slurmctld.sh" start
}

# slurmctld gets a moment to write its state, so that its last words in the log are no error.
batch_down() {
  if batch_running; then
    note slurmctld
    end_remembered "$LAB_DIR/slurmctld.pid" 30 || :
  fi
  if alive "$LAB_DIR/munge/running" >/dev/null; then
    note munged
    end_remembered "$LAB_DIR/munge/running" 20 || :
  fi
}

batch_node() {
  export SLURM_CONF="$LAB_DIR/slurm.conf"
  slurmd -D -f "$SLURM_CONF" -N "$NODE" &
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

# Slurm as on an ordinary cluster, with short times. SlurmctldHost must be this machine's own name.
write_slurm_conf() {
  host=$(uname -n | cut -d . -f 1)
  {
    cat <<END
ClusterName=$LAB_NAME
SlurmctldHost=$host($LAB_NET.1)
SlurmctldPort=$LAB_PORT_BASE
SlurmdPort=$((LAB_PORT_BASE + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$LAB_DIR/munge/socket,cred_expire=${LAB_CRED_EXPIRE:-120}
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
    site_slurm
    [ -z "$LAB_SLURM_EXTRA" ] || printf '%s\n' "$LAB_SLURM_EXTRA"
  } | sed 's/NodeName=c\[1-1\]/NodeName=c1/; s/\[101-101\]/101/; s/Nodes=c\[1-1\]/Nodes=c1/' >"$LAB_DIR/slurm.conf"
  # slurmd loads a cgroup plugin in any case. The old one does nothing when it is not used; the newer one wants a scope
  # from systemd, which a node here does not have.
  put "$LAB_DIR/cgroup.conf" CgroupPlugin=cgroup/v1
}
