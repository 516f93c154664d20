# Sourced after place.sh: CLOUD=vcp, the specification as it stands. ../command/site.sh says what each name is for.
#
#   the service   runs its SDK container with the lab's docker (docker.sh), on the image that helpers/vcp builds
#   the SDK       is the emulated one (sdk/); its controller is the folder $VCP/controller, and a worker beside it
#   a VC node     is a machine of the lab's cloud (vc-node.sh); its file system is the image that images/ builds
#
# The service's folder holds the specification's env, hosts.json, vcp_config.yml and vcp_flavor.yml, and in
# hybrid-cloud.yaml what only this machine asks for.
VCP=$LAB_DIR/vcp
SDK_IMAGE=vcpsdk:20.10.0
NODE_IMAGE=$LAB_NET.1:5001/vcp/base:slurm
REPOSITORY=hybrid-cloud-lab
. "$SCRIPTS/container.sh"

site_needs() { echo buildah:buildah mmdebstrap:mmdebstrap python3:python3 tar:tar chroot:coreutils; }
site_slurm() { echo DebugFlags=NO_CONF_HASH; } # a node has its own slurm.conf, with the usual paths

image() { sh "$SCRIPTS/image.sh" "$@"; }

site_images() {
  build "$SCRIPTS/vcp/python/Containerfile" python
  build slurm-compute slurm-compute
  # The SDK's container is built as a site builds it; its archive of the SDK is the emulator.
  context=$(mktemp -d)
  trap 'rm -rf "$context"' EXIT
  cp -R "$SCRIPTS/../helpers/vcp/." "$context"
  tar -C "$SCRIPTS/vcp/sdk" --exclude=__pycache__ --sort=name --mtime=@0 --owner=0 --group=0 \
    -cf "$context/sdk/emulator.tar" vcpsdk common
  IMAGE_CONTEXT=$context build "$context/Containerfile" vcpsdk --build-arg "BASE_IMAGE=localhost/$REPOSITORY/python" \
    --build-arg VCPSDK_SOURCE=emulator.tar --build-arg VCPSDK_REQUIREMENTS=
}

# $1 what image.sh builds, $2 its name here, then more options
build() {
  what=$1 name=$2
  shift 2
  image buildah inspect --type image "localhost/$REPOSITORY/$name" >/dev/null 2>&1 ||
    say "building the image $name; later this takes a second"
  words=$(image build "$what" "$REPOSITORY/$name" "$@" 2>&1) || {
    printf '%s\n' "$words" | tail -n 20 >&2
    die "the image $name was not built"
  }
}

# The specification's files, as it has them.
site_config() {
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && cat >"$LAB_DIR/config/env") <<END
VCP_ACCESSKEY=$token
VC_NAME=hybridcloud
PROVIDER_NAME=aws
FLAVOR_NAME=small
IMAGE_NAME=$NODE_IMAGE
NFS_MOUNT_POINT=/srv/export
CLEANUP_NODE_WAIT_TIME=20
END
  {
    printf 'vcc:\n    host: %s\n    name: lab\nspec_options:\n    add_host:\n' "$LAB_NET.1"
    printf '       - "master:%s"\n' "$LAB_NET.1"
    for n in $(seq "$LAB_HOSTS"); do printf '       - "c%s:%s"\n' "$n" "$LAB_NET.$((100 + n))"; done
  } >"$LAB_DIR/config/vcp_config.yml"
  cp "$SCRIPTS/../helpers/vcp/vcp_flavor.yml" "$LAB_DIR/config/"
  cat >"$LAB_DIR/config/hybrid-cloud.yaml" <<END
# Of this machine, not of the specification: there is no Docker and no NFS server here, and no file may lie elsewhere.
container_runtime: $LAB_DIR/docker
nfs_type: bind
vcp_node_env: node.env
state_dir: $LAB_DIR/state
api_socket: $LAB_DIR/run/api.sock
poll_interval: 2
END
  mkdir -m 700 "$VCP" "$VCP/controller" "$VCP/nodes"
  cat >"$VCP/controller/behaviour.json" <<END
{"token": "$token", "controller": "$LAB_NET.1", "network": "$LAB_NET.0/24", "poll": 1, "worker": true,
 "node_start": ["sh", "$SCRIPTS/vcp/vc-node.sh", "start"], "node_stop": ["sh", "$SCRIPTS/vcp/vc-node.sh", "stop"]}
