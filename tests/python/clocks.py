"""Clocks under our control: the stamps of the original repozo, and the transaction ids of ZODB."""

import os
import time

from persistent.TimeStamp import TimeStamp

real_time = time.time


def parse_stamp(text):
    """Turn YYYY-MM-DD-HH-MM-SS into the six numbers that repozo's own tests pass as `test_now`."""
    parts = tuple(int(part) for part in text.split('-'))
    if len(parts) != 6:
        raise ValueError('not a stamp of six numbers: %r' % text)
    return parts


def fix_repozo_clock(repozo, stamp):
    """Make the original take `stamp` as now. Its code reads the clock in this one function only."""
    now = parse_stamp(stamp)
    repozo.gen_filedate = lambda options: getattr(options, 'test_now', now)


def repozo_clock_from_environment(repozo):
    """The original obeys the same variable as highwater, so both can be driven alike."""
    stamp = os.environ.get('HIGHWATER_NOW')
    if stamp:
        fix_repozo_clock(repozo, stamp)


class SteppingClock:
    """A replacement of time.time that starts just after a database's last transaction and moves on by
    a second a call, so that transaction ids depend on the seed alone."""

    def __init__(self, start):
        self.now = start

    def __call__(self):
        self.now += 1.0
        return self.now

    def __enter__(self):
        time.time = self
        return self

    def __exit__(self, *exc):
        time.time = real_time


def after(last_tid, at_least):
    """The second after a transaction id, or `at_least` for a database that has none."""
    if last_tid == b'\0' * 8:
        return at_least
    return max(at_least, TimeStamp(last_tid).timeTime() + 1.0)
