"""A store as DirectoryStorage keeps it, written to without pause, and a judge of its copies; see store_rows.py.

As a command:  dirstorage_store.py write STORE [--rate N]
               dirstorage_store.py judge COPY [--acknowledged N]
DirectoryStorage itself runs on no Python of today. This follows what it does to its files: a transaction is written into
the journal, committed by a rename, and moved into the database with others, or beside it while the store is in snapshot
mode. Transaction i is acknowledged once it is committed; it adds an object and changes some others. It locks what the
storage locks: `misc/lock` for as long as it runs, `misc/sublock` but for snapshot mode, in which it stays while others
hold that. While there is a file STORE.ask, it stays in snapshot mode, and says so by a file STORE.asked.
"""

import fcntl
import hashlib
import os
import random
import shutil
import struct

from store_rows import Bad
from store_rows import Pace
from store_rows import main
from store_rows import say


SETTINGS = '[structure]\nformat: chunky\nversion: 0.11\n\n[md5policy]\nwrite: 1\n\n[storage]\nclassname: Full\n'
TOGETHER = 20  # transactions that are moved together
FIRST = 0x0352800000000000


def number(value):
    return struct.pack('>Q', value)


def place(name):
    """Where a file lies below the folder of a database of the layout chunky."""
    stem, rest = name.split('.')
    if stem == 'x':
        return os.path.join(stem, rest)
    folders = [stem[:4]]
    stem = stem[4:]
    while len(stem) > 4:
        folders.append(stem[:3])
        stem = stem[3:]
    return os.path.join(*folders, '%s.%s' % (stem, rest))


def transaction_name(tid):
    digits = '%016X' % tid
    return 't%s.%s' % (digits[:6], digits[6:])


def revision(oid, previous, tid, pickle):
    body = number(previous) + number(tid) + pickle
    head = b'\xbd\xb8\x2a\x71' + struct.pack('>IQQ16x', 56 + len(body), oid, 0)
    return head + hashlib.md5(body).digest() + body


def transaction(tid, previous, oids):
    texts = (b'kim', b'/edit', b'}.')
    body = struct.pack('>HHHIH', *map(len, texts), 8 * len(oids), 0) + b''.join(texts) + b''.join(map(number, oids))
    head = b'\x47\x40\x07\x76' + struct.pack('>IQ8xQ', 48 + len(body), tid, previous)
    return head + hashlib.md5(body).digest() + body


