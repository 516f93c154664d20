#!/bin/sh
# The service itself, run against the lab: `daemon.sh start NODE` (NODE is the Node binary), stop (SIGTERM, as systemd
# does it), kill (SIGKILL, for tests). In its own session: a Ctrl-C in the terminal is not for it. Its words are in
# $LAB_DIR/log/service.log.
set -eu
. "$(dirname -- "$0")/place.sh"
. "$(dirname -- "$0")/process.sh"
parameters
ours "$LAB_DIR" || die "there is no lab in $LAB_DIR"
PID=$LAB_DIR/daemon.pid
LOG=$LAB_DIR/log/service.log

case ${1:-} in
  start)
    if alive "$PID" >/dev/null; then exit 0; fi
    rm -f "$LAB_DIR/run/"*.sock
    # shellcheck disable=SC2046
    start_daemon "$PID" "$LOG" env $(batch_variables) "${2:?the Node binary}" --disable-warning=ExperimentalWarning \
      "$SCRIPTS/../src/main.ts" run --config-dir "$LAB_DIR/config"
    for _ in $(seq 300); do
      if [ -S "$LAB_DIR/run/api.sock" ]; then exit 0; fi
      alive "$PID" >/dev/null || die "the service ended: $(tail -n 3 "$LOG")"
      sleep 0.1
    done
    die "the service did not start within 30 s: $(tail -n 3 "$LOG")"
    ;;
  stop) end_remembered "$PID" 100 || die "the service does not end" ;;
  kill) if pid=$(alive "$PID"); then kill -KILL "$pid"; fi ;;
  *)
    echo "usage: daemon.sh start NODE|stop|kill" >&2
    exit 2
    ;;
esac
