#!/bin/sh
# What a VCP controller does with `docker run --privileged`, without a container engine:
# `run-container.sh ROOT NET [SOURCE:PLACE...]` runs /usr/local/sbin/hc-entry on the file system ROOT, with this script's
# environment, as process 1 of new network, UTS, PID and mount namespaces. SOURCE is bound to PLACE inside ROOT.
# NET is `none`, or an address like 10.0.0.1/24 for the device eth0 that the caller gives to this process' network.
# Everything inside ends with this process.
set -eu

if [ "${1:-}" != inside ]; then
  exec unshare --net --uts --pid --mount --propagation private --fork --kill-child sh "$0" inside "$@"
fi
root=$2 net=$3
shift 3
. "$(dirname -- "$0")/../../lab/container.sh"
container_kernel "$root"
for bind in "$@"; do container_bind "$root" "${bind%%:*}" "${bind#*:}"; done
ip link set lo up
if [ "$net" != none ]; then
  tries=0
  until ip addr add "$net" dev eth0 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { echo "run-container: no eth0 within 10 s" >&2 && exit 1; }
    sleep 0.05
  done
  ip link set eth0 up
fi
exec chroot "$root" /usr/local/sbin/hc-entry
