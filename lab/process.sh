# Sourced after place.sh: processes of the lab, found and ended without ever touching another's.
#
# A process is known by its pid and its start time together, so that a pid used again by somebody else is not ours. What
# was started but not written down yet (a script killed in between) is found by the mark in its environment.

# The start time of a process in clock ticks since the machine's start; fails when there is no such process.
# The name in /proc/PID/stat may hold blanks and brackets, so the fields are counted from behind the last bracket.
started() {
  { read -r stat_line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- ${stat_line##*) }
  [ "$1" != Z ] && printf '%s' "${20}"
}

# Writes down a process. $1 file, $2 pid
remember() { put "$1" "$2 $(started "$2")"; }

# Prints the pid in the file if that very process still runs.
alive() {
  { read -r alive_pid alive_start <"$1"; } 2>/dev/null || return 1
  [ -n "$alive_start" ] && [ "$(started "$alive_pid")" = "$alive_start" ] && printf '%s' "$alive_pid"
}

# Pids whose environment holds exactly this entry.
marked() { grep -lzxF -- "$1" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n' || :; }

# Ends what carries the mark and waits until it is gone, at most 10 s. Rounds, because what is being ended may start
# one more. Fails when something is still there.
end_marked() {
  rounds=0
  while pids=$(marked "$1") && [ -n "$pids" ]; do
    [ "$rounds" -lt 100 ] || return 1
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || :
    rounds=$((rounds + 1))
    sleep 0.1
  done
}

# Asks the process in the file to end and makes it after $2 tenths of a second.
end_remembered() {
  left=$2
  while pid=$(alive "$1"); do
    if [ "$left" = "$2" ]; then kill -TERM "$pid" 2>/dev/null || :; fi
    if [ "$left" -le 0 ]; then kill -KILL "$pid" 2>/dev/null || :; fi
    [ "$left" -gt -50 ] || return 1
    left=$((left - 1))
    sleep 0.1
  done
  rm -f "$1"
}

# Starts a daemon in its own session, marked, without any of our files open, and writes it down.
# $1 file for the pid, $2 log, then the command
start_daemon() {
  pid_file=$1 log_file=$2
  shift 2
  env -u HYBRID_CLOUD_LAB_UP "$MARK" setsid "$@" </dev/null >>"$log_file" 2>&1 9>&- &
  remember "$pid_file" $!
}
