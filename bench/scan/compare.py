#!/usr/bin/env python3
"""Compares the packages that amint found with those of dpkg-query and of Syft, by kind, name and version.

    compare.py TITLE KNOWN AMINT DPKG [SYFT]

KNOWN is a file of differences that have a reason (known.toml). Exit code 1: a package is missing that has none.
"""
import fnmatch
import json
import re
import sys
import tomllib
from collections import Counter

title, known_file, amint_file, dpkg_file = sys.argv[1:5]
KINDS = {"python": "pypi", "java-archive": "maven", "go-module": "golang", "rust-crate": "cargo"}
SHOWN_MAX = 10


def key(kind, name, version):
    """One spelling of what both call by the same name."""
    if kind == "pypi":
        name = re.sub("[-_.]+", "-", name).lower()
    elif kind == "maven":
        name = name.rsplit(":", 1)[-1]
    elif kind == "golang" and name == "stdlib":
        version = version.removeprefix("go")
    return kind, name, version


report = json.load(open(amint_file))
ours = {}
for package in report["packages"]:
    ours.setdefault(key(package["kind"], package["name"], package["version"]), set()).add(package["path"])
for kernel in report["kernels"]:
    ours.setdefault(("linux-kernel", "linux-kernel", kernel["release"]), set()).add(kernel["path"])
at_path = {(found[0], found[2], path) for found, paths in ours.items() for path in paths}
is_failed = False

rows = [line.split("\t") for line in open(dpkg_file).read().splitlines()]
theirs = Counter(tuple(row[1:]) for row in rows if row[0] != "not-installed")
listed = Counter((p["name"], p["version"], p["architecture"]) for p in report["packages"] if p["kind"] == "deb")
print(f"{title}: dpkg-query lists {theirs.total()} packages, amint {listed.total()}")
for sign, more in [("missing", theirs - listed), ("only amint", listed - theirs)]:
    for package in sorted(more):
        is_failed = True
        print(f"  {sign}: {' '.join(package)}")

if len(sys.argv) > 5:
    known = tomllib.load(open(known_file, "rb"))["difference"]
    peer = {}
    for package in json.load(open(sys.argv[5]))["artifacts"]:
        kind = KINDS.get(package["type"], package["type"])
        places = {place["path"] for place in package["locations"]}
        peer.setdefault(key(kind, package["name"], package["version"]), set()).update(places)
    reasons = {}
    missing = []
    for found in sorted(set(peer) - set(ours)):
        def has_reason(entry):
            patterns = zip(found, (entry.get(field, "*") for field in ("kind", "name", "version")))
            if not all(fnmatch.fnmatchcase(text, pattern) for text, pattern in patterns):
                return False
            if "ours" in entry and (found[0], *entry["ours"].split(" ")) not in ours:
                return False
            return not entry.get("same_file") or all((found[0], found[2], path) in at_path for path in peer[found])

        entry = next((entry for entry in known if has_reason(entry)), None)
        if entry:
            reasons.setdefault(entry["reason"], []).append(found)
        else:
            missing.append(found)
    both = len(set(peer) & set(ours))
    print(f"{title}: Syft lists {len(peer)} packages, amint {len(ours)}; {both} are in both")
    kinds = Counter(found[0] for found in ours)
    print("  amint: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    for reason, all_found in reasons.items():
        names = [f"{found[1]} {found[2]}" for found in all_found]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        print(f"  only Syft, for a reason ({len(names)}): {', '.join(names[:3])}{more}\n    {reason}")
    for found in missing:
        is_failed = True
        print(f"  MISSING: {' '.join(found)} ({', '.join(sorted(peer[found]))})")
    only = sorted(set(ours) - set(peer))
    for found in only[:SHOWN_MAX]:
        print(f"  only amint: {' '.join(found)} ({', '.join(sorted(ours[found])[:2])})")
    if len(only) > SHOWN_MAX:
        print(f"  only amint: and {len(only) - SHOWN_MAX} more")
    print(f"  missing without a reason: {len(missing)}")
sys.exit(is_failed)
