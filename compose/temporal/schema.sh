#!/bin/sh
# Bring the tables of both of Temporal's databases to the version of this image. Doing it again does no harm.
set -eu
for name in temporal visibility; do
  database=temporal
  [ "$name" = temporal ] || database=temporal_$name
  tool() { temporal-sql-tool --plugin postgres12 --ep postgres --port 5432 --user temporal --database "$database" "$@"; }
  # An empty database gets version 0.0 first; one that has a version would forget it so.
  tool update-schema --schema-name "postgresql/v12/$name" || {
    tool setup-schema --version 0.0
    tool update-schema --schema-name "postgresql/v12/$name"
  }
done
