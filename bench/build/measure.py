#!/usr/bin/env python3
"""Runs a command and appends wall seconds, processor seconds and the largest process's memory in MiB to a file.

    measure.py FILE COMMAND...

Processor time is that of the whole machine meanwhile, because processes in namespaces of their own are not always counted
as anybody's children: run it on an idle machine. Memory is looked at every 50 ms, over all processes that the command
started; the largest one counts.
"""
import os
import subprocess
import sys
import threading
import time


def machine_seconds():
    with open("/proc/stat") as stat:
        fields = stat.readline().split()[1:]
    busy = [int(fields[index]) for index in (0, 1, 2, 5, 6, 7)]
    return sum(busy) / os.sysconf("SC_CLK_TCK")


def started_before():
    return {name for name in os.listdir("/proc") if name.isdigit()}


old = started_before()
peak = 0
done = threading.Event()


def watch():
    global peak
    while not done.wait(0.05):
        for name in started_before() - old:
            try:
                with open(f"/proc/{name}/status") as status:
                    for line in status:
                        if line.startswith("VmHWM:"):
                            peak = max(peak, int(line.split()[1]))
            except OSError:
                pass


watcher = threading.Thread(target=watch)
before, start = machine_seconds(), time.monotonic()
process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
watcher.start()
errors = process.communicate()[1]
wall, used = time.monotonic() - start, machine_seconds() - before
done.set()
watcher.join()
if process.returncode != 0:
    sys.stderr.buffer.write(errors[-4000:])
    sys.exit(f"bench: {sys.argv[2]} ended with {process.returncode}")
with open(sys.argv[1], "a") as figures:
    figures.write(f"{wall:.2f} {used:.2f} {peak / 1024:.0f}\n")
