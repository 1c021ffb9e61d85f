#!/usr/bin/env bash
# EBS direct put and get, and the listing of many images: amint's endpoint against moto's server, in one run, by one client.
#   bench/cloud/run.sh AMINT [RUNS]
# Both get the same blocks with the same checksums over as many connections (crates/amint-cloud/examples/load.rs); runs
# alternate, the median counts. amint verifies each checksum and writes to its store; moto keeps blocks in memory and looks at
# no checksum. The stores lie below TMPDIR. Images are listed at amint alone: moto does not page.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
amint=$(realpath "$1")
runs=${2:-3}
blocks=${BLOCKS:-800}
images=${IMAGES:-100000}
work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
own_server= peer=
stop() {
  for server in $own_server $peer; do
    kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  done
  rm -rf --one-file-system "$work"
}
trap stop EXIT
(cd "$root" && cargo build --release --locked --quiet -p amint-cloud --example load)
load=${CARGO_TARGET_DIR:-$root/target}/release/examples/load
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

own_port=$(free_port)
"$amint" --home "$work/home" cloud up --foreground --port "$own_port" --no-auth --time-scale 1000 >"$work/own.log" 2>&1 &
own_server=$!
await() { # PORT PID LOG
  for _ in $(seq 300); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  cat "$3" >&2
  exit 1
}
await "$own_port" "$own_server" "$work/own.log"
own=127.0.0.1:$own_port
python3 -m venv "$work/peer" && "$work/peer/bin/pip" install --quiet --disable-pip-version-check 'moto[server]==5.2.5' >/dev/null 2>&1 || true
if [ -x "$work/peer/bin/moto_server" ]; then
  peer_port=$(free_port)
  "$work/peer/bin/moto_server" -H 127.0.0.1 -p "$peer_port" >"$work/peer.log" 2>&1 &
  peer=$!
  await "$peer_port" "$peer" "$work/peer.log"
else
  echo "bench: SKIPPED: moto cannot be fetched: only amint is measured" >&2
fi

for run in $(seq "$runs"); do
  for name in own peer; do
    [ "$name" = own ] && host=$own || host=127.0.0.1:${peer_port:-0}
    [ "$name" = own ] || [ -n "$peer" ] || continue
    for threads in 1 4; do
      read -r rate snapshot < <("$load" "$host" put "$blocks" "$threads" "$((run * 10 + threads))")
      echo "$rate" >>"$work/$name.put.$threads"
      "$load" "$host" get "$snapshot" "$threads" >>"$work/$name.get.$threads"
    done
  done
done
memory() { awk '/VmHWM/ {printf "%d", $2 / 1024}' "/proc/$1/status"; }
python3 - "$work" "$blocks" "$(memory "$own_server")" "$([ -n "$peer" ] && memory "$peer" || echo 0)" <<'P'
import os, statistics, sys
work, blocks, own_memory, peer_memory = sys.argv[1], *map(int, sys.argv[2:])
def median(name, what, threads):
    path = f"{work}/{name}.{what}.{threads}"
    return statistics.median(map(float, open(path))) if os.path.exists(path) else None
print(f"{blocks} blocks of 512 KiB, MB/s    amint      moto     ratio")
for what in ("put", "get"):
    for threads in (1, 4):
        own, peer = median("own", what, threads), median("peer", what, threads)
        tail = f"{peer:9.0f} {own / peer:9.1f}" if peer else ""
        print(f"  {what}, {threads} connection{'s' if threads > 1 else ' '}          {own:9.0f} {tail}")
print(f"  peak memory of the server    {own_memory:5} MiB {peer_memory:5} MiB")
P
"$load" "$own" images "$images" 4
