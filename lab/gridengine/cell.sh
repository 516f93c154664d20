#!/bin/sh
# One Grid Engine cell in a directory of its own, from the distribution's packages; nothing of the machine's own cell is
# touched. Used by the lab and by the tests.
#
#   cell.sh make       everything the qmaster needs, and $CELL_DIR/head
#   cell.sh configure  once it answers: attributes, parallel environments, hosts, queue
#
# $CELL_DIR/head COMMAND... runs a command as on the head node: with this cell in the environment, and with the names of
# the nodes known. The qmaster's own name is this machine's, as Grid Engine wants it.
#
# Parameters, from the environment:
#   CELL_DIR          a directory that does not exist
#   CELL_NET          the /24 of head (.1) and nodes, like 10.84.1
#   CELL_FIRST        last number of the first node's address
#   CELL_HOSTS        c1 ... cN
#   CELL_PORT         sge_qmaster's port; the next one is sge_execd's
#   CELL_SLOTS        slots of each node
#   CELL_MEMORY_MIB   memory of each node, which jobs ask for with -l mem=
#   CELL_REPORT       seconds between two reports of a node
#   CELL_UNHEARD      seconds until a silent node is unreachable
#   CELL_SPOOL        where a node's daemon keeps its files; default $CELL_DIR/execd
set -eu
umask 022
ENGINE=/usr/lib/gridengine
RESOURCES=/usr/share/gridengine/util/resources
HEAD=$(uname -n)
CONF=$CELL_DIR/conf

make() {
  mkdir -m 755 "$CELL_DIR"
  cd "$CELL_DIR"
  mkdir -p root/default/common spool qmaster/job_scripts execd conf
  for part in bin lib util utilbin; do ln -s "/var/lib/gridengine/$part" "root/$part"; done
  cat >env <<END
SGE_ROOT=$CELL_DIR/root SGE_CELL=default SGE_QMASTER_PORT=$CELL_PORT SGE_EXECD_PORT=$((CELL_PORT + 1)) SGE_ND=1
export SGE_ROOT SGE_CELL SGE_QMASTER_PORT SGE_EXECD_PORT SGE_ND
END
  {
    echo "127.0.0.1 localhost"
    echo "$CELL_NET.1 $HEAD"
    for n in $(seq "$CELL_HOSTS"); do echo "$CELL_NET.$((CELL_FIRST + n - 1)) c$n"; done
  } >hosts
  cat >head <<END
#!/bin/sh
. '$CELL_DIR/env'
exec unshare --mount sh -c 'mount --bind "\$0" /etc/hosts && exec "\$@"' '$CELL_DIR/hosts' "\$@"
END
  chmod 755 head
  cat >root/default/common/bootstrap <<END
admin_user none
default_domain none
ignore_fqdn true
spooling_method berkeleydb
spooling_lib libspoolb
spooling_params $CELL_DIR/spool
binary_path $ENGINE
qmaster_spool_dir $CELL_DIR/qmaster
security_mode none
listener_threads 2
worker_threads 2
scheduler_threads 1
END
  echo "$HEAD" >root/default/common/act_qmaster
  write_global
  ./head "$ENGINE/spoolinit" berkeleydb libspoolb "$CELL_DIR/spool" init
  ./head "$ENGINE/spooldefaults" configuration "$CONF/global"
  ./head "$ENGINE/spooldefaults" complexes "$RESOURCES/centry"
  ./head "$ENGINE/spooldefaults" usersets "$RESOURCES/usersets"
  ./head "$ENGINE/spooldefaults" managers root
  ./head "$ENGINE/spooldefaults" adminhosts "$HEAD"
}

# As installed, with short times, no mail, and root's jobs allowed: there is no other user here.
write_global() {
  sed -e "s#^\(execd_spool_dir\) .*#\1 ${CELL_SPOOL:-$CELL_DIR/execd}#" \
    -e 's#^\(min_[ug]id\) .*#\1 0#' \
    -e 's#^\(mailer\) .*#\1 /bin/true#' \
    -e 's#^\(administrator_mail\) .*#\1 none#' \
    -e 's#^\(reporting_params\) .*#\1 accounting=true reporting=false flush_time=00:00:01 joblog=false sharelog=00:00:00#' \
    -e "s#^\(load_report_time\) .*#\1 $(clock "$CELL_REPORT")#" \
    -e "s#^\(max_unheard\) .*#\1 $(clock "$CELL_UNHEARD")#" \
    /usr/share/gridengine/default-configuration >"$CONF/global"
}

# Seconds as h:m:s
clock() { printf '%02d:%02d:%02d' $(($1 / 3600)) $(($1 / 60 % 60)) $(($1 % 60)); }

configure() {
  cd "$CELL_DIR"
  hosts=$(for n in $(seq "$CELL_HOSTS"); do printf 'c%s ' "$n"; done)
  # What the service needs of an administrator: the attribute that holds its note. What a site has: one that counts
  # memory, and one for jobs that want a host alone.
  say -sc >conf/complex
  cat >>conf/complex <<END
hybrid_cloud hybrid_cloud STRING == NO NO NONE 0
mem mem MEMORY <= YES YES 0 0
exclusive excl BOOL EXCL YES YES 0 1000
END
  say -Mc conf/complex
  # A job starts a second after it could, not at the next 15.
  say -ssconf | sed -e 's/^schedule_interval .*/schedule_interval 0:0:2/' -e 's/^flush_submit_sec .*/flush_submit_sec 1/' \
    -e 's/^flush_finish_sec .*/flush_finish_sec 1/' -e 's/^schedd_job_info .*/schedd_job_info true/' >conf/scheduler
  say -Msconf conf/scheduler
  environment smp '$pe_slots'
  environment mpi '$fill_up'
  environment rr '$round_robin'
  for slots in 1 2 4; do environment "node$slots" "$slots"; done
  # A member of the host group is an execution host before its daemon runs; its daemon needs it to be an admin host.
  # shellcheck disable=SC2086
  say -ah "$(echo $hosts | tr ' ' ,)"
  say -as "$HEAD"
  printf 'group_name @cloud\nhostlist %s\n' "$hosts" >conf/hosts
  say -Ahgrp conf/hosts
  # shellcheck disable=SC2086
  say -mattr exechost complex_values "mem=${CELL_MEMORY_MIB}M,exclusive=1" $hosts
  say -sq | sed -e 's/^qname .*/qname cloud/' -e 's/^hostlist .*/hostlist @cloud/' -e "s/^slots .*/slots $CELL_SLOTS/" \
    -e 's/^load_thresholds .*/load_thresholds NONE/' -e 's/^shell .*/shell \/bin\/sh/' \
    -e 's/^shell_start_mode .*/shell_start_mode unix_behavior/' \
    -e 's/^pe_list .*/pe_list smp mpi rr node1 node2 node4/' >conf/queue
  say -Aq conf/queue
}

# $1 name, $2 allocation rule
environment() {
  cat >"conf/pe-$1" <<END
pe_name $1
slots 9999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $2
control_slaves TRUE
job_is_first_task FALSE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
END
  say -Ap "conf/pe-$1"
}

# qconf; what it has to say beside an answer is of interest only when it failed
say() {
  ./head qconf "$@" 2>conf/said || {
    cat conf/said >&2
    return 1
  }
}

"$1"
