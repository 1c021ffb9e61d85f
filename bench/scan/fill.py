#!/usr/bin/env python3
"""Adds files to a tree until it has a given number of regular files; the same tree gives the same files each time.

    fill.py TREE COUNT

Seven in ten have up to 4 KiB, two up to 16 KiB, the others up to 64 KiB and one in a hundred up to 512 KiB; one in fifty may
be executed. Their names look like those of what packages, caches and sites leave behind.
"""
import os
import random
import sys

tree, count = sys.argv[1], int(sys.argv[2])
random_numbers = random.Random(20)
noise = random_numbers.randbytes(1 << 20)
words = b"server request cache image session token worker volume index result ".split()
text = b" ".join(random_numbers.choice(words) for _ in range(1 << 17))
endings = ["txt", "html", "css", "js", "map", "py", "json", "png", "so", "log", "yaml", "conf", "dat"]
binary = {"png", "so", "dat"}


def size_bytes():
    kind = random_numbers.random()
    limit = 4 if kind < 0.7 else 16 if kind < 0.9 else 64 if kind < 0.99 else 512
    return random_numbers.randrange(limit << 10)


there = sum(len([name for name in names if not os.path.islink(os.path.join(folder, name))])
            for folder, _, names in os.walk(tree))
if there > count:
    sys.exit(f"bench: the tree has {there} files, and {count} are wanted")
for number in range(count - there):
    folder = f"{tree}/srv/data/{number // 10000:03}/{number // 100 % 100:02}"
    if number % 100 == 0:
        os.makedirs(folder)
    ending = random_numbers.choice(endings)
    source = noise if ending in binary else text
    length = size_bytes()
    start = random_numbers.randrange(len(source) - length)
    path = f"{folder}/{random_numbers.choice(words).decode()}-{number:06}.{ending}"
    with open(path, "wb") as file:
        file.write(source[start : start + length])
    os.chmod(path, 0o755 if number % 50 == 0 else 0o644)
    os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
