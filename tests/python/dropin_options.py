"""Stands in for repozo's parseargs: finds out by trial how `highwater repozo` understands a command line.

There is no way to ask a command for its parsed options, but their effect shows: a command line is run on a small
fixture three times (as it is, with a database that was packed, with a damaged increment), and what happened says
which mode, which date, whether a full, and so on. Only `--with-verify` in a backup has no effect to look at; there
the line that says it is ignored must do.
"""

import os
import sys

from dropin_fixture import Fixture
from dropin_shim import call
from ZODB.scripts import repozo


class Trial:
    """One run of a command line on a fresh fixture."""

    def __init__(self, argv, prepare=lambda fixture: None):
        with Fixture() as fixture:
            prepare(fixture)
            before = fixture.state()
            places = {
                '/tmp/nosuchdir': fixture.repository,
                '/tmp/Data.fs': fixture.data,
                '/tmp/ignored.fs': fixture.ignored,
            }
            self.run = call([moved(word, places) for word in argv], fixture.NOW)
            after = fixture.state()
            self.output = os.path.exists(fixture.ignored)
            self.named = fixture.repository in self.run.said
        self.new = sorted(set(after) - set(before))
        self.gone = sorted(set(before) - set(after))
        self.untouched = before == after


def moved(word, places):
    """A word of the command line with the paths of the test replaced by those of the fixture."""
    for old, new in places.items():
        word = word.replace(old, new)
    return word


class Options:
    """What repozo's own Options hold."""


def parseargs(argv):
    plain = Trial(argv)
    sys.stderr.write(plain.run.said)
    if plain.run.returncode == 0 and b'Usage:' in plain.run.stdout and not plain.run.stdout.startswith(b'FS30'):
        sys.stdout.write(plain.run.stdout.decode())
        raise SystemExit(0)
    if 'Usage:' in plain.run.said:
        raise SystemExit(plain.run.returncode)
    if plain.run.returncode != 0:
        raise AssertionError('exit %d: %s' % (plain.run.returncode, plain.run.said))
    return understood(argv, plain)


def understood(argv, plain):
    packed = Trial(argv, Fixture.pack)
    spoilt = Trial(argv, Fixture.spoil)
    options = Options()
    options.mode = mode(plain, spoilt)
    repozo.VERBOSE = 'looking for files between' in plain.run.said
    options.repository = '/tmp/nosuchdir' if plain.named or plain.new else None
    made = [name for name in plain.new if repozo.is_data_file(name)]
    options.full = bool(made) and made[0].endswith(('.fs', '.fsz'))
    options.gzip = bool(made) and made[0].endswith('z')
    options.killold = bool(plain.gone or packed.gone)
    options.output = '/tmp/ignored.fs' if plain.output else None
    options.file = '/tmp/Data.fs' if made else None
    options.date = None if latest(options.mode, made, spoilt) else 'taken'
    options.withverify = '--with-verify' in argv and '--with-verify option is ignored' not in plain.run.said
    return options


def mode(plain, spoilt):
    """Which of the three happened."""
    if plain.new and not plain.run.stdout:
        return repozo.BACKUP
    if plain.untouched and plain.run.stdout.startswith(b'FS30'):
        return repozo.RECOVER
    if plain.untouched and not plain.run.stdout and spoilt.run.returncode == 1 and 'has checksum' in spoilt.run.said:
        return repozo.VERIFY
    raise AssertionError(
        'no mode does this: new %s, stdout %d bytes, on damage exit %d: %s'
        % (plain.new, len(plain.run.stdout), spoilt.run.returncode, spoilt.run.said)
    )


def latest(mode, made, spoilt):
    """Did the run look at everything up to now, and not at what was there at a date before the increment?"""
    if mode == repozo.BACKUP:
        return made[0].startswith('2013-')
    return spoilt.run.returncode == 1
