# Part of hc-entry: what Slurm needs from outside. Each comes in once, mounted or from the environment:
#
#   the munge key    /etc/munge/munge.key (mounted), or MUNGE_KEY (base64)
#   the cluster      /etc/slurm/slurm.conf (mounted, with cgroup.conf and the like), or SLURM_CONF_BASE64, or
#                    SLURMD_CONF_SERVER (host[:port][,host[:port]]: slurmd fetches it, "configless")
MUNGE_FILE=/etc/munge/munge.key
SLURM_FILE=/etc/slurm/slurm.conf
# The one from the environment is kept byte for byte (Slurm compares checksums), and reached by a link: that is how it is
# told from a mounted one when the same container starts again.
SLURM_KEPT=/var/lib/hybrid-cloud/slurm.conf

# munged refuses a key of less than 32 bytes.
check_batch() {
  if [ -n "${MUNGE_KEY:-}" ]; then
    [ ! -e "$MUNGE_FILE" ] || die "there is a munge key in MUNGE_KEY and one in $MUNGE_FILE: give one"
    decodes MUNGE_KEY || die "MUNGE_KEY is not base64"
    [ "$(bytes_of MUNGE_KEY)" -ge 32 ] || die "MUNGE_KEY is too short: a munge key has at least 32 bytes"
  else
    [ -f "$MUNGE_FILE" ] || die "no munge key: mount the cluster's key on $MUNGE_FILE, or give it in MUNGE_KEY (base64)"
    [ "$(wc -c <"$MUNGE_FILE")" -ge 32 ] || die "$MUNGE_FILE is too short: a munge key has at least 32 bytes"
  fi
  sources=''
  if mounted_conf; then sources="$sources, $SLURM_FILE"; fi
  if [ -n "${SLURM_CONF_BASE64:-}" ]; then sources="$sources, SLURM_CONF_BASE64"; fi
  if [ -n "${SLURMD_CONF_SERVER:-}" ]; then sources="$sources, SLURMD_CONF_SERVER"; fi
  case $sources in
    '') die "no slurm.conf: mount it on $SLURM_FILE, or give SLURM_CONF_BASE64 or SLURMD_CONF_SERVER" ;;
    ', '*', '*) die "slurm.conf is given more than once:${sources#,}. Give one" ;;
  esac
  if [ -n "${SLURM_CONF_BASE64:-}" ]; then decodes SLURM_CONF_BASE64 || die "SLURM_CONF_BASE64 is not base64"; fi
}

mounted_conf() { [ -e "$SLURM_FILE" ] && [ "$(readlink "$SLURM_FILE")" != "$SLURM_KEPT" ]; }

take_batch() {
  # munged wants its key and folders to be its own; a mounted key is somebody else's, so it uses a copy.
  if [ -n "${MUNGE_KEY:-}" ]; then
    decode MUNGE_KEY 077 "$RUN/munge.key"
  else
    (umask 077 && cat "$MUNGE_FILE" >"$RUN/munge.key")
  fi
  chown munge:munge "$RUN/munge.key"
  for dir in /run/munge /var/lib/munge /var/log/munge; do
    mkdir -p "$dir"
    chown munge:munge "$dir"
  done
  chmod 755 /run/munge
  # Of an earlier life of this container.
  rm -f /run/munge/munge.socket.2*
  mkdir -p /var/spool/slurmd /var/lib/slurm/slurmd /var/log/slurm /run/slurm
  # Without it, commands in jobs read the file of an earlier life instead of asking the server.
  if ! mounted_conf; then rm -f "$SLURM_FILE"; fi
  if [ -n "${SLURM_CONF_BASE64:-}" ]; then
    mkdir -p "${SLURM_FILE%/*}" "${SLURM_KEPT%/*}"
    decode SLURM_CONF_BASE64 022 "$SLURM_KEPT"
    ln -s "$SLURM_KEPT" "$SLURM_FILE"
  fi
}

batch_secrets() { echo MUNGE_KEY SLURM_CONF_BASE64; }
