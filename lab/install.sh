#!/bin/sh
# Installs what the lab needs and does not find: the batch system (LAB_BATCH), OpenSSH, and for LAB_CLOUD=vcp what builds
# images, from the distribution (Debian 12, Ubuntu 22.04 and 24.04). Nothing is started, neither now nor at the next boot, and nothing that was there before is changed.
set -eu
. "$(dirname -- "$0")/place.sh"
parameters

POLICY=/usr/sbin/policy-rc.d
KEPT=$POLICY.before-hybrid-cloud-lab
OUR_LINE='# hybrid-cloud lab: no service is started while packages are installed'

main() {
  restore_policy # an installation that was killed left its policy behind: it would keep other packages' services down
  wanted=$(missing_packages)
  if [ -z "$wanted" ]; then
    say "everything is installed: $(batch_version)"
    return
  fi
  # shellcheck disable=SC2086
  set -- $wanted
  command -v apt-get >/dev/null || die "missing: $*. No apt-get here: install the batch system ($LAB_BATCH) and the OpenSSH server by hand"
  [ "$(id -u)" = 0 ] || die "missing: $*. Type: sudo apt-get update && sudo apt-get install --no-install-recommends $*"
  say "missing: $*"
  # Nobody answers questions here, and no other program may restart services for us.
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l LC_ALL=C.UTF-8
  words=$(mktemp)
  trap 'restore_policy; rm -f "$words"' EXIT
  trap 'exit 130' INT TERM HUP
  say "apt-get update"
  apt-get -q -o DPkg::Lock::Timeout=120 update >"$words" 2>&1 || failed "apt-get update failed: is the network there?"
  for package in "$@"; do
    apt-cache policy "$package" | grep -q 'Candidate: [^(]' ||
      die "the package $package is not offered here. On Ubuntu: add-apt-repository universe"
  done
  forbid_services
  batch_prepare
  say "apt-get install $*"
  apt-get -q -y -o DPkg::Lock::Timeout=120 -o DPkg::Use-Pty=0 install --no-install-recommends "$@" >"$words" 2>&1 ||
    failed "apt-get install $* failed"
  restore_policy
  keep_disabled "$@"
  left=$(missing_packages)
  [ -z "$left" ] || die "still missing after the installation: $left"
  say "installed: $(batch_version)"
}

# With the last words of apt-get, which are shown only then.
failed() {
  tail -n 8 "$words" >&2
  die "$1"
}

# Packages whose programs are not there, by program.
missing_packages() {
  for pair in $(batch_needs) $(site_needs) sshd:openssh-server ssh:openssh-client \
    ssh-keygen:openssh-client ip:iproute2 unshare:util-linux nsenter:util-linux setsid:util-linux flock:util-linux \
    mount:mount findmnt:util-linux awk:mawk; do
    command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair#*:}"
  done | sort -u | tr '\n' ' '
}

# dpkg's scripts ask this program before they start a service; 101 means no.
forbid_services() {
  if [ -e "$POLICY" ] || [ -L "$POLICY" ]; then mv "$POLICY" "$KEPT"; fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$OUR_LINE" >"$POLICY"
  chmod 755 "$POLICY"
}

restore_policy() {
  [ "$(id -u)" = 0 ] || return 0
  if grep -qsxF "$OUR_LINE" "$POLICY"; then rm -f "$POLICY"; fi
  if [ -e "$KEPT" ] || [ -L "$KEPT" ]; then mv "$KEPT" "$POLICY"; fi
}

# A package enables its service for the next boot. The lab starts its own and wants no sshd or munge open on the machine.
keep_disabled() {
  # Without systemd the packages have noted the same, for a systemd that may come later.
  disable='systemctl disable'
  command -v systemctl >/dev/null || disable='env DPKG_MAINTSCRIPT_PACKAGE=hybrid-cloud-lab deb-systemd-helper disable'
  for package in "$@"; do
    case $package in
      openssh-server) units='ssh.service ssh.socket' ;;
      *) units=$(batch_units "$package") ;;
    esac
    for unit in $units; do
      if $disable "$unit" >/dev/null 2>&1; then say "$unit stays off at boot"; fi
    done
  done
}

main
