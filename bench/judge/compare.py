#!/usr/bin/env python3
"""Holds verdicts of amint beside those of OpenSCAP and Lynis on one tree, for the checks that they share.

    compare.py CHECKS FOLDER

The folder holds amint.tsv (of the example `tree`), openscap.xml, lynis.dat, lynis.log and the times, as far as there are
such. Ends with 1 when a verdict differs and the list of checks does not explain it.
"""
import os
import re
import statistics
import sys
import tomllib
import xml.etree.ElementTree as xml

checks = tomllib.load(open(sys.argv[1], "rb"))["check"]
folder = sys.argv[2]


def path(name):
    return os.path.join(folder, name)


def read_amint():
    rules = {}
    for line in open(path("amint.tsv"), encoding="utf-8"):
        rule, state, _, where, _, message = line.rstrip("\n").split("\t", 5)
        rules.setdefault(rule, []).append((state, f"{where} {message}"))
    return rules


def read_openscap():
    if not os.path.exists(path("openscap.xml")):
        return None
    found = {}
    for result in xml.parse(path("openscap.xml")).iter("{http://checklists.nist.gov/xccdf/1.2}rule-result"):
        name = result.get("idref").removeprefix("xccdf_org.ssgproject.content_rule_")
        found[name] = result.findtext("{http://checklists.nist.gov/xccdf/1.2}result")
    return found


def read_lynis():
    if not os.path.exists(path("lynis.dat")):
        return None
    report = open(path("lynis.dat"), encoding="utf-8").read()
    log = open(path("lynis.log"), encoding="utf-8", errors="replace").read()
    executed = set(re.search(r"^tests_executed=(.*)$", report, re.M).group(1).split("|"))
    remarks = re.findall(r"^(?:warning|suggestion)\[\]=(.*)$", report, re.M)
    settings = dict(re.findall(r"sysctl key (\S+) (has a different|contains equal)", log))
    modes = dict(re.findall(r"if (?:file|directory) (\S+) has the permissions.*\n.*Outcome: (correct|permissions)", log))
    return executed, remarks, settings, modes


amint, openscap, lynis = read_amint(), read_openscap(), read_lynis()


def amint_verdict(asked):
    rule, _, words = asked.partition(":")
    results = amint.get(rule)
    if results is None or results[0][0] in ("not_applicable", "not_evaluated"):
        return None
    return "fail" if any(state == "fail" and words in text for state, text in results) else "pass"


def openscap_verdict(names):
    results = [openscap.get(name) for name in names.split()]
    if "fail" in results:
        return "fail"
    return "pass" if "pass" in results else None


def lynis_verdict(asked):
    executed, remarks, settings, modes = lynis
    kind, _, words = asked.partition(":")
    if kind == "sysctl":
        return {"has a different": "fail", "contains equal": "pass"}.get(settings.get(words))
    if kind == "mode":
        return {"permissions": "fail", "correct": "pass"}.get(modes.get(words))
    if kind not in executed:
        return None
    return "fail" if any(remark.startswith(kind) and words in remark for remark in remarks) else "pass"


rows, unexplained = [], 0
agreed = {"openscap": 0, "lynis": 0}
differed = {"openscap": 0, "lynis": 0}
for check in checks:
    ours = amint_verdict(check["amint"])
    row = [check["name"], ours or "-"]
    notes = []
    for peer, is_there, verdict in (("openscap", openscap, openscap_verdict), ("lynis", lynis, lynis_verdict)):
        theirs = verdict(check[peer]) if is_there and peer in check else None
        row.append(theirs or "-")
        if ours is None or theirs is None:
            continue
        if ours == theirs:
            agreed[peer] += 1
            continue
        differed[peer] += 1
        reason = check.get("differs", {}).get(peer)
        if reason is None:
            unexplained += 1
        notes.append(f"{peer}: {reason or 'NOT EXPLAINED'}")
    rows.append((row, "; ".join(notes)))

print(f"\n{'check':<44} {'amint':<6} {'openscap':<9} {'lynis':<6} why they differ")
for row, note in rows:
    print(f"{row[0]:<44} {row[1]:<6} {row[2]:<9} {row[3]:<6} {note}")
for peer in agreed:
    if agreed[peer] + differed[peer]:
        print(f"\n{peer}: {agreed[peer]} verdicts agree, {differed[peer]} differ")
for name in ("amint", "openscap", "lynis"):
    if os.path.exists(path(f"{name}.time")):
        figures = [tuple(map(float, line.split())) for line in open(path(f"{name}.time"))]
        wall, used, memory = (statistics.median(column) for column in zip(*figures))
        print(f"{name:<9} {wall:8.2f} s  processor {used:8.2f} s  {memory:6.0f} MiB  (median of {len(figures)})")
sys.exit(1 if unexplained else 0)
