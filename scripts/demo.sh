#!/usr/bin/env bash
# The main job, watched: build the example web server, harden it, boot it as EC2 would, test it, store it.
set -euo pipefail
cd "$(dirname "$0")/.."
amint=$1

show() {
  printf '\n$ amint %s\n' "$*"
  "$amint" "$@"
}

show check examples/web/amint.toml
show build examples/web/amint.toml
show images
show show web
