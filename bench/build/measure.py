#!/usr/bin/env python3
"""Runs a command and appends wall seconds, processor seconds and the largest process's memory in MiB to a file.

    measure.py FILE COMMAND...
"""
import resource
import subprocess
import sys
import time

start = time.monotonic()
process = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
wall = time.monotonic() - start
if process.returncode != 0:
    sys.stderr.buffer.write(process.stderr[-4000:])
    sys.exit(f"bench: {sys.argv[2]} ended with {process.returncode}")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "a") as figures:
    figures.write(f"{wall:.2f} {used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss / 1024:.0f}\n")
