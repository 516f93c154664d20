#!/bin/sh
# The lab's cloud: `cloud.sh list|create|delete`, JSON on standard input and output, as CLOUD=command speaks it.
# A machine is a directory under $LAB_DIR/machines/ID/ and the namespaces that node.sh makes for it.
#
# It fails on command, for tests. A file of these names in $LAB_DIR/faults/ switches a fault on; its words may be an
# error kind, a host name (only that host), a number of seconds, and as the last word `once` (it then goes away when it
# has been used):
#   list-error [kind]    list-hang    list-slow SECONDS    list-empty    list-garbled
#   create-error [kind] [host]        create-hang          create-slow SECONDS
#   create-lost          the machines are made, the answer is `ambiguous`
#   delete-error [kind] [host]        delete-hang          delete-slow SECONDS
#   boot-time SECONDS    boot-never [host]    boot-fail [host]    stop-time SECONDS    (see node.sh)
#   no-sshd [host]       no-slurmd [host]     wrong-hostname [host]     (not with LAB_CLOUD=vcp: the image decides)
set -eu
. "$(dirname -- "$0")/place.sh"
. "$(dirname -- "$0")/process.sh"
. "$(dirname -- "$0")/faults.sh"
if [ -n "${HYBRID_CLOUD_LAB:-}" ]; then LAB_DIR=$HYBRID_CLOUD_LAB; fi
parameters
MACHINES=$LAB_DIR/machines
IDS='[A-Za-z0-9._:-]+' # what hosts, addresses, leases and ids are made of: it needs no quoting in JSON or in a file name

main() {
  ours "$LAB_DIR" || refuse config "there is no lab in $LAB_DIR"
  case ${1:-} in list | create | delete) ;; *) refuse config "usage: cloud list|create|delete" ;; esac
  request=$(awk -f "$SCRIPTS/json.awk" 2>&1) || refuse config "$request"
  if fault "$1-hang"; then exec sleep 86400; fi
  if fault "$1-slow"; then sleep "$fault_seconds"; fi
  if fault "$1-error"; then refuse "$fault_kind" "the lab's $1 fails on command"; fi
  exec 9>"$LAB_DIR/cloud.lock"
  flock -w 20 9 || refuse temporary "the lab's cloud is busy"
  "$1"
}

# The whole call fails. The kinds are the closed set of the port.
refuse() {
  printf '{"error":{"kind":"%s","message":"%s"}}\n' "$1" "$(printf '%s' "$2" | tr '\n\t' '  ' | tr -d '"\\')"
  exit 1
}

list() {
  if fault list-empty; then
    echo '{"machines":[]}'
    exit 0
  fi
  if fault list-garbled; then
    printf '{"machines":[{"id":"vm'
    exit 0
  fi
  settle
  separator=''
  printf '{"machines":['
  for machine in "$MACHINES"/*/; do
    [ -d "$machine" ] && read_machine "$machine" || continue
    printf '%s{"id":"%s","hostname":"%s","ip":"%s","state":"%s","lease":"%s","since":"%s","message":"%s"}' \
      "$separator" "$id" "$hostname" "$ip" "$state" "$lease" "$since" "$message"
    separator=,
  done
  printf ']}\n'
}

create() {
  results=''
  hosts=$(printf '%s\n' "$request" | awk -F '\t' '
    /^hosts\.[0-9]+\./ { split($1, key, "."); field[key[2], key[3]] = $2; if (key[2] + 1 > n) n = key[2] + 1 }
    END { for (i = 0; i < n; i++) print field[i, "hostname"] " " field[i, "ip"] " " field[i, "lease"] " -" }')
  while read -r hostname ip lease rest; do
    [ -n "$hostname" ] || continue
    if [ "$rest" != - ] || ! good "$hostname $ip $lease"; then
      result "$hostname" config "hostname, ip and lease are needed, of letters, digits and . _ : -"
    elif fault create-error "$hostname"; then
      result "$hostname" "$fault_kind" "the lab does not create $hostname on command"
    else
      create_one
    fi
  done <<END
$hosts
END
  if fault create-lost; then refuse ambiguous "the lab lost the answer on command: the machines are being made"; fi
  printf '{"results":[%s]}\n' "$results"
}

# One machine for one lease, however often it is asked for; one machine for one address.
create_one() {
  wanted_host=$hostname wanted_ip=$ip wanted_lease=$lease
  for machine in "$MACHINES"/*/; do
    [ -d "$machine" ] && read_machine "$machine" || continue
    if [ "$lease" = "$wanted_lease" ]; then
      # A call that was killed may have noted the machine and not started it.
      if [ "$state" = starting ] && ! alive "$machine/boot" >/dev/null; then boot "$id"; fi
      result "$wanted_host" '' "$id"
      return
    fi
    if [ "$ip" = "$wanted_ip" ] || [ "$hostname" = "$wanted_host" ]; then
      result "$wanted_host" ip-in-use "$wanted_ip is in use by $hostname ($id, lease $lease)"
      return
    fi
  done
  case $wanted_ip in
    "$LAB_NET".*) ;;
    *)
      result "$wanted_host" config "$wanted_ip is not in this cloud's network $LAB_NET.0/24"
      return
      ;;
  esac
  { read -r count <"$LAB_DIR/cloud.count"; } 2>/dev/null || count=0
  count=$((count + 1))
  put "$LAB_DIR/cloud.count" "$count"
  id=vm-$count
  new=$MACHINES/.$id
  mkdir "$new"
  put "$new/hostname" "$wanted_host"
  put "$new/ip" "$wanted_ip"
  put "$new/lease" "$wanted_lease"
  put "$new/since" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  put "$new/state" starting
  mv "$new" "$MACHINES/$id" # complete or not there at all
  account create "$id" "$wanted_host" "$wanted_lease"
  boot "$id"
  result "$wanted_host" '' "$id"
}

