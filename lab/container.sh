# Sourced: a container without a container engine. Its file system is an image's; everything mounted here is seen only in
# the mount namespace of the caller and goes with it.

# Makes $2/root: the image's files (directory $1) below, what is written in a disk of memory above them.
container_disk() {
  mount -t tmpfs -o mode=755 tmpfs "$2"
  mkdir "$2/upper" "$2/work" "$2/root"
  mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
}

# What every container sees of the kernel. $1 the container's root
container_kernel() {
  mount -t proc proc "$1/proc"
  mount --rbind /sys "$1/sys"
  mount --rbind /dev "$1/dev"
}

# Shows a file or a folder of this machine inside. $1 root, $2 source, $3 place inside, $4 more options like ro
container_bind() {
  if [ -d "$2" ]; then mkdir -p "$1$3"; else mkdir -p "$1${3%/*}" && : >>"$1$3"; fi
  mount --bind ${4:+-o "$4"} "$2" "$1$3"
}
