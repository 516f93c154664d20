# Sourced after place.sh and process.sh: the Grid Engine of the lab. ../slurm/batch.sh says what each name is for.
GE=$LAB_DIR/gridengine
ENGINE=/usr/lib/gridengine

batch_needs() {
  echo $ENGINE/sge_qmaster:gridengine-master $ENGINE/sge_execd:gridengine-exec $ENGINE/sge_shepherd:gridengine-exec \
    qstat:gridengine-client qsub:gridengine-client
}

batch_units() {
  case $1 in
    gridengine-master | gridengine-exec) echo "$1.service" ;;
  esac
}

# The packages would make a cell of their own, for a head node; the lab makes its own.
batch_prepare() { echo gridengine-common shared/gridengineconfig boolean false | debconf-set-selections; }

batch_programs() { echo $ENGINE/sge_qmaster $ENGINE/sge_execd qstat; }
batch_version() { printf '%s' "Grid Engine $(dpkg-query -W -f '${Version}' gridengine-master 2>/dev/null || echo here)"; }
batch_said() { printf '%s' "Grid Engine on $LAB_NET.1:$LAB_PORT_BASE, queue cloud"; }
batch_running() { alive "$LAB_DIR/qmaster.pid" >/dev/null; }
batch_config() { printf '%s\n' BATCH_SYSTEM=gridengine "BATCH_RUN_PREFIX=$GE/head"; }

batch_variables() {
  printf '%s' "SGE_ROOT=$GE/root SGE_CELL=default SGE_QMASTER_PORT=$LAB_PORT_BASE SGE_EXECD_PORT=$((LAB_PORT_BASE + 1))"
}

# A node knows the head by the name of this machine, which is the name the qmaster has.
batch_hosts() { echo "$LAB_NET.1 $(cat "$GE/root/default/common/act_qmaster")"; }

batch_up() {
  cell make
  start_daemon "$LAB_DIR/qmaster.pid" "$LAB_DIR/log/qmaster.out.log" "$GE/head" $ENGINE/sge_qmaster
  for _ in $(seq 200); do
    if "$GE/head" qconf -sh >/dev/null 2>&1; then
      cell configure
      return
    fi
    batch_running || die "sge_qmaster ended: $(tail -n 1 "$LAB_DIR/log/qmaster.out.log")"
    sleep 0.1
  done
  die "sge_qmaster does not answer within 20 s; see $GE/qmaster/messages"
}

# Each machine has a disk of its own, and on it the spool directory of its daemon.
cell() {
  CELL_DIR=$GE CELL_NET=$LAB_NET CELL_FIRST=101 CELL_HOSTS=$LAB_HOSTS CELL_PORT=$LAB_PORT_BASE CELL_SLOTS=$LAB_CPUS \
    CELL_MEMORY_MIB=$MEMORY_MIB CELL_REPORT=5 CELL_UNHEARD=$LAB_SLURMD_TIMEOUT CELL_SPOOL=$LAB_DIR/node \
    sh "$SCRIPTS/gridengine/cell.sh" "$1" >>"$LAB_DIR/log/cell.log"
}

batch_down() {
  if batch_running; then
    note sge_qmaster
    end_remembered "$LAB_DIR/qmaster.pid" 100 || :
  fi
}

# Not through $GE/head: what is mounted on the node later must be seen by its jobs.
batch_node() {
  # shellcheck disable=SC2046
  env $(batch_variables) SGE_ND=1 $ENGINE/sge_execd &
}
