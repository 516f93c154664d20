#!/bin/sh
# Builds the images that the nodes of this lab are made of, or finds them built; with LAB_CLOUD=command there are none.
# They are kept in IMAGE_CACHE, also when the lab is gone. Whoever ends this script ends the build.
set -eu
. "$(dirname -- "$0")/place.sh"
. "$(dirname -- "$0")/process.sh"
parameters

if [ "${1:-}" = alone ]; then
  site_images
  exit
fi
# buildah and mmdebstrap have children of their own: a session, so that all of them can be told.
setsid sh "$0" alone &
worker=$!
stop() {
  trap '' INT TERM HUP
  kill -TERM "-$worker" 2>/dev/null || :
  wait "$worker" || :
  if [ "$LAB_CLOUD" = vcp ]; then sh "$SCRIPTS/image.sh" forget; fi
  exit 130
}
trap stop INT TERM HUP
wait "$worker"