boot() {
  start_node "$1" boot "$MACHINES/$1/boot"
}

# Runs node.sh beside us, with nothing of ours open: whoever waits for our output must not wait for the machine.
# $1 id, $2 what, $3 file for the pid
start_node() {
  read -r node_host <"$MACHINES/$1/hostname"
  env -i "PATH=$PATH" LANG=C.UTF-8 "$MARK" "HYBRID_CLOUD_LAB_MACHINE=$LAB_DIR:$1" \
    setsid sh "$SCRIPTS/node.sh" "$2" "$1" </dev/null >>"$LAB_DIR/log/node-$node_host.log" 2>&1 9>&- &
  remember "$3" $!
}

delete() {
  results=''
  ids=$(printf '%s\n' "$request" | awk -F '\t' '/^machines\.[0-9]+\.id\t/ { print $2 }')
  for id in $ids; do
    good "$id" || refuse config "an id that cannot be ours"
    machine=$MACHINES/$id
    if [ -d "$machine" ] && read_machine "$machine"; then
      if fault delete-error "$hostname"; then
        results="$results${results:+,}{\"id\":\"$id\",\"error\":{\"kind\":\"$fault_kind\",\"message\":\"the lab does not delete $hostname on command\"}}"
        continue
      fi
      if [ "$state" != stopping ]; then
        put "$machine/state" stopping
        account delete "$id" "$hostname" "$lease"
      fi
      if ! alive "$machine/stop" >/dev/null; then start_node "$id" stop "$machine/stop"; fi
    fi
    results="$results${results:+,}{\"id\":\"$id\"}"
  done
  printf '{"results":[%s]}\n' "$results"
}

# What somebody killed half way is carried on: a stop without its process, a machine whose processes are gone.
settle() {
  for machine in "$MACHINES"/*/; do
    [ -d "$machine" ] && read_machine "$machine" || continue
    if [ "$state" = stopping ] && ! alive "$machine/stop" >/dev/null; then
      start_node "$id" stop "$machine/stop"
    elif [ "$state" = running ] && ! alive "$machine/init" >/dev/null; then
      put "$machine/message" 'its processes ended'
      put "$machine/state" failed
      account failed "$id" "$hostname" "$lease"
    fi
  done
}

# Sets id, hostname, ip, lease, since, state, message. Fails when the machine has just gone (node.sh stop asks nobody).
read_machine() {
  id=${1%/} message=''
  id=${id##*/}
  {
    read -r hostname <"$1/hostname" && read -r ip <"$1/ip" && read -r lease <"$1/lease" && read -r since <"$1/since" &&
      read -r state <"$1/state"
  } 2>/dev/null || return 1
  { read -r message <"$1/message"; } 2>/dev/null || :
}

good() {
  for word in $1; do printf '%s' "$word" | grep -Eqx "$IDS" || return 1; done
}

# $1 host, $2 error kind or nothing, $3 message or id
result() {
  if [ -z "$2" ]; then
    one="{\"hostname\":\"$1\",\"id\":\"$3\"}"
  else
    one="{\"hostname\":\"$(printf '%s' "$1" | tr -dc 'A-Za-z0-9._:-')\",\"error\":{\"kind\":\"$2\",\"message\":\"$3\"}}"
  fi
  results="$results${results:+,}$one"
}

main "$@"
