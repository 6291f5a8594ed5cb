#!/bin/sh
# Make what Temporal needs in OpenSearch. Doing it again does no harm.
set -eu
tool() { temporal-elasticsearch-tool --endpoint http://opensearch:9200 "$@"; }
tool setup-schema
tool create-index --index temporal_visibility_v1_dev || tool update-schema --index temporal_visibility_v1_dev
