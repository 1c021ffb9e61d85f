#!/usr/bin/env bash
# EBS direct put and get, and the listing of many images: amint's endpoint against moto's server, in one run, by one client.
#   bench/cloud/run.sh AMINT [RUNS]
# Both get the same blocks with the same checksums over as many connections (crates/amint-cloud/examples/load.rs); runs
# alternate, the median counts. amint verifies each checksum and writes to its store; moto keeps blocks in memory and looks at
# no checksum. amint's store lies below TMPDIR, and once more in memory (/dev/shm), where moto's is. Images are listed at amint alone: moto does not page.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
amint=$(realpath "$1")
runs=${2:-3}
blocks=${BLOCKS:-800}
images=${IMAGES:-100000}
work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
own_server= memory_server= peer= memory_work=
stop() {
  for server in $own_server $memory_server $peer; do
    kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  done
  rm -rf --one-file-system "$work" $memory_work
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
if [ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] && memory_work=$(mktemp -d /dev/shm/amint-bench.XXXXXX); then
  memory_port=$(free_port)
  "$amint" --home "$memory_work" cloud up --foreground --port "$memory_port" --no-auth --time-scale 1000 >"$work/memory.log" 2>&1 &
  memory_server=$!
  await "$memory_port" "$memory_server" "$work/memory.log"
fi
moto=$HOME/.cache/amint/python/bin/moto_server
[ -x "$moto" ] || moto=$(command -v moto_server || true)
if [ -n "$moto" ]; then
  peer_port=$(free_port)
  "$moto" -H 127.0.0.1 -p "$peer_port" >"$work/peer.log" 2>&1 &
  peer=$!
  await "$peer_port" "$peer" "$work/peer.log"
else
  echo "bench: SKIPPED: moto is not installed (scripts/setup.sh test): only amint is measured" >&2
fi

for run in $(seq "$runs"); do
  for name in own memory peer; do
    case $name in
      own) host=$own ;;
      memory) [ -n "$memory_server" ] || continue; host=127.0.0.1:$memory_port ;;
      peer) [ -n "$peer" ] || continue; host=127.0.0.1:$peer_port ;;
    esac
    for threads in 1 4; do
      read -r rate snapshot < <("$load" "$host" put "$blocks" "$threads" "$((run * 10 + threads))")
      echo "$rate" >>"$work/$name.put.$threads"
      # amint's snapshots are pending for a moment, as EC2's are.
      sleep 0.1
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
print(f"{blocks} blocks of 512 KiB, MB/s   on disk  in memory      moto   ratio to moto")
for what in ("put", "get"):
    for threads in (1, 4):
        own, memory, peer = (median(name, what, threads) for name in ("own", "memory", "peer"))
        cell = lambda value: f"{value:10.0f}" if value else " " * 10
        ratios = f"   {own / peer:.1f}" + (f", in memory {memory / peer:.1f}" if memory else "") if peer else ""
        label = f"  {what}, {threads} connection{'s' if threads > 1 else ''}"
        print(f"{label:<28}{cell(own)} {cell(memory)} {cell(peer)}{ratios}")
print(f"peak memory: {own_memory} MiB, moto {peer_memory} MiB")
P
"$load" "$own" images "$images" 4
