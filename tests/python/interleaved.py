"""Runs one backup of the original inside another, at the point where both write to their shared work file.

As a command:  interleaved.py DATA REPOSITORY
An outer plain full copies its first block, then an inner gzip full runs from start to end, then the outer goes on.
Prints the two exit codes.
"""

import sys

from clocks import parse_stamp
from ZODB.scripts import repozo


def run(argv, stamp):
    """The exit code of one run of repozo's main."""
    before = repozo.gen_filedate
    repozo.gen_filedate = lambda options: parse_stamp(stamp)
    try:
        repozo.main(argv)
        return 0
    except SystemExit as leaving:
        return 0 if leaving.code is None else 1
    finally:
        repozo.gen_filedate = before


def main(data, repository):
    common = ['-BF', '-f', data, '-r', repository]
    inner = []
    honest_dofile = repozo.dofile

    def interrupted(func, fp, n=None):
        done = 0
        if n is not None and not inner:
            inner.append(None)
            done = honest_dofile(func, fp, min(n, repozo.READCHUNK))
            inner[0] = run(common + ['-z'], '2026-02-01-00-00-02')
            n -= done
        return done + honest_dofile(func, fp, n)

    repozo.dofile = interrupted
    outer = run(common, '2026-02-01-00-00-01')
    print('inner %d outer %d' % (inner[0], outer))


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2])
