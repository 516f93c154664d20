#!/bin/sh
# What a VC controller does for one VC node: `vc-node.sh start` asks the cloud behind it (../cloud.sh) for a machine and
# ends when its container runs; `stop` has it deleted and ends when it is gone. JSON about the node on standard input,
# as the emulated SDK gives it: unit, ip, hostname, image, params_e, add_host.
set -eu
. "$(dirname -- "$0")/../place.sh"
. "$(dirname -- "$0")/../process.sh"
LAB_DIR=$HYBRID_CLOUD_LAB
parameters
about=$(awk -f "$SCRIPTS/json.awk")

main() {
  unit=$(told unit) ip=$(told ip) name=$(told hostname)
  # The service's lease stands in the unit's name, hc-HOST-LEASE.
  lease=$unit
  case $unit in hc-?*-????????????) lease=hc-${unit##*-} ;; esac
  fits unit "$unit" '[A-Za-z0-9._-]+' 'letters, digits, ".", "_", "-"'
  node=$VCP/nodes/$lease
  "$1"
}

told() { printf '%s\n' "$about" | awk -F '\t' -v key="$1" '$1 == key { print $2; exit }'; }
all() { printf '%s\n' "$about" | awk -F '\t' -v key="$1." 'index($1, key) == 1 { print $2 }'; }

start() {
  image=$(told image)
  find_image "$image" || die "$unit: the registry has no image $image"
  exec 9>"$VCP/nodes/$lease.lock"
  flock 9
  # Deleted before it was begun.
  if [ -e "$VCP/nodes/$lease.stop" ]; then exit 1; fi
  (umask 077 && mkdir -p "$node" && { cat "$its_env" && echo "PRIVATE_IP=$ip" && all params_e; } >"$node/env")
  echo "$root" >"$node/root"
  { echo "127.0.0.1 localhost" && all add_host | sed 's/^\([^:]*\):\(.*\)/\2 \1/'; } >"$node/hosts"
  answer=$(printf '{"hosts":[{"hostname":"%s","ip":"%s","lease":"%s"}]}' "$name" "$ip" "$lease" | "$LAB_DIR/cloud" create 9>&-) ||
    die "$unit: $answer"
  id=$(printf '%s' "$answer" | awk -f "$SCRIPTS/json.awk" | awk -F '\t' '$1 == "results.0.id" { print $2 }')
  [ -n "$id" ] || die "$unit: $answer"
  exec 9>&-
  while { read -r state <"$LAB_DIR/machines/$id/state"; } 2>/dev/null; do
    case $state in
      starting) sleep 0.2 ;;
      running) exit 0 ;;
      *) break ;;
    esac
  done
  die "$unit: the machine $id is ${state:-gone}"
}

# Not before a start that is under way has asked the cloud; a later one asks no more.
stop() {
  exec 9>"$VCP/nodes/$lease.lock"
  flock 9
  : >"$VCP/nodes/$lease.stop"
  while id=$(machine_of "$lease") && [ -n "$id" ]; do
    printf '{"machines":[{"id":"%s","hostname":"%s","ip":"%s"}]}' "$id" "$name" "$ip" | "$LAB_DIR/cloud" delete 9>&- >&2 || :
    # It goes on by itself; a call that failed is made again.
    for _ in $(seq 50); do
      if [ ! -d "$LAB_DIR/machines/$id" ]; then break; fi
      sleep 0.2
    done
  done
  rm -rf "$node"
}

machine_of() {
  for file in "$LAB_DIR"/machines/*/lease; do
    if { read -r its <"$file"; } 2>/dev/null && [ "$its" = "$1" ]; then
      file=${file%/lease}
      printf '%s' "${file##*/}"
    fi
  done
}

main "$1"
