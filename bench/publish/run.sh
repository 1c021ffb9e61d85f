#!/usr/bin/env bash
# From a disk to a completed snapshot with the very bytes: amint publish against coldsnap, or boto3 with 8 threads where coldsnap
# is not installed, on the same disk, against the same endpoint, in the same run.
#   bench/publish/run.sh AMINT [RUNS]
# Runs alternate. The peer sends the blocks that are not zero and waits for the snapshot; amint plans, sends, and then also
# registers the image and looks at it until it agreed three times, which takes five seconds by itself: both times are told.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
amint=$(realpath "$1")
runs=${2:-3}
python=python3
peer=coldsnap
command -v coldsnap >/dev/null || peer=boto3
if [ "$peer" = boto3 ]; then
  for python in /usr/bin/python3 python3; do "$python" -c 'import boto3' 2>/dev/null && break; done
  "$python" -c 'import boto3' 2>/dev/null || { echo "bench: neither coldsnap nor boto3 is installed" >&2; exit 7; }
fi
work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
finish() { "$amint" --home "$work/there" --quiet cloud down || true; rm -rf --one-file-system "$work"; }
trap finish EXIT
# 1 GiB of which 400 blocks hold something, and a version of which one file changed: 3 blocks.
(cd "$root" && cargo build --release --locked --quiet -p amint-store --example fill)
"${CARGO_TARGET_DIR:-$root/target}/release/examples/fill" "$work/home" "$work/disk.img" "$runs"
"$amint" --home "$work/there" --quiet cloud up --port 0 --time-scale 600
eval "$("$amint" --home "$work/there" cloud env)"
"$python" - "$work" "$amint" "$runs" "$peer" <<'P'
import base64, concurrent.futures, hashlib, json, os, statistics, subprocess, sys, threading, time
work, amint, runs, peer = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
url = os.environ["AWS_ENDPOINT_URL"]
SIZE = 524288

class Peak(threading.Thread):
    """How much memory a process had at most, in MiB. What wait4 tells begins with the memory of whoever started it."""

    def __init__(self, process):
        super().__init__()
        self.process, self.kib = process, 0
        self.start()

    def run(self):
        while self.process.poll() is None:
            try:
                with open(f"/proc/{self.process.pid}/status") as status:
                    lines = [line for line in status if line.startswith("VmHWM:")]
                # Between fork and exec it is the memory of whoever started it.
                if lines and os.readlink(f"/proc/{self.process.pid}/exe") != os.readlink("/proc/self/exe"):
                    self.kib = max(self.kib, int(lines[0].split()[1]))
            except (FileNotFoundError, ProcessLookupError):
                pass
            time.sleep(0.002)

    def end(self):
        self.join()
        if self.process.returncode != 0:
            sys.exit(f"bench: {self.process.args[0]} failed")
        return self.kib / 1024

def by_coldsnap():
    command = ["coldsnap", "--endpoint", url, "--region", "us-east-1", "upload", "--omit-zero-blocks", "--no-progress", "--wait"]
    process = subprocess.Popen([*command, f"{work}/disk.img"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Peak(process).end()

def by_boto3():
    import boto3, botocore.config
    ebs = boto3.client("ebs", endpoint_url=url, config=botocore.config.Config(max_pool_connections=8))
    snapshot = ebs.start_snapshot(VolumeSize=1, Description="bench")["SnapshotId"]
    def put(index):
        with open(f"{work}/disk.img", "rb") as disk:
            disk.seek(index * SIZE)
            block = disk.read(SIZE)
        if not block.strip(b"\0"):
            return None
        digest = hashlib.sha256(block).digest()
        ebs.put_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockData=block, DataLength=SIZE,
                               Checksum=base64.b64encode(digest).decode(), ChecksumAlgorithm="SHA256")
        return digest
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        digests = [one for one in pool.map(put, range(os.path.getsize(f"{work}/disk.img") // SIZE)) if one]
    total = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
    ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=len(digests), Checksum=total,
                          ChecksumAlgorithm="SHA256", ChecksumAggregationMethod="LINEAR")
    ec2 = boto3.client("ec2", endpoint_url=url)
    while ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] != "completed":
        time.sleep(0.05)
    # Not a process of its own.
    return 0

def by_amint(image):
    command = [amint, "--home", f"{work}/home", "--json", "publish", image, "--region", "us-east-1"]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    peak = Peak(process)
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "step_progress" and event["done"] == event["total"]:
            sent = time.monotonic() - start
    size = peak.end()
    return sent, time.monotonic() - start, event["images"][0]["blocks_sent"], size

theirs, sent, proven, small, quick = [], [], [], [], []
for run in range(runs + 1):
    start = time.monotonic(); size = by_coldsnap() if peer == "coldsnap" else by_boto3(); other = time.monotonic() - start
    # Each run has an image of its own name: nothing is there that it could build upon.
    whole, changed = by_amint(f"run{run}:1.0.0"), by_amint(f"run{run}:1.1.0")
    # The first time the endpoint writes blocks that it knows from then on: it is not counted.
    if run > 0:
        theirs.append(other); sent.append(whole[0]); proven.append(whole[1]); small.append(changed[1]); quick.append(changed[0])
other, sent, proven, small, quick = (statistics.median(times) for times in (theirs, sent, proven, small, quick))
sparse = by_amint("sparse:1.0.0")
told = f", {size:.0f} MiB" if size else ""
print(f"{peer:<28} {other:6.2f} s until a snapshot is completed (median of {runs}){told}")
print(f"{'amint publish':<28} {sent:6.2f} s until all {whole[2]} blocks are sent, {proven:.2f} s until the image is proven, {whole[3]:.0f} MiB")
print(f"{'amint publish, next version':<28} {quick:6.2f} s until its {changed[2]} blocks are sent, {small:.2f} s until the image is proven")
print(f"{'amint publish of 100 GiB':<28} {sparse[0]:6.2f} s until all {sparse[2]} blocks are sent, {sparse[3]:.0f} MiB")
print(f"ratio                        {other / sent:6.2f} for the blocks, {other / quick:.2f} for those of the next version, {other / proven:.2f} with image and proof")
P
