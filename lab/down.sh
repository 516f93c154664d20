#!/bin/sh
# Takes a lab away: nodes, daemons, bridge, directory. Works whatever was killed before, in any state, twice as well.
# Touches nothing that does not carry this lab's mark or name.
set -eu
trap '' INT HUP # a second Ctrl-C must not leave half a lab
. "$(dirname -- "$0")/place.sh"
. "$(dirname -- "$0")/process.sh"
OWNER=${LAB_OWNER:-}
parameters

main() {
  [ "$(id -u)" = 0 ] || die "needs root"
  if [ -e "$LAB_DIR" ] || [ -L "$LAB_DIR" ]; then
    ours "$LAB_DIR" || remains "$LAB_DIR" || die "$LAB_DIR is no lab of ours: left alone"
  fi
  # Whoever says whose lab it means does not take away another that was up before.
  if [ -n "$OWNER" ] && ours "$LAB_DIR" && [ "$OWNER" != "$LAB_OWNER" ]; then return; fi
  removed=''
  if [ -z "${HYBRID_CLOUD_LAB_UP:-}" ]; then end_marked "HYBRID_CLOUD_LAB_UP=$LAB_DIR" || die "an up.sh does not end"; fi
  end_service
  end_nodes
  end_daemons
  remove_network
  remove_directory
  if [ -z "$removed" ]; then say "nothing to take down"; else say "down: removed${removed#,}"; fi
}

note() { removed="$removed, $1"; }

# The service first, so that it asks for no more nodes. It gets time to end by itself. Its ssh calls would outlive it.
end_service() {
  if alive "$LAB_DIR/daemon.pid" >/dev/null; then
    note "the service"
    end_remembered "$LAB_DIR/daemon.pid" 60 || warn "the service does not end"
  fi
  for file in /proc/[0-9]*/cmdline; do
    { tr '\0' '\n' <"$file" | awk -v dir="$LAB_DIR/state/" '
        NR == 1 && $0 !~ /(^|\/)ssh$/ { exit 1 }
        index($0, dir) { found = 1 }
        END { exit !found }'; } 2>/dev/null || continue
    pid=${file#/proc/}
    kill -KILL "${pid%/cmdline}" 2>/dev/null && note "an ssh of the service"
  done
}

end_nodes() {
  for machine in "$LAB_DIR"/machines/*/; do
    [ -d "$machine" ] || continue
    for file in boot init; do
      if pid=$(alive "$machine$file"); then kill -KILL "$pid" 2>/dev/null || :; fi
    done
    note "node $(cat "$machine/hostname" 2>/dev/null || basename "$machine")"
  done
}

# The server in its own order, then everything with the mark.
end_daemons() {
  batch_down
  site_down
  if [ -n "$(marked "$MARK")" ]; then note "processes left over"; fi
  end_marked "$MARK" || die "these processes do not end: $(marked "$MARK" | tr '\n' ' ')"
}

remove_network() {
  for device in $(ip -o link show 2>/dev/null | awk -F '[ :@]+' -v name="$BRIDGE" '$2 == name || $2 ~ "^" name "-c[0-9]+$" { print $2 }'); do
    # A node's device goes away with its namespace, a moment after its last process.
    if ip link del "$device" 2>/dev/null && [ "$device" = "$BRIDGE" ]; then note "bridge $BRIDGE"; fi
  done
}

# lab.env last: as long as it is there, the directory is known as ours.
remove_directory() {
  [ -d "$LAB_DIR" ] || return 0
  if grep -qF " $LAB_DIR/" /proc/self/mountinfo; then
    # There should be none: nodes mount in their own namespace. One made by hand must not lose its files.
    grep -F " $LAB_DIR/" /proc/self/mountinfo | cut -d ' ' -f 5 | sort -r | while read -r point; do
      umount "$point" && say "unmounted $point"
    done
    if grep -qF " $LAB_DIR/" /proc/self/mountinfo; then die "something is mounted below $LAB_DIR: unmount it first"; fi
  fi
  find "$LAB_DIR" -mindepth 1 -maxdepth 1 ! -name lab.env -exec rm -rf --one-file-system {} +
  rm -rf --one-file-system "$LAB_DIR"
  note "$LAB_DIR"
}

main
