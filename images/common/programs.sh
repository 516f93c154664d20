#!/bin/sh
# Build time: `programs.sh NAME.ini...` gives our programs to supervisor. A VCP base brings a supervisor with sshd, Docker,
# Serf, cAdvisor and the NFS server (NFS_AUTOSTART): all of that stays as it is, ours are put beside it. Any other base
# gets the same layout from us: /etc/supervisord.conf that reads /etc/supervisor.d/*.ini, and an sshd.
set -eu
HERE=/usr/local/lib/hybrid-cloud

main() {
  conf=''
  for file in /etc/supervisord.conf /etc/supervisor/supervisord.conf; do
    if [ -z "$conf" ] && [ -f "$file" ]; then conf=$file; fi
  done
  if [ -z "$conf" ]; then
    conf=/etc/supervisord.conf
    cp "$HERE/supervisord.conf" "$conf"
  fi
  read_include
  mkdir -p "$folder"
  for ini in "$@"; do
    name=${ini%.ini}
    if of_base "$name"; then
      [ "$name" = sshd ] || die "the base image has a supervisor program $name of its own: take a base without it"
      continue
    fi
    cp "$HERE/$ini" "$folder/hc-$name$ending"
  done
  printf '%s\n' "$conf" >"$HERE/supervisor"
}

# Where the base's supervisor looks for programs: the first pattern of [include], like /etc/supervisor.d/*.ini
read_include() {
  pattern=$(awk '/^\[/ { on = ($0 ~ /^\[include\]/) } on && sub(/^files[ \t]*=[ \t]*/, "") { print $1; exit }' "$conf")
  folder=${pattern%/*}
  ending=${pattern##*\*}
  case $pattern in
    /*/\**) ;;
    */\**) folder=${conf%/*}/$folder ;;
    *) die "$conf of the base image has no [include] files = FOLDER/*ENDING: our programs cannot be added" ;;
  esac
}

# true when the base has this program. Files of ours from an earlier build do not count.
of_base() {
  grep -qs "^\[program:$1\]" "$conf" && return
  for file in "$folder"/*"$ending"; do
    case $file in "$folder"/hc-*) continue ;; esac
    grep -qs "^\[program:$1\]" "$file" && return
  done
  return 1
}

die() {
  printf '%s\n' "hybrid-cloud image: $*" >&2
  exit 1
}

main "$@"
