#!/bin/sh
# Removes what install.sh installed. Configuration and journal stay: the journal knows which cloud machines are ours.
#
#   sudo /opt/hybrid-cloud/packaging/uninstall.sh     (PREFIX and DESTDIR as for install.sh)
set -eu

PREFIX=${PREFIX:-/opt/hybrid-cloud}
DESTDIR=${DESTDIR:-}

say() { printf '%s\n' "$*"; }
stop() {
  printf 'uninstall: %s\n' "$*" >&2
  exit 1
}

# A function, read whole before it runs: this file removes itself.
main() {
  target=$DESTDIR$PREFIX
  unit=$DESTDIR/etc/systemd/system/hybrid-cloud.service
  link=$DESTDIR/usr/local/bin/hybrid-cloud
  [ -n "$DESTDIR" ] || [ "$(id -u)" = 0 ] || stop "this needs root. Type: sudo $0"
  [ -f "$target/src/main.ts" ] || stop "there is no Hybrid Cloud Service in $target (set PREFIX)"
  if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && systemctl is-active --quiet hybrid-cloud; then
    stop 'the service is running. First: hybrid-cloud cleanup (takes all cloud nodes away), then: systemctl disable --now hybrid-cloud'
  fi

  if [ -e "$unit" ] && grep -q '^# Hybrid Cloud Service\. ' "$unit"; then
    if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then systemctl disable --quiet hybrid-cloud; fi
    rm -f "$unit"
    if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  fi
  if [ "$(readlink -- "$link" || :)" = "$PREFIX/hybrid-cloud" ]; then rm -f "$link"; fi
  rm -rf "$target"
  say "removed $target, its unit and its command"
  say "kept: $DESTDIR/etc/hybrid-cloud and $DESTDIR/var/lib/hybrid-cloud"
  say 'Remove those by hand when no cloud machine is left (look at your cloud): the journal there knows which are ours.'
  # A right that nobody uses any more is still a right.
  for rest in /etc/sudoers.d/hybrid-cloud /etc/sysusers.d/hybrid-cloud.conf /etc/systemd/system/hybrid-cloud.service.d; do
    if [ -e "$DESTDIR$rest" ]; then say "also kept: $DESTDIR$rest (an administrator put it there)"; fi
  done
  exit 0
}

main "$@"
