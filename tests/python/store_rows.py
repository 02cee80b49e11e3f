"""What the writers of stores and the judges of their copies share: the rows, the pace, the acknowledgements.

Batch i inserts row i into every space (a column family, a prefix), sets `last` to i in every space, and removes the row
that left the window. So a copy is a prefix if `last` is the same everywhere and exactly the rows of the window before
it are there, with exactly the bytes that follow from their numbers.
"""

import argparse
import json
import os
import random
import sys
import threading
import time


NOISE = random.Random(1).randbytes(1 << 17)
TOGETHER = 50  # batches that are made durable together


class Bad(Exception):
    """A copy is no prefix, and why."""


class Rows:
    """The rows of a store: how many stay, and how many bytes each has at least."""

    def __init__(self, window, size):
        self.window, self.size = max(window, 1), min(size, len(NOISE) // 2)

    def shape(self):
        return b'%d %d' % (self.window, self.size)

    @classmethod
    def of_shape(cls, shape):
        window, size = shape.split()
        return cls(int(window), int(size))

    def row(self, place, number):
        start = (number * 7919 + sum(place) * 104729) % (len(NOISE) // 2)
        return b'%s %d ' % (place, number) + NOISE[start : start + self.size + number % 101]

    def first(self, last):
        return max(last - self.window, 0) + 1


def key(number):
    return b'row/%012d' % number


def judge_rows(place, shape, last, found):
    """Of (key, value) in order, exactly the rows of the window up to `last`."""
    if shape is None:
        raise Bad('%s keeps no shape' % place.decode())
    rows = Rows.of_shape(shape)
    expected = rows.first(last)
    for found_key, value in found:
        if expected > last:
            raise Bad('%s holds more than the rows up to %d' % (place.decode(), last))
        if found_key != key(expected):
            raise Bad(
                '%s holds %s where %s belongs, last is %d'
                % (place.decode(), found_key.decode(), key(expected).decode(), last)
            )
        if value != rows.row(place, expected):
            raise Bad('row %d of %s has other bytes' % (expected, place.decode()))
        expected += 1
    if expected <= last:
        raise Bad('%s lacks row %d, last is %d' % (place.decode(), expected, last))


def agreed(what, found):
    """A number that every batch sets in all spaces: `found` has what each space holds."""
    if len(set(found)) != 1:
        raise Bad('torn: %s is %s' % (what, [value and int(value) for value in found]))
    return None if found[0] is None else int(found[0])


class Pace:
    """A steady rate; a batch that is late is not waited for, and a second that was lost is not made up."""

    def __init__(self, rate):
        self.every = 1 / rate if rate else 0
        self.next = time.monotonic()

    def wait(self):
        if not self.every:
            return
        now = time.monotonic()
        if now < self.next:
            time.sleep(self.next - now)
        elif now - self.next > 1:
            self.next = now
        self.next += self.every


def say(last):
    """Acknowledge all batches up to `last`."""
    print(last, flush=True)


def end_with_the_input():
    """End, as if killed, when whoever started the writer is gone."""

    def wait():
        while os.read(0, 64):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def write(given, rows, last, commit, after=lambda last: None):
    """Commit batch after batch: `commit(number, durable)` does one, `after(number)` what comes between."""
    pace = Pace(given.rate)
    end = last + given.batches if given.batches else sys.maxsize
    latencies = open(given.latencies, 'w') if given.latencies else None
    while last < end:
        pace.wait()
        began = time.perf_counter()
        last += 1
        durable = last % TOGETHER == 0 or last == end
        commit(last, durable)
        if durable:
            say(last)
        if latencies:
            took = (time.perf_counter() - began) * 1e6
            latencies.write('%d %d\n' % (time.time() * 1e6, took))
        after(last)
    if latencies:
        latencies.close()


def main(write_store, judge_copy, *flags):
    """The command line of a writer: `write STORE` or `judge COPY`, with flags of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument('verb', choices=('write', 'judge'))
    parser.add_argument('folder')
    parser.add_argument('--rate', type=float, default=0, help='batches a second; 0 for as many as go')
    parser.add_argument('--batches', type=int, default=0, help='how many to commit; 0 for no end')
    parser.add_argument('--window', type=int, default=5000, help='how many rows stay; the store keeps it')
    parser.add_argument('--row', type=int, default=3000, help='how many bytes a row has; the store keeps it')
    parser.add_argument('--latencies', help='where to write when each batch was done and how long it took, in µs')
    parser.add_argument('--acknowledged', type=int, default=0, help='what a copy must hold at least')
    for flag in flags:
        parser.add_argument(flag, action='store_true')
    given = parser.parse_args()
    if given.verb == 'write':
        end_with_the_input()
        write_store(given)
        return
    try:
        last = judge_copy(given)
        if last < given.acknowledged:
            raise Bad('it ends with %d, and %d was acknowledged' % (last, given.acknowledged))
        account = {'good': True, 'last': last, 'why': ''}
    # What the engine raises is the reason too, of whatever class it is.
    except Exception as error:
        account = {'good': False, 'last': None, 'why': '%s: %s' % (type(error).__name__, error)}
    print(json.dumps(account))
    sys.exit(not account['good'])
