#!/usr/bin/env python3
"""Runs a command and appends wall seconds, processor seconds and the largest process's memory in MiB to a file.

    measure.py [--own] [--ok CODES] FILE COMMAND...

Processor time is that of the whole machine meanwhile, because processes in namespaces of their own are not always counted
as anybody's children: run it on an idle machine. With `--own` it is that of the command and its children instead. Memory
is what the kernel says of the largest child that was waited for, and without `--own` also what is seen every 50 ms over
all processes that started meanwhile; the largest one counts. `--ok 0,4` names the exit codes that are no failure.
"""
import os
import resource
import subprocess
import sys
import threading
import time

arguments = sys.argv[1:]
is_own = arguments[0] == "--own"
if is_own:
    arguments.pop(0)
codes = {0}
if arguments[0] == "--ok":
    codes = {int(code) for code in arguments[1].split(",")}
    del arguments[:2]
target, command = arguments[0], arguments[1:]


def used_seconds():
    if is_own:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
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


# With `--own` the machine may be busy with others, whose processes are not this command's.
watcher = None if is_own else threading.Thread(target=watch)
before, start = used_seconds(), time.monotonic()
process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
if watcher:
    watcher.start()
errors = process.communicate()[1]
wall, used = time.monotonic() - start, used_seconds() - before
if watcher:
    done.set()
    watcher.join()
peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
if process.returncode not in codes:
    sys.stderr.buffer.write(errors[-4000:])
    sys.exit(f"bench: {command[0]} ended with {process.returncode}")
with open(target, "a") as figures:
    figures.write(f"{wall:.3f} {used:.3f} {peak / 1024:.0f}\n")
