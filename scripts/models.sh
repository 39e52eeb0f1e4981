#!/usr/bin/env bash
# Downloads the default models where they are missing.
. "$(dirname "$0")/lib.sh"
need_space "${QANDA_MODELS_DIR:-$cache/models}" 100 "The models' folder"
say "models"
"$binary" models pull
