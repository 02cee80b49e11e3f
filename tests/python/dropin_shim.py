"""Stands in for the functions of repozo by calling `highwater repozo`, so that repozo's own tests test us.

Each function turns its `options` into a command line, runs the binary, and turns exit code and message back into
what the test expects: a value, one of repozo's exceptions, or SystemExit.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from dropin_fixture import Fixture
from ZODB.scripts import repozo


STAMP = '%04d-%02d-%02d-%02d-%02d-%02d'
LOCK = '.highwater.lock'


class Binary:
    """The program under test, and how often it was called."""

    path = None
    calls = 0


def call(argv, now=None):
    """Run the drop-in with the clock at `now`, six numbers, or at what the test's own clock says."""
    Binary.calls += 1
    environment = dict(os.environ, HIGHWATER_NOW=STAMP % tuple(now or time.gmtime()[:6]))
    run = subprocess.run([Binary.path, 'repozo', *argv], env=environment, capture_output=True, timeout=60)
    run.said = run.stderr.decode(errors='replace')
    return run


def raise_for(run):
    """The exception that the original would have raised for a failed run."""
    if run.returncode == 0:
        return
    message = run.said.strip()
    if run.returncode != 1:
        raise AssertionError('exit %d: %s' % (run.returncode, message))
    if message.startswith('No files in repository'):
        raise repozo.NoFiles(message)
    if message.startswith('Cannot overwrite existing file'):
        raise repozo.WouldOverwriteFiles(message)
    if re.search(r'is missing|bytes.*should be|has checksum', message):
        raise repozo.VerificationFail(message)
    raise repozo.RepozoError(message)


def flags(options, **table):
    """The flags whose attributes are set."""
    return [flag for name, flag in table.items() if getattr(options, name, False)]


def now_of(options):
    return getattr(options, 'test_now', None)


def main(argv):
    run = call(argv)
    if run.returncode:
        sys.exit(run.said.strip())


def do_recover(options):
    argv = ['-R', '-r', options.repository, *flags(options, withverify='-w', full='-F', quick='-Q')]
    if options.date:
        argv += ['-D', options.date]
    if getattr(options, 'output', None):
        argv += ['-o', options.output]
    raise_for(call(argv, now_of(options)))


def do_verify(options):
    raise_for(call(['-V', '-r', options.repository, *flags(options, quick='-Q')], now_of(options)))


def do_full_backup(options):
    options.full = True
    argv = ['-BF', '-r', options.repository, '-f', options.file, *flags(options, gzip='-z', killold='-k')]
    raise_for(call(argv, now_of(options)))


def do_incremental_backup(options, reposz, repofiles):
    """An increment on top of a full that has no line yet.

    The original writes the line of the increment alone. We do not build on a full that nothing vouches for, so the
    line of the full is put there first and taken away afterwards, before the test looks.
    """
    full = repofiles[0]
    datfile = os.path.splitext(full)[0] + '.dat'
    with open(full, 'rb') as stored:
        line = '%s 0 %d %s\n' % (full, reposz, repozo.checksum(stored, reposz))
    with open(datfile, 'w') as dat:
        dat.write(line)
    options.full = False
    argv = ['-B', '-r', options.repository, '-f', options.file, *flags(options, gzip='-z')]
    raise_for(call(argv, now_of(options)))
    with open(datfile) as dat:
        lines = dat.readlines()
    if lines[0] != line:
        raise AssertionError('the line of the full was changed: %r' % lines[0])
    with open(datfile, 'w') as dat:
        dat.writelines(lines[1:])


def find_files(options):
    """The files that `-R -v` says it needs."""
    with tempfile.TemporaryDirectory() as folder:
        argv = ['-Rv', '-r', options.repository, '-o', os.path.join(folder, 'Data.fs')]
        if options.date:
            argv += ['-D', options.date]
        run = call(argv, now_of(options))
    if 'no files found' in run.said:
        return []
    raise_for(run)
    return [line[1:] for line in run.said.splitlines() if line.startswith('\t')]


def scandat(repofiles):
    """What `-B -Q -v` says of the last line of a `.dat`, tried on a chain that stands in for the test's file."""
    datfile = os.path.splitext(repofiles[0])[0] + '.dat'
    with Fixture() as fixture:
        ours = os.path.join(fixture.repository, fixture.full[:-3] + '.dat')
        os.unlink(ours)
        if os.path.exists(datfile):
            shutil.copyfile(datfile, ours)
        run = call(['-BQv', '-r', fixture.repository, '-f', fixture.data], fixture.NOW)
    if 'missing or empty .dat file (full backup)' in run.said:
        return None, None, None, None
    raise AssertionError('not what a missing or empty .dat calls for: ' + run.said)


def gen_filename(options):
    """The name that a real backup with these options gives its data file."""
    with Fixture() as fixture:
        before = set(os.listdir(fixture.repository))
        argv = ['-B', '-r', fixture.repository, '-f', fixture.data, *flags(options, full='-F', gzip='-z')]
        raise_for(call(argv, (3000 + options.test_now[0], *options.test_now[1:])))
        made = [name for name in set(os.listdir(fixture.repository)) - before if repozo.is_data_file(name)]
    (name,) = made
    return '%04d%s' % (int(name[:4]) - 3000, name[4:])


def delete_old_backups(options):
    """`-k` deletes after a full, so the newest full of the test is made again by the run that deletes.

    If the test has no full, nothing may go; then the backup made here is taken away again. So is our lock file, which
    stays in a repository for good: the test counts every file.
    """
    names = os.listdir(options.repository)
    fulls = sorted(name for name in names if re.fullmatch(r'\d{4}(-\d\d){5}\.fsz?', name))
    stem = fulls[-1].split('.')[0] if fulls else '2030-01-01-00-00-00'
    for name in names:
        if name.startswith(stem):
            os.unlink(os.path.join(options.repository, name))
    with Fixture() as fixture:
        argv = ['-BFk', '-r', options.repository, '-f', fixture.data]
        if fulls and fulls[-1].endswith('z'):
            argv.append('-z')
        raise_for(call(argv, [int(part) for part in stem.split('-')]))
    os.unlink(os.path.join(options.repository, LOCK))
    if not fulls:
        for ext in ('.fs', '.dat', '.index'):
            os.unlink(os.path.join(options.repository, stem + ext))
