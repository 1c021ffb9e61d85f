#!/usr/bin/env python3
"""Reads every byte of a sparse file that is not a hole, and nothing else: the least that reading an image can take.

    read_data.py FILE
"""
import os
import sys

file = os.open(sys.argv[1], os.O_RDONLY)
end = os.fstat(file).st_size
buffer = bytearray(1 << 20)
at = 0
while at < end:
    try:
        at = os.lseek(file, at, os.SEEK_DATA)
    except OSError:
        break
    hole = os.lseek(file, at, os.SEEK_HOLE)
    while at < hole:
        count = os.preadv(file, [memoryview(buffer)[: hole - at]], at)
        if count == 0:
            break
        at += count
