# Part of hc-entry: what Torque needs from outside. Each comes in once, mounted or from the environment:
#
#   the server   PBS_SERVER (its host name), or $TORQUE_HOME/server_name (mounted)
#   pbs_mom      MOM_CONFIG_BASE64 or $TORQUE_HOME/mom_priv/config (mounted); without, one that only names the server
: "${TORQUE_HOME:=/var/spool/torque}"
export TORQUE_HOME
NAME_FILE=$TORQUE_HOME/server_name
MOM_FILE=$TORQUE_HOME/mom_priv/config
# What we write ourselves is reached by a link: that is how it is told from a mounted one at the next start.
MOM_KEPT=/var/lib/hybrid-cloud/mom-config

check_batch() {
  if [ -n "${PBS_SERVER:-}" ]; then
    case $PBS_SERVER in *[!A-Za-z0-9.:,_-]*) die "PBS_SERVER must be a host name, not '$PBS_SERVER'" ;; esac
  else
    [ -s "$NAME_FILE" ] || die "no server: give its host name in PBS_SERVER, or mount server_name on $NAME_FILE"
  fi
  [ -n "${MOM_CONFIG_BASE64:-}" ] || return 0
  ! mounted_config || die "pbs_mom's configuration is given in MOM_CONFIG_BASE64 and in $MOM_FILE: give one"
  decodes MOM_CONFIG_BASE64 || die "MOM_CONFIG_BASE64 is not base64"
}

mounted_config() { [ -e "$MOM_FILE" ] && [ "$(readlink "$MOM_FILE")" != "$MOM_KEPT" ]; }

take_batch() {
  mkdir -p "$TORQUE_HOME/mom_priv/jobs" "$TORQUE_HOME/mom_logs" "$TORQUE_HOME/aux" \
    "$TORQUE_HOME/spool" "$TORQUE_HOME/undelivered" "$TORQUE_HOME/checkpoint"
  # pbs_mom refuses to start when others may write where it keeps jobs, and users' jobs write here.
  chmod 751 "$TORQUE_HOME/mom_priv" "$TORQUE_HOME/mom_priv/jobs"
  chmod 1777 "$TORQUE_HOME/spool" "$TORQUE_HOME/undelivered"
  if [ -n "${PBS_SERVER:-}" ]; then printf '%s\n' "$PBS_SERVER" >"$NAME_FILE"; fi
  if mounted_config; then return; fi
  mkdir -p "${MOM_KEPT%/*}"
  if [ -n "${MOM_CONFIG_BASE64:-}" ]; then
    decode MOM_CONFIG_BASE64 022 "$MOM_KEPT"
  else
    # shellcheck disable=SC2016
    head -n 1 "$NAME_FILE" | tr , '\n' | sed 's/^/$pbsserver /' >"$MOM_KEPT"
  fi
  ln -sf "$MOM_KEPT" "$MOM_FILE"
}

batch_secrets() { echo MOM_CONFIG_BASE64; }