END
}

site_up() {
  write_node_env
  unmount_images # of a lab of this name that was killed
  mount_image "$NODE_IMAGE" slurm-compute
  mount_image "$SDK_IMAGE" vcpsdk
  program "$LAB_DIR/docker" vcp/docker.sh
  start_daemon "$LAB_DIR/controller.pid" "$LAB_DIR/log/controller.log" env "PYTHONPATH=$SCRIPTS/vcp/sdk" \
    "VCP_EMULATOR_DIR=$VCP/controller" PYTHONDONTWRITEBYTECODE=1 python3 -m vcpsdk.worker
}

site_down() {
  if alive "$LAB_DIR/controller.pid" >/dev/null; then
    note "the VC controller"
    end_remembered "$LAB_DIR/controller.pid" 10 || :
  fi
  # Their processes first: a file system in use cannot be taken away.
  end_marked "$MARK" || :
  if command -v buildah >/dev/null; then unmount_images; fi
}

# What every node's container is given (VCP_NODE_ENV): the cluster's key and its slurm.conf, with the image's own paths.
write_node_env() {
  conf=$(sed -e '/^AuthInfo=/d' -e 's#^SlurmdSpoolDir=.*#SlurmdSpoolDir=/var/spool/slurmd#' \
    -e 's#^SlurmdPidFile=.*#SlurmdPidFile=/run/slurmd.pid#' -e 's#^SlurmdLogFile=.*#SlurmdLogFile=/var/log/slurm/slurmd.log#' \
    "$LAB_DIR/slurm.conf" | base64 -w0)
  (umask 077 && printf 'MUNGE_KEY=%s\nSLURM_CONF_BASE64=%s\n' "$(base64 -w0 <"$LAB_DIR/munge/key")" "$conf" \
    >"$LAB_DIR/config/node.env")
}

# The lab's registry: one line `NAME ROOT ENVIRONMENT` for each image. $1 its name there, $2 its name in image.sh
mount_image() {
  container=$(image buildah from --pull-never --name "hybrid-cloud-$LAB_NAME-$2" "localhost/$REPOSITORY/$2")
  root=$(image buildah mount "$container")
  image buildah inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "localhost/$REPOSITORY/$2" |
    grep . >"$VCP/$2.env"
  echo "$1 $root $VCP/$2.env" >>"$VCP/images"
}

unmount_images() {
  for name in slurm-compute vcpsdk; do
    if image buildah rm "hybrid-cloud-$LAB_NAME-$name" >/dev/null 2>&1 && [ -n "${removed+set}" ]; then note "container $name"; fi
  done
}

# Sets root and its_env. $1 the image's name
find_image() {
  while read -r its_name root its_env; do
    if [ "$its_name" = "$1" ]; then return; fi
  done <"$VCP/images"
  return 1
}

site_disk() {
  VC_NODE=$VCP/nodes/$LEASE
  read -r root <"$VC_NODE/root"
  container_disk "$root" "$LAB_DIR/node"
  ROOT=$LAB_DIR/node/root
  container_kernel "$ROOT"
  cp "$VC_NODE/hosts" "$ROOT/etc/hosts"
  mkdir -p "$ROOT/etc/slurm"
  cp "$LAB_DIR/cgroup.conf" "$ROOT/etc/slurm/"
  # The file server. Nothing of it is seen where jobs look for it until the service has mounted it there.
  container_bind "$ROOT" "$LAB_DIR/export" /srv/export
  hostname "$NODE"
}

# The environment holds keys: it must never stand on a command line.
site_start() {
  while IFS= read -r line; do export "${line?}"; done <"$VC_NODE/env"
  exec chroot "$ROOT" /usr/local/sbin/hc-entry
}
