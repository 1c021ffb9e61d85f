#!/usr/bin/env bash
# Builds amint-verify as one static file without anything it needs at run time, and says how large it is.
#   crates/amint-verify/build-static.sh OUTPUT
# With musl where the target is installed (`rustup target add x86_64-unknown-linux-musl`), else with glibc's static library.
set -euo pipefail
output=$(realpath -m "$1")
here=$(cd "$(dirname "$0")" && pwd)
machine=$(uname -m)
target=$machine-unknown-linux-musl
rustup target list --installed 2>/dev/null | grep -qx "$target" || target=$machine-unknown-linux-gnu
folder=${CARGO_TARGET_DIR:-$here/../../target}/static
cd "$here"
# One unit and link-time optimisation: half the size. The panic handler stays, so that a defect is told.
RUSTFLAGS='-C target-feature=+crt-static -C relocation-model=static' CARGO_TARGET_DIR=$folder \
  cargo build --quiet --locked --release --target "$target" -p amint-verify \
  --config 'profile.release.lto="thin"' --config 'profile.release.codegen-units=1' --config 'profile.release.strip="symbols"'
install -D -m 755 "$folder/$target/release/amint-verify" "$output"
echo "$output: $(stat -c %s "$output") bytes, $target" >&2
