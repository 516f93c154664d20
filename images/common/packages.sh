#!/bin/sh
# Build time: `packages.sh PROGRAM:PACKAGE...` installs the packages whose program the base image does not have yet
# (a base may bring its own Slurm), and takes away at once, in the same layer, every secret that packages make for
# themselves: an image that carries a munge key or ssh host keys gives them to everyone who can pull it.
set -eu

POLICY=/usr/sbin/policy-rc.d

main() {
  command -v apt-get >/dev/null || die "the base image has no apt-get: take a Debian or Ubuntu one (VCP: ubuntu, not alpine)"
  if ! command -v supervisord >/dev/null && [ -x /lib/systemd/systemd ]; then
    die "the base image starts its services with systemd: take the variant with supervisor"
  fi
  supervisor_of_base=$(ls /etc/supervisord.conf /etc/supervisor/supervisord.conf 2>/dev/null || :)
  missing=''
  for need in "$@"; do
    command -v "${need%%:*}" >/dev/null || missing="$missing ${need#*:}"
  done
  # shellcheck disable=SC2086
  if [ -n "$missing" ]; then install_packages $missing; fi
  # The package's own file would hide which layout is in force: programs.sh writes ours where the base has none.
  if [ -z "$supervisor_of_base" ]; then rm -f /etc/supervisor/supervisord.conf; fi
  rm -f /etc/munge/munge.key /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
}

# dpkg's scripts ask policy-rc.d before they start a service; nothing may run while an image is built.
install_packages() {
  export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
  kept=''
  if [ -e "$POLICY" ]; then
    kept=yes
  else
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
  fi
  apt-get -qq update || die "apt-get update failed: does the build have a network (buildah: --network host)?"
  apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >/tmp/apt.log 2>&1 || {
    tail -n 20 /tmp/apt.log >&2
    die "apt-get install $* failed"
  }
  if [ -z "$kept" ]; then rm -f "$POLICY"; fi
  apt-get clean
  rm -rf /var/lib/apt/lists/* /tmp/apt.log /var/log/apt /var/log/dpkg.log
}

die() {
  printf '%s\n' "hybrid-cloud image: $*" >&2
  exit 1
}

main "$@"
