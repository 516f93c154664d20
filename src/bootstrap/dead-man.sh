# The dead-man switch: runs on the cloud node, as root, from its preparing on (DEAD_MAN_TIME), under any POSIX sh. When
# the service has given no sign of life for so long and no job runs here, the machine stops itself: it costs money, and
# nobody is left who would take it away.
#
# The values dm_dir dm_name dm_limit dm_step dm_pause dm_proc dm_stop are set in front of this text, quoted; times in
# seconds. The service writes a new word into $dm_dir/alive each time. No clock is read: steps are counted, so that a
# clock that is set stops nothing.
#
# What it must never do is stop a machine with a job. So: busy is everything that could be one; not busy has to be seen
# three times in a row; then the node is closed and its batch daemon frozen, so that no job can begin, and it is looked
# at once more. Whatever is seen then thaws the daemon again.

dm_main() {
  PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  LC_ALL=C
  export PATH LC_ALL
  cd /
  dm_seen=$(cat "$dm_dir/alive" 2>/dev/null)
  dm_silent=0
  dm_free=0
  while sleep "$dm_step"; do
    # A newer one has taken our place.
    [ "$(cat "$dm_dir/watcher" 2>/dev/null)" = "$$" ] || exit 0
    if dm_greeted; then
      dm_silent=0
      dm_free=0
      continue
    fi
    dm_silent=$((dm_silent + dm_step))
    if dm_busy; then dm_free=0; else dm_free=$((dm_free + 1)); fi
    if [ "$dm_silent" -ge "$dm_limit" ] && [ "$dm_free" -ge 3 ]; then dm_last_look; fi
  done
}

# True when the service has written a new word since.
dm_greeted() {
  dm_now=$(cat "$dm_dir/alive" 2>/dev/null)
  [ "$dm_now" != "$dm_seen" ] || return 1
  dm_seen=$dm_now
}

dm_last_look() {
  # With our mark: when the service comes back, it opens the node again by itself.
  dm_scontrol update "NodeName=$dm_name" State=DRAIN 'Reason=hybrid-cloud: no sign of life of the service' >/dev/null
  dm_frozen=$(dm_daemons)
  for dm_pid in $dm_frozen; do kill -STOP "$dm_pid" 2>/dev/null; done
  sleep "$dm_pause"
  if dm_busy || dm_slurm_sees_a_job || dm_greeted; then
    for dm_pid in $dm_frozen; do kill -CONT "$dm_pid" 2>/dev/null; done
    dm_silent=0
    dm_free=0
    return
  fi
  logger -t hybrid-cloud "no sign of life of the service for $dm_silent s and no job: this machine stops" 2>/dev/null
  sync
  sh -c "$dm_stop"
  exit 0
}

# The second witness, where it can be asked.
dm_slurm_sees_a_job() {
  case $(dm_scontrol -o show node "$dm_name" | sed -n 's/.* State=\([^ ]*\).*/\1/p') in
    *ALLOC* | *MIX* | *COMPLETING*) return 0 ;;
  esac
  return 1
}

dm_scontrol() {
  command -v scontrol >/dev/null 2>&1 || return 0
  if timeout 5 true 2>/dev/null; then timeout 20 scontrol "$@" 2>/dev/null; else scontrol "$@" 2>/dev/null; fi
}

# A job, or a person: a job's own helper process, a child of pbs_mom, or any process of an ordinary user.
dm_busy() {
  for dm_place in "$dm_proc"/[0-9]*; do
    dm_comm=$(cat "$dm_place/comm" 2>/dev/null) || continue
    case $dm_comm in
      slurmstepd*)
        # Slurm keeps one of this name for ever, to hold its control groups.
        tr '\000' ' ' <"$dm_place/cmdline" 2>/dev/null | grep -q 'slurmstepd infinity' || return 0
        ;;
      sge_shepherd* | pbs_demux* | prologue* | epilogue*) return 0 ;;
    esac
    dm_uid=0
    dm_parent=
    while read -r dm_key dm_value dm_rest; do
      case $dm_key in
        Uid:) dm_uid=$dm_value ;;
        PPid:) dm_parent=$dm_value ;;
      esac
    done 2>/dev/null <"$dm_place/status"
    # 61184 to 65534: users that systemd invents for services, and nobody.
    if [ "$dm_uid" -ge 1000 ] && { [ "$dm_uid" -lt 61184 ] || [ "$dm_uid" -gt 65534 ]; }; then return 0; fi
    [ "$(cat "$dm_proc/$dm_parent/comm" 2>/dev/null)" != pbs_mom ] || return 0
  done
  return 1
}

# Process ids of what takes jobs in.
dm_daemons() {
  for dm_place in "$dm_proc"/[0-9]*; do
    case $(cat "$dm_place/comm" 2>/dev/null) in
      slurmd | pbs_mom | sge_execd) printf '%s\n' "${dm_place##*/}" ;;
    esac
  done
}

dm_main