class Store:
    """The folder of a store, and what its program knows of it."""

    def __init__(self, home):
        self.home = home
        self.waiting, self.newest, self.frozen = [], {}, False
        if not os.path.exists(self.path('config/settings')):
            self.create()
        self.main_lock, self.sublock = self.lock('misc/lock'), None
        assert self.main_lock, 'another process has the store open'
        self.recover()
        self.last, self.highest = self.number('x.serial'), self.number('x.oid')
        self.current = {}

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def create(self):
        for folder in ('A/x', 'B', 'journal', 'misc', 'config'):
            os.makedirs(self.path(folder), exist_ok=True)
        for name in ('x.oid', 'x.serial', 'x.packed'):
            self.write(self.path('A', place(name)), number(0))
        self.write(self.path('config/identity'), b'5f0d6b1a9c3e47288e1f02b4d6a8c0e2')
        self.write(self.path('config/settings'), SETTINGS.encode())

    def lock(self, name):
        """The open file, if no other process holds it."""
        file = open(self.path(name), 'a+')
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file

    def relock(self):
        """Whether the database may be changed."""
        self.sublock = self.sublock or self.lock('misc/sublock')
        return self.sublock is not None

    def write(self, path, content):
        with open(path, 'wb') as out:
            out.write(content)

    def number(self, name):
        beside = self.path('B', place(name))
        with open(beside if os.path.exists(beside) else self.path('A', place(name)), 'rb') as file:
            return struct.unpack('>Q', file.read())[0]

    def recover(self):
        """Take in what is committed, throw away what is not, as the storage does when it is started."""
        if os.path.exists(self.home + '.asked'):
            os.unlink(self.home + '.asked')
        self.frozen = not self.relock()
        if not self.frozen:
            if os.path.exists(self.path('misc/snapshot')):
                os.unlink(self.path('misc/snapshot'))
            self.recombine()
        for folder in sorted(os.listdir(self.path('journal'))):
            if folder.endswith('_done'):
                self.waiting.append(folder)
            else:
                shutil.rmtree(self.path('journal', folder))
        self.flush()

    def move(self, source, top, path):
        target = self.path(top, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(source, target)

    def flush(self):
        """Move what waits into the database, or beside it; only the newest of files of one name."""
        for folder in self.waiting:
            for name in os.listdir(self.path('journal', folder)):
                path = self.path('journal', folder, name)
                if self.newest.get(name, folder) == folder:
                    self.move(path, 'B' if self.frozen else 'A', place(name))
                else:
                    os.unlink(path)
        for folder in self.waiting:
            os.rmdir(self.path('journal', folder))
        self.waiting, self.newest = [], {}

    def recombine(self):
        top = self.path('B')
        for folder, _, names in os.walk(top, topdown=False):
            for name in names:
                path = os.path.join(folder, name)
                self.move(path, 'A', os.path.relpath(path, top))
            if folder != top:
                os.rmdir(folder)

    def freeze(self):
        self.flush()
        self.frozen = True
        self.write(self.path('misc/snapshot'), b'user/writer')
        self.sublock.close()
        self.sublock = None

    def thaw(self):
        if not self.relock():
            return
        if os.path.exists(self.path('misc/snapshot')):
            os.unlink(self.path('misc/snapshot'))
        self.recombine()
        self.frozen = False

    def asked(self):
        """Whether somebody asks for snapshot mode, which it is in then."""
        ask, asked = self.home + '.ask', self.home + '.asked'
        if os.path.exists(ask):
            if not os.path.exists(asked):
                # One that it entered by itself lacks what was acknowledged since.
                self.thaw()
                if not self.frozen:
                    self.freeze()
                    self.write(asked, b'')
            return True
        if os.path.exists(asked):
            os.unlink(asked)
        return False

    def serial(self, oid):
        if oid not in self.current:
            self.current[oid] = self.number('o%016X.c' % oid)
        return self.current[oid]

    def commit(self, tid, oids, pickle):
        self.highest += 1
        oids = sorted({self.highest, *oids})
        self.current[self.highest] = 0
        files = {
            transaction_name(tid): transaction(tid, self.last, oids),
            'x.oid': number(self.highest),
            'x.serial': number(tid),
        }
        for oid in oids:
            files['o%016X.%016X' % (oid, tid)] = revision(oid, self.serial(oid), tid, pickle)
            files['o%016X.c' % oid] = number(tid)
            self.current[oid] = tid
        begun, done = ('working_%016X_%s' % (tid, what) for what in ('temp', 'done'))
        os.mkdir(self.path('journal', begun))
        for name, content in files.items():
            self.write(self.path('journal', begun, name), content)
        os.rename(self.path('journal', begun), self.path('journal', done))
        self.newest.update(dict.fromkeys(files, done))
        self.waiting.append(done)
        self.last = tid


def write_store(given):
    store, pace, dice = Store(given.folder), Pace(given.rate), random.Random()
    count = (store.last - FIRST) >> 20 if store.last else 0
    say(count)
    while not given.batches or count < given.batches:
        pace.wait()
        count += 1
        some = [1 + dice.randrange(store.highest) for _ in range(3 if store.highest else 0)]
        store.commit(FIRST + (count << 20), some, dice.randbytes(300 + dice.randrange(400)))
        say(count)
        asked = store.asked()
        if len(store.waiting) >= TOGETHER:
            store.flush()
            if store.frozen and not asked:
                store.thaw()
            elif dice.random() < 0.3 and not store.frozen:
                store.freeze()


def judge_copy(given):
    """Of what is in the database, every transaction leads back to the first, with all that it wrote."""

    def read(name):
        try:
            with open(os.path.join(given.folder, 'A', place(name)), 'rb') as file:
                return file.read()
        except FileNotFoundError:
            raise Bad('%s is not there' % name) from None

    last = tid = struct.unpack('>Q', read('x.serial'))[0]
    current = {}
    while tid:
        found = read(transaction_name(tid))
        previous = struct.unpack('>Q', found[24:32])[0]
        users, texts, more, size = struct.unpack('>HHHI', found[48:58])
        start = 60 + users + texts + more
        oids = [struct.unpack('>Q', found[at : at + 8])[0] for at in range(start, start + size, 8)]
        if found != transaction(tid, previous, oids):
            raise Bad('%s has other bytes' % transaction_name(tid))
        for oid in oids:
            name = 'o%016X.%016X' % (oid, tid)
            found = read(name)
            if current.setdefault(oid, tid) == tid and read('o%016X.c' % oid) != number(tid):
                raise Bad('%s is not current' % name)
            if found != revision(oid, struct.unpack('>Q', found[56:64])[0], tid, found[72:]):
                raise Bad('%s has other bytes' % name)
        tid = previous
    return (last - FIRST) >> 20 if last else 0


if __name__ == '__main__':
    main(write_store, judge_copy)
