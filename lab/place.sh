# Sourced by every script of the lab: where a lab is, its parameters, and the few words all of them use.
#
# Everything of one lab lives under $LAB_DIR; what cannot live in a directory (a bridge, network devices) carries its
# name, and what runs carries its mark in the environment. So a lab can be taken away whole, and nothing else with it.

umask 022
SCRIPTS=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
if [ ! -f "$SCRIPTS/place.sh" ]; then SCRIPTS=${SCRIPTS%/*}; fi # a script of a folder below
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

say() { printf '%s\n' "lab: $*"; }
warn() { printf '%s\n' "lab: $*" >&2; }
die() {
  warn "$*"
  exit 1
}

# A lab's directory is believed only when it is ours: its lab.env is read by a shell that is root.
ours() { [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] && [ -f "$1/lab.env" ] && [ ! -L "$1/lab.env" ] && [ -O "$1/lab.env" ]; }

# A directory of ours without its lab.env: up.sh or down.sh was killed in its first or last moment.
remains() { [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] && [ -z "$(find "$1" -mindepth 1 ! -name 'lab.env.*' | head -n 1)" ]; }

# Takes the parameters from the environment; a lab that exists has its own written down, and those win.
parameters() {
  : "${LAB_NAME:=lab}"
  if [ "$LAB_NAME" = lab ]; then : "${LAB_DIR:=/var/tmp/hybrid-cloud-lab}"; else : "${LAB_DIR:=/var/tmp/hybrid-cloud-$LAB_NAME}"; fi
  fits LAB_DIR "$LAB_DIR" '/[A-Za-z0-9._/-]+' 'a full path of letters, digits, ".", "_", "-"'
  # munged's socket must fit into the 108 bytes of a Unix address
  [ ${#LAB_DIR} -le 80 ] || die "LAB_DIR is longer than 80 characters: $LAB_DIR"
  case $LAB_DIR/ in */../* | */./* | //*) die "LAB_DIR must be a plain full path: $LAB_DIR" ;; esac
  if ours "$LAB_DIR"; then . "$LAB_DIR/lab.env"; fi
  : "${LAB_NET:=10.77.0}" "${LAB_HOSTS:=4}" "${LAB_BOOT_TIME:=5}" "${LAB_CPUS:=2}" "${LAB_PORT_BASE:=20710}"
  : "${LAB_SLURMD_TIMEOUT:=30}" "${LAB_JOB_SUBMIT:=}" "${LAB_SLURM_EXTRA:=}" "${LAB_OWNER:=}"
  : "${LAB_BATCH:=slurm}" "${LAB_CLOUD:=command}" "${IMAGE_CACHE:=/var/tmp/hybrid-cloud-images}"
  export IMAGE_CACHE
  # network devices have 15 characters: hc-NAME-c99
  fits LAB_NAME "$LAB_NAME" '[a-z][a-z0-9]{0,7}' 'up to 8 small letters and digits, a letter first'
  fits LAB_NET "$LAB_NET" '[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}' 'the first three numbers of a /24, like 10.77.0'
  fits LAB_HOSTS "$LAB_HOSTS" '[1-9][0-9]?' 'a number from 1 to 99'
  fits LAB_BOOT_TIME "$LAB_BOOT_TIME" '[0-9]+(\.[0-9]+)?' 'a number of seconds'
  fits LAB_CPUS "$LAB_CPUS" '[1-9][0-9]?' 'a number from 1 to 99'
  fits LAB_PORT_BASE "$LAB_PORT_BASE" '[1-9][0-9]{3,4}' 'a port number'
  fits LAB_SLURMD_TIMEOUT "$LAB_SLURMD_TIMEOUT" '[1-9][0-9]*' 'a number of seconds'
  [ -z "$LAB_OWNER" ] || fits LAB_OWNER "$LAB_OWNER" '[A-Za-z0-9-]*' 'letters and digits'
  fits LAB_BATCH "$LAB_BATCH" 'slurm|gridengine' 'slurm or gridengine'
  fits LAB_CLOUD "$LAB_CLOUD" 'command|vcp' 'command or vcp'
  fits IMAGE_CACHE "$IMAGE_CACHE" '/[A-Za-z0-9._/-]+' 'a full path of letters, digits, ".", "_", "-"'
  [ "$LAB_CLOUD-$LAB_BATCH" != vcp-gridengine ] || die "the VC nodes of the lab have Slurm: LAB_CLOUD=vcp needs LAB_BATCH=slurm"
  BRIDGE=hc-$LAB_NAME
  MARK=HYBRID_CLOUD_LAB=$LAB_DIR
  . "$SCRIPTS/$LAB_BATCH/batch.sh"
  . "$SCRIPTS/$LAB_CLOUD/site.sh"
}

fits() {
  if [ "$(printf '%s' "$2" | wc -l)" -eq 0 ] && printf '%s' "$2" | grep -Eqx -- "$3"; then return; fi
  die "$1=$2 is not possible: it must be $4"
}

# Writes a file so that a reader sees the old text or the new one, never half of it.
put() {
  printf '%s\n' "$2" >"$1.$$" && mv -f "$1.$$" "$1"
}

# The provider's own account: one line for each thing that became of a machine. $1 what, $2 id, $3 host, $4 lease
account() { printf '%s\t%s\t%s\t%s\t%s\n' "$(date +%s.%3N)" "$1" "$2" "$3" "$4" >>"$LAB_DIR/log/cloud.log"; }

# The hardware address for an address of the lab's net: the same in every life of a host, so that nobody's ARP table is
# wrong for the first seconds of the next one. $1 the last number
hardware_address() {
  # shellcheck disable=SC2046
  printf '02:4c:%02x:%02x:%02x:%02x' $(printf '%s' "$LAB_NET" | tr . ' ') "$1"
}
