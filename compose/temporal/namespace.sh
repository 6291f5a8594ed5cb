#!/bin/sh
# Make a namespace that keeps closed runs for $RETENTION: namespace.sh NAME. One that is there is left as it is.
set -eu
name=$1 retention=$RETENTION
if temporal operator namespace describe --namespace "$name" >/dev/null 2>&1; then
  echo "namespace $name is there"
else
  temporal operator namespace create --namespace "$name" --retention "$retention" >/dev/null
  echo "namespace $name made; it keeps closed runs for $retention"
fi
# It can be used once every part of the server knows it, which takes up to ten seconds.
for _ in $(seq 60); do
  if temporal workflow count --namespace "$name" >/dev/null 2>&1; then exit 0; fi
  sleep 0.5
done
echo "namespace $name cannot be used after 30 s: look at the log of temporal" >&2
exit 1
