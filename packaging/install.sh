#!/bin/sh
# Installs the Hybrid Cloud Service on a head node, or brings an installed one up to date. Starts and enables nothing.
#
#   sudo packaging/install.sh                      to /opt/hybrid-cloud
#   sudo PREFIX=/srv/hybrid-cloud packaging/install.sh
#   DESTDIR=/tmp/root PREPARE=no packaging/install.sh    for packagers: into a folder, without fetching Node and packages
#
# Needs the network once, for npm; or none, when this folder was prepared before (`./hybrid-cloud version`) and is copied.
set -eu

PREFIX=${PREFIX:-/opt/hybrid-cloud}
DESTDIR=${DESTDIR:-}
PREPARE=${PREPARE:-yes}

say() { printf '%s\n' "$*"; }
stop() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

main() {
  source=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
  target=$DESTDIR$PREFIX
  # The path goes into the unit and into a link: no character that systemd or a shell would read.
  case $PREFIX in *[!A-Za-z0-9/._-]* | [!/]*) stop "PREFIX must be an absolute path of letters, digits and ._-: $PREFIX" ;; esac
  case $PREFIX in */ | */../* | */.. | /usr | /opt | /etc | /var | /home | /root | /srv)
    stop "PREFIX must be a folder of its own, without a slash at its end: $PREFIX" ;;
  esac
  [ -n "$DESTDIR" ] || [ "$(id -u)" = 0 ] || stop "this needs root. Type: sudo $0"
  if [ -e "$target" ] && ! [ -f "$target/src/main.ts" ]; then stop "$target is there and is not ours; move it away or set PREFIX"; fi
  umask 022

  if [ "$(readlink -f -- "$target" || :)" = "$source" ]; then prepare "$target"; else copy_tree; fi
  install_unit
  install_config
  mkdir -p "$DESTDIR/usr/local/bin"
  ln -sfn "$PREFIX/hybrid-cloud" "$DESTDIR/usr/local/bin/hybrid-cloud"
  next_steps
}

# The new tree is complete before it takes the place of the old one: a failure leaves what runs as it was.
copy_tree() {
  new=$target.new.$$
  trap 'rm -rf "$new"' EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$new"
  # Not the owners and modes of the clone: what root runs must belong to root and be writable for nobody else.
  (cd "$source" && tar -cf - --exclude=./.git --exclude=./node_modules --exclude=./.runtime .) |
    (cd "$new" && tar -xf - --no-same-owner --no-same-permissions)
  # What was fetched before is not fetched again; the launcher checks whether it still fits.
  for from in "$target" "$source"; do
    [ "$PREPARE" = yes ] || break
    for part in .runtime/node node_modules; do
      if [ -d "$from/$part" ] && ! [ -e "$new/$part" ]; then
        mkdir -p "$(dirname -- "$new/$part")"
        cp -R --preserve=mode,timestamps,links "$from/$part" "$new/$part"
      fi
    done
  done
  chmod -R go-w,a+rX "$new"
  prepare "$new"
  if [ -e "$target" ]; then
    mv "$target" "$target.old.$$"
    mv "$new" "$target"
    rm -rf "$target.old.$$"
  else
    mv "$new" "$target"
  fi
  say "installed in $target"
}

prepare() {
  [ "$PREPARE" = yes ] || return 0
  # The PATH of a service, not that of a login: a Node from nvm would not be there when systemd starts us. npm may be.
  if has_node_24; then own=; else own=1; fi
  HYBRID_CLOUD_OWN_NODE=$own "$1/hybrid-cloud" version >/dev/null || stop 'not installed: see the line above'
}

has_node_24() (
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  command -v node >/dev/null || exit 1
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)' 2>/dev/null
)

install_unit() {
  folder=$DESTDIR/etc/systemd/system
  unit=$folder/hybrid-cloud.service
  mkdir -p "$folder"
  # The specification's own agent has a unit of this name: keep it aside, it may have been adapted.
  if [ -e "$unit" ] && ! grep -q '^# Hybrid Cloud Service\. ' "$unit"; then
    mv "$unit" "$unit.before"
    say "the hybrid-cloud.service that was there is now $unit.before"
  fi
  sed "s#/opt/hybrid-cloud#$PREFIX#g" "$source/packaging/systemd/hybrid-cloud.service" >"$unit.new"
  mv "$unit.new" "$unit"
  if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
}

# Examples only, and none over a file that is there.
install_config() {
  config=$DESTDIR/etc/hybrid-cloud
  mkdir -p "$config"
  for example in "$source"/packaging/config/*.example; do
    [ -e "$example" ] || continue
    [ -e "$config/${example##*/}" ] || cp "$example" "$config/"
  done
}

next_steps() {
  say ''
  if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && systemctl is-active --quiet hybrid-cloud; then
    say 'The service still runs the old version. To change over (nodes and jobs are not touched):'
    say '  systemctl restart hybrid-cloud'
    return
  fi
  say 'Next:'
  say '  cd /etc/hybrid-cloud'
  say '  install -m 600 docker.env.example env          and fill it in'
  say '  cp hosts.json.example hosts.json               and list your cloud nodes'
  say '  hybrid-cloud check                             until every line is ok'
  say '  systemctl enable --now hybrid-cloud'
  say "To be told of submissions at once: $PREFIX/packaging/slurm/job_submit.lua"
}

main "$@"
