# Runs on the cloud node, as root, under any POSIX sh (dash, busybox). It proves host name and address, mounts the
# shared file system and proves the mount. Safe to run again: on a prepared node it only proves.
#
# The values hc_mark hc_name hc_ip hc_source hc_dir hc_type hc_options hc_tries hc_watcher hc_watcher_dir are set in front
# of this text, quoted.
# Result lines begin with $hc_mark, so that a banner or a chatty login file does no harm:
#   $hc_mark OK text | $hc_mark FAIL kind text | $hc_mark TRY text
#
# All of it is one function, called in the last line: a connection lost half way through runs nothing, and no command
# can read the rest of the script from standard input.

hc_main() {
  PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  LC_ALL=C
  export PATH LC_ALL
  hc_prove_name
  hc_prove_address
  hc_mount
  hc_prove_readable
  hc_watch
  hc_say OK "$hc_seen_type of $hc_seen_source on $hc_dir"
}

# A line break in front: output of others may have left its line open.
hc_say() {
  printf '\n%s %s\n' "$hc_mark" "$*"
}

hc_fail() {
  hc_say FAIL "$@"
  exit 1
}

# within SECONDS COMMAND...: bounded where the node can do it; an NFS server that does not answer hangs a command for
# ever. Old busybox wants "-t".
hc_within() {
  hc_limit=$1
  shift
  if timeout 5 true 2>/dev/null; then
    timeout "$hc_limit" "$@"
  elif timeout -t 5 true 2>/dev/null; then
    timeout -t "$hc_limit" "$@"
  else
    "$@"
  fi
}

# The short or the full name, on either side.
hc_prove_name() {
  hc_own=$(uname -n)
  case $hc_own in
    "$hc_name" | "${hc_name%%.*}") return ;;
  esac
  [ "${hc_own%%.*}" = "$hc_name" ] && return
  hc_fail identity "the machine calls itself $hc_own, not $hc_name"
}

# Without ip and hostname -I, the address this connection came in on is the proof.
hc_prove_address() {
  if hc_all=$(ip -o addr show 2>/dev/null) && [ -n "$hc_all" ]; then
    case $hc_all in
      *" inet $hc_ip/"* | *" inet $hc_ip "* | *" inet6 $hc_ip/"* | *" inet6 $hc_ip "*) return ;;
    esac
  elif hc_all=$(hostname -I 2>/dev/null) && [ -n "$hc_all" ]; then
    case " $hc_all " in
      *" $hc_ip "*) return ;;
    esac
  else
    hc_all=$(printf '%s' "${SSH_CONNECTION:-}" | cut -d ' ' -f 3)
    [ "$hc_all" = "$hc_ip" ] && return
  fi
  hc_fail identity "the machine does not have the address $hc_ip"
}

hc_mount() {
  hc_text=
  hc_try=0
  hc_pause=1
  # The name as it stands first: when the mount is there already, nothing has to look inside a file system that may hang.
  if ! hc_look; then
    hc_text=$(mkdir -p -- "$hc_dir" 2>&1) || hc_fail mount "$hc_dir cannot be made: $(hc_line "$hc_text")"
    # Symbolic links are resolved: the kernel lists mounts by their real place.
    hc_real=$(hc_within 20 sh -c 'cd -P -- "$1" && pwd -P' sh "$hc_dir") && hc_dir=$hc_real
  fi
  until hc_look; do
    if [ "$hc_try" -ge "$hc_tries" ]; then
      hc_fail mount "$hc_source cannot be mounted on $hc_dir (tried $hc_try times): $hc_text"
    fi
    if [ "$hc_try" -gt 0 ]; then
      sleep "$hc_pause"
      hc_pause=$((hc_pause * 2))
    fi
    hc_try=$((hc_try + 1))
    if hc_text=$(hc_mount_once 2>&1); then
      hc_text='mount says it is done, but the kernel does not list it'
    else
      hc_code=$?
      hc_text=$(hc_line "$hc_text")
      case $hc_code in
        124 | 143) hc_text="mount gave no answer within 20 s${hc_text:+: $hc_text}" ;;
        *) hc_text=${hc_text:-mount ended with $hc_code} ;;
      esac
      hc_say TRY "$hc_source cannot be mounted yet: $hc_text"
    fi
  done
  hc_same_source || hc_fail mount "$hc_dir holds something else: $hc_seen_type of $hc_seen_source, not $hc_source"
}

