#!/bin/sh
# The lab's slurmctld, for tests of what happens when it is away: start, stop, pause (it hangs), resume.
set -eu
. "$(dirname -- "$0")/place.sh"
. "$(dirname -- "$0")/process.sh"
parameters
ours "$LAB_DIR" || die "there is no lab in $LAB_DIR"
export SLURM_CONF="$LAB_DIR/slurm.conf"
PID=$LAB_DIR/slurmctld.pid

case ${1:-} in
  start)
    if alive "$PID" >/dev/null; then exit 0; fi
    start_daemon "$PID" "$LAB_DIR/log/slurmctld.out.log" slurmctld -D -f "$SLURM_CONF"
    for _ in $(seq 200); do
      if scontrol ping 2>/dev/null | grep -q 'is UP'; then exit 0; fi
      alive "$PID" >/dev/null || die "slurmctld ended: $(grep -E 'error|fatal' "$LAB_DIR/log/slurmctld.out.log" | tail -n 1)"
      sleep 0.1
    done
    die "slurmctld does not answer within 20 s; see $LAB_DIR/log/slurmctld.log"
    ;;
  stop) end_remembered "$PID" 100 || die "slurmctld does not end" ;;
  pause) kill -STOP "$(alive "$PID")" ;;
  resume) kill -CONT "$(alive "$PID")" ;;
  *)
    echo "usage: slurmctld.sh start|stop|pause|resume" >&2
    exit 2
    ;;
esac
