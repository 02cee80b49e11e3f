"""Writes the Data.fs of tests/bench: FileStorage bytes made directly, the same for the same size, in seconds.

As a command:  bench_data.py FOLDER MIB
makes Data.fs (MIB), Data.fs.1 (1 % longer), Data.fs.2 (2 % longer) and layout.json, which says where each
ends and where 32 similar parts of the first one end. Real ZODB takes minutes for the same.
"""

import json
import os
import random
import struct
import sys

SEED = 20_201_120
PARTS = 32
SMALLEST, LARGEST = 100, 65_536
RECORDS = (1, 12)
MATERIAL = 48 * 1024 * 1024
# 2020-09-13 in the minutes of a time stamp; later transactions follow every other second.
MINUTES = ((((2020 - 1900) * 12 + 8) * 31 + 12) * 24) * 60
CLASS = b'\x80\x03cpersistent.mapping\nPersistentMapping\nq\x00.'
HEAD = b'\x80\x03}q\x01X\x04\x00\x00\x00dataq\x02}q\x03X\x05\x00\x00\x00valueq\x04B'
FOOT = b'ss.'
ROOT = CLASS + b'\x80\x03}q\x01X\x04\x00\x00\x00dataq\x02}q\x03s.'


def material(dice):
    """Text and noise in turn, in the proportion that gzip -6 makes 79 % of."""
    words = [bytes(dice.choices(b'abcdefghijklmnopqrstuvwxyz_', k=dice.randrange(2, 12))) for _ in range(700)]
    pieces = []
    length = 0
    while length < MATERIAL:
        text = b' '.join(dice.choices(words, k=dice.randrange(10, 60)))
        pieces += [text, dice.randbytes(int(len(text) * dice.uniform(1.4, 2.4)))]
        length += len(pieces[-1]) + len(text)
    return b''.join(pieces)


def size_of(dice):
    return min(LARGEST, max(SMALLEST, int(dice.lognormvariate(8.45, 1.1))))


def tid_of(number):
    seconds = number * 2
    return struct.pack('>II', MINUTES + seconds // 60, (seconds % 60) * (2**32 // 60))


def transactions(dice):
    """Endless transactions, as bytes, each right behind the one before."""
    stuff = material(dice)
    position = 4
    last = []
    number = 0
    while True:
        tid = tid_of(number)
        records = []
        at = position + 23
        here = set()
        for _ in range(1 if number == 0 else dice.randint(*RECORDS)):
            if number and last and dice.random() < 0.25:
                oid = dice.randrange(len(last))
                if oid in here:
                    continue
            else:
                oid = len(last)
                last.append(0)
            here.add(oid)
            size = size_of(dice)
            start = dice.randrange(len(stuff) - size)
            data = (
                ROOT
                if oid == 0
                else b''.join((CLASS, HEAD, struct.pack('<I', size), stuff[start : start + size], FOOT))
            )
            records.append(struct.pack('>Q8sQQHQ', oid, tid, last[oid], position, 0, len(data)))
            records.append(data)
            last[oid] = at
            at += 42 + len(data)
        length = at - position
        head = struct.pack('>8sQcHHH', tid, length, b' ', 0, 0, 0)
        yield b''.join((head, *records, struct.pack('>Q', length)))
        position = at + 8
        number += 1


def make(folder, mib):
    goals = [mib << 20, (mib << 20) * 101 // 100, (mib << 20) * 102 // 100]
    parts = [goals[0] * n // PARTS for n in range(1, PARTS)]
    ends, part_ends, count = [], [], 0
    position = 4
    work = os.path.join(folder, 'Data.fs.2')
    with open(work, 'wb', buffering=1 << 20) as out:
        out.write(b'FS30')
        for record in transactions(random.Random(SEED)):
            out.write(record)
            position += len(record)
            count += 1
            while len(part_ends) < len(parts) and position >= parts[len(part_ends)]:
                part_ends.append(position)
            while len(ends) < len(goals) and position >= goals[len(ends)]:
                ends.append(position)
            if len(ends) == len(goals):
                break
    for name, end in zip(('Data.fs', 'Data.fs.1'), ends):
        with open(work, 'rb') as whole, open(os.path.join(folder, name), 'wb') as out:
            left = end
            while left:
                piece = whole.read(min(left, 1 << 20))
                out.write(piece)
                left -= len(piece)
    with open(os.path.join(folder, 'layout.json'), 'w') as out:
        json.dump({'ends': ends, 'parts': [*part_ends, ends[0]], 'transactions': count}, out)


if __name__ == '__main__':
    make(sys.argv[1], int(sys.argv[2]))
