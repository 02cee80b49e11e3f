"""A small repository and its database on which the shim tries command lines whose effect it has to see."""

import os
import shutil
import tempfile

import grow
from clocks import parse_stamp
from ZODB.scripts import repozo


class Fixture:
    """A folder with Data.fs, grown since the last backup, and a repository: a full of 2011 and an increment of 2012.

    The first one is made with the original itself, the others are copies.
    """

    NOW = parse_stamp('2013-01-01-00-00-00')
    full = '2011-01-01-00-00-00.fs'
    increment = '2012-06-01-00-00-00.deltafs'
    template = None

    @classmethod
    def prepare(cls):
        """Make the first one, before any function of the original is replaced."""
        cls.template = make_template()

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='highwater-fixture-')
        self.data = os.path.join(self.folder, 'Data.fs')
        self.repository = os.path.join(self.folder, 'repository')
        self.ignored = os.path.join(self.folder, 'ignored.fs')
        shutil.copytree(Fixture.template, self.folder, dirs_exist_ok=True)
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.folder)

    def pack(self):
        """Make the database one that needs a full backup."""
        grow.pack(self.data)

    def spoil(self):
        """Flip a bit of the increment."""
        path = os.path.join(self.repository, self.increment)
        with open(path, 'r+b') as stored:
            stored.seek(40)
            byte = stored.read(1)[0]
            stored.seek(40)
            stored.write(bytes([byte ^ 1]))

    def state(self):
        """Names and contents of the repository's backups."""
        state = {}
        for name in sorted(os.listdir(self.repository)):
            if repozo.is_data_file(name) or name.endswith(('.dat', '.index')):
                with open(os.path.join(self.repository, name), 'rb') as stored:
                    state[name] = stored.read()
        return state


def make_template():
    folder = tempfile.mkdtemp(prefix='highwater-template-')
    data, repository = os.path.join(folder, 'Data.fs'), os.path.join(folder, 'repository')
    os.mkdir(repository)
    grow.create(data, 1)
    honest = repozo.gen_filedate
    try:
        for seed, name in ((2, Fixture.full), (3, Fixture.increment), (4, None)):
            grow.commit(data, seed, 4, 'few', 900)
            if name:
                stamp = parse_stamp(name.split('.')[0])
                repozo.gen_filedate = lambda options, stamp=stamp: stamp
                repozo.main(['-B', '-f', data, '-r', repository])
    finally:
        repozo.gen_filedate = honest
    if Fixture.full not in os.listdir(repository) or Fixture.increment not in os.listdir(repository):
        raise AssertionError('the fixture was not made: %s' % os.listdir(repository))
    return folder