hc_mount_once() {
  case $hc_type in
    bind) hc_within 20 mount -o "bind${hc_options:+,$hc_options}" -- "$hc_source" "$hc_dir" ;;
    *)
      hc_rpcbind
      if [ -n "$hc_options" ]; then
        hc_within 20 mount -t "$hc_type" -o "$hc_options" -- "$hc_source" "$hc_dir"
      else
        hc_within 20 mount -t "$hc_type" -- "$hc_source" "$hc_dir"
      fi
      ;;
  esac
}

# NFS up to version 3 needs rpcbind for its locks. In a container nothing may have started it.
hc_rpcbind() {
  [ "$hc_type" = nfs ] || return 0
  case ",$hc_options," in
    *,vers=4* | *,nfsvers=4*) return 0 ;;
  esac
  command -v rpcbind >/dev/null 2>&1 || return 0
  hc_within 5 rpcinfo -p 127.0.0.1 >/dev/null 2>&1 && return 0
  rpcbind >/dev/null 2>&1 </dev/null || return 0
}

# The mount on $hc_dir by the kernel's own list; of several on top of each other, the last. True when there is one.
# A line: id parent device root PLACE options [tags...] - TYPE SOURCE options
hc_look() {
  hc_found=no
  while read -r hc_1 hc_2 hc_3 hc_4 hc_place hc_5 hc_rest; do
    hc_plain "$hc_place"
    [ "$hc_text_plain" = "$hc_dir" ] || continue
    hc_found=yes
    hc_rest=${hc_rest#*- }
    hc_seen_type=${hc_rest%% *}
    hc_rest=${hc_rest#* }
    hc_plain "${hc_rest%% *}"
    hc_seen_source=$hc_text_plain
  done </proc/self/mountinfo
  [ "$hc_found" = yes ]
}

# Blanks and the like are written as octal numbers there. The backslash itself comes last, or it would be read twice.
hc_plain() {
  hc_text_plain=$1
  case $1 in
    *\\*) hc_text_plain=$(printf '%s\n' "$1" | sed 's/\\040/ /g; s/\\043/#/g; s/\\134/\\/g') ;;
  esac
}

hc_same_source() {
  if [ "$hc_type" = bind ]; then
    hc_within 20 sh -c '[ "$1" -ef "$2" ]' sh "$hc_source" "$hc_dir"
  else
    [ "$(hc_slashes "$hc_seen_source")" = "$(hc_slashes "$hc_source")" ]
  fi
}

# server:/a//b/ and server:/a/b are the same place.
hc_slashes() {
  printf '%s\n' "$1" | sed 's,//*,/,g; s,\(.\)/$,\1,'
}

# Root may be nobody there (root_squash): a server that says so has answered.
hc_prove_readable() {
  hc_text=$(hc_within 20 ls -- "$hc_dir" 2>&1 >/dev/null) && return
  case $hc_text in
    *"Permission denied"*) return ;;
  esac
  hc_fail mount "$hc_dir is mounted but cannot be read: $(hc_line "${hc_text:-no answer}")"
}

# DEAD_MAN_TIME: the watcher that stops a machine nobody keeps any more. One that runs already finds its number gone.
hc_watch() {
  [ -n "${hc_watcher:-}" ] || return 0
  hc_text=$( (umask 077 && mkdir -p -- "$hc_watcher_dir" && printf '%s' "$hc_watcher" >"$hc_watcher_dir/dead-man") 2>&1) ||
    hc_fail command "the dead-man switch cannot be put on the node: $(hc_line "$hc_text")"
  (
    cd "$hc_watcher_dir" || exit
    trap '' HUP
    command -v setsid >/dev/null 2>&1 && set -- setsid
    "$@" sh -c 'echo $$ >watcher && exec sh dead-man' </dev/null >/dev/null 2>&1 &
  )
}

hc_line() {
  printf '%s' "$1" | tr '\n\r\t' '   ' | cut -c 1-300
}

hc_main </dev/null
