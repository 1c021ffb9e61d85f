#!/usr/bin/env bash
# From a document and its signature to the answer: amint-verify against `openssl smime -verify`, in one run, without a network.
#   bench/identity/run.sh [RUNS]
# Both get the same real document of 2021 (rsa2048) and are started anew each time; runs alternate, the median counts.
# openssl only verifies: it does not choose the certificate, compare the document, or look at what it says.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
runs=${1:-200}
command -v openssl >/dev/null || { echo "bench: openssl is missing" >&2; exit 7; }
work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
data=$root/crates/amint-identity/tests/data
cp "$data/c-rsa2048-us-west-2-2021.document.json" "$work/document"
cp "$data/c-rsa2048-us-west-2-2021.pkcs7.pem" "$work/signature.pem"
awk '/^\[rsa2048 us-west-2\]/ {take=1; next} /^\[/ {take=0} take' "$root/crates/amint-identity/data/certificates.pem" >"$work/certificate.pem"
"$root/crates/amint-verify/build-static.sh" "$work/amint-verify"
(cd "$root" && cargo build --release --locked --quiet -p amint-identity --example measure)
python3 - "$work" "$runs" <<'P'
import statistics, subprocess, sys, time
work, runs = sys.argv[1], int(sys.argv[2])
commands = {
    "amint-verify": [f"{work}/amint-verify", "-q", "--document", f"{work}/document", "--signature", f"{work}/signature.pem"],
    "openssl smime -verify": ["openssl", "smime", "-verify", "-in", f"{work}/signature.pem", "-inform", "PEM", "-noverify",
                              "-nointern", "-certfile", f"{work}/certificate.pem", "-out", "/dev/null"],
}
times = {name: [] for name in commands}
for _ in range(runs):
    for name, command in commands.items():
        start = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        times[name].append((time.perf_counter() - start) * 1000)
medians = {name: statistics.median(all_times) for name, all_times in times.items()}
for name, median in medians.items():
    print(f"{name:<24} {median:6.2f} ms from start to answer (median of {runs})")
own, peer = medians.values()
print(f"ratio                    {peer / own:6.2f}")
P
target=${CARGO_TARGET_DIR:-$root/target}
for sample in "c-rsa2048-us-west-2-2021 pkcs7.b64 rsa2048" "a-dsa-us-east-1-2016 pkcs7.pem pkcs7"; do
  read -r name ending form <<<"$sample"
  "$target/release/examples/measure" "$data/$name.document.json" "$data/$name.$ending" "$form"
done
