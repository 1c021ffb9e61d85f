#!/usr/bin/env python3
"""Prints the figures of a run.

    table.py FOLDER RUNS HAS_DATABASE
"""
import pathlib
import statistics
import sys

work, runs, has_database = pathlib.Path(sys.argv[1]), sys.argv[2], bool(sys.argv[3])
ROWS = [
    ("full", "amint, all analyzers"),
    ("judged", "amint, and advisories"),
    ("short", "amint, packages and advisories" if has_database else "amint, packages alone"),
    ("data", "reading the image's data"),
    ("files", "reading the files' bytes"),
    ("syft", "Syft, tree already unpacked"),
]
IMAGES = [("debian", "2 GiB disk of Debian"), ("large", "20 GiB file system of 200,000 files")]

for image, title in IMAGES:
    print(f"{title}, {(work / f'{image}.raw').stat().st_blocks * 512 / 2**30:.1f} GiB of data (median of {runs})")
    print(f"{'':34}{'wall':>9}{'CPU':>10}{'memory':>10}   runs")
    found = {}
    for name, row in ROWS:
        file = work / f"{image}.{name}"
        if not file.exists():
            continue
        lines = [list(map(float, line.split())) for line in file.read_text().splitlines()]
        wall, used, memory = (statistics.median(column) for column in zip(*lines))
        found[name] = (wall, memory)
        all_runs = " ".join(f"{line[0]:.2f}" for line in lines)
        # What merely reads takes less than the program that measures it.
        memory = "" if name in ("data", "files") else f"{memory:.0f} MiB"
        print(f"  {row:32}{wall:7.2f} s{used:8.2f} s{memory:>10}   {all_runs}")
    print(f"  all analyzers take {found['full'][0] / found['data'][0]:.1f} times as long as reading the image's data")
    if "syft" in found:
        for name, words in [("full", "all analyzers"), ("short", "packages")]:
            print(f"  Syft takes {found['syft'][0] / found[name][0]:.0f} times as long as amint with {words}, "
                  f"and {found['syft'][1] / found[name][1]:.0f} times its memory")
    if image == "debian":
        full, short = found["full"], found["short"]
        goals = [("all analyzers < 1.5 s", full[0] < 1.5), ("< 200 MiB", full[1] < 200), ("packages < 0.3 s", short[0] < 0.3)]
        if "syft" in found:
            goals.append(("Syft >= 10 times the time for packages", found["syft"][0] >= 10 * short[0]))
        print("  " + "; ".join(f"{goal}: {'met' if is_met else 'MISSED'}" for goal, is_met in goals))
