"""Makes and changes real FileStorage databases, the same bytes for the same seed.

As a command:  grow.py create|commit|undo|pack|leave-tail|finish-tail PATH [--seed N] [--count N]
[--shape few|many] [--largest BYTES] [--kind voted|torn|header|stray|zeros]
"""

import argparse
import os
import random

import transaction
from BTrees.OOBTree import OOBTree
from clocks import SteppingClock
from clocks import after
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage import FileStorage
from ZODB.POSException import ConflictError
from ZODB.POSException import UndoError
from ZODB.tests.StorageTestBase import zodb_pickle
from ZODB.utils import z64


EPOCH = 1_600_000_000.0
VOTED = b'c'


def payload(dice, largest):
    """Bytes of random length, half noise and half text, so that gzip has something to do."""
    size = dice.randrange(1, largest + 1)
    noise = dice.randbytes(size // 2)
    return noise + b'highwater ' * ((size - len(noise)) // 10)


class Database:
    """A database opened for one change, under a clock that starts after its last transaction."""

    def __init__(self, path):
        self.storage = FileStorage(path)
        self.clock = SteppingClock(after(self.storage.lastTransaction(), EPOCH))

    def __enter__(self):
        self.clock.__enter__()
        self.db = DB(self.storage)
        return self

    def __exit__(self, *exc):
        transaction.abort()
        self.db.close()
        self.clock.__exit__()


def create(path, seed):
    """A database with a root, a tree and one object."""
    commit(path, seed, 1, 'few', 200)


def commit(path, seed, count, shape, largest):
    """Commit `count` transactions: few objects rewritten, or many new ones."""
    dice = random.Random(seed)
    with Database(path) as opened:
        connection = opened.db.open()
        root = connection.root()
        if 'tree' not in root:
            root['tree'] = OOBTree()
        tree = root['tree']
        for _ in range(count):
            for _ in range(dice.randrange(1, 4) if shape == 'few' else dice.randrange(20, 60)):
                key = dice.randrange(8 if shape == 'few' else 5000)
                if key not in tree:
                    tree[key] = PersistentMapping()
                tree[key]['value'] = payload(dice, largest)
            if shape == 'many' and len(tree) > 40:
                for key in dice.sample(list(tree.keys()), 10):
                    del tree[key]
            transaction.get().note('seed %d' % seed)
            transaction.commit()
        connection.close()


def undo(path, seed):
    """Undo one of the newest transactions, the first of a shuffled list that can be; say if one could."""
    dice = random.Random(seed)
    with Database(path) as opened:
        candidates = [entry['id'] for entry in opened.db.undoLog(0, 12)]
        dice.shuffle(candidates)
        for candidate in candidates:
            try:
                opened.db.undo(candidate)
                transaction.commit()
                return True
            except (UndoError, ConflictError):
                transaction.abort()
    return False


def pack(path):
    """Pack away everything that is not current, and say if that changed the file."""
    with open(path, 'rb') as before:
        old = before.read()
    with Database(path) as opened:
        opened.db.pack(opened.clock())
    old_name = path + '.old'
    if os.path.exists(old_name):
        os.unlink(old_name)
    with open(path, 'rb') as now:
        return now.read() != old


def end_of_history(path):
    """Where the last complete transaction ends, as the real FileStorage sees it."""
    storage = FileStorage(path, read_only=True)
    try:
        return storage.getSize()
    finally:
        storage.close()


def voted_transaction(path, seed):
    """The bytes of a transaction that was voted and never finished: status 'c', complete lengths."""
    dice = random.Random(seed)
    storage = FileStorage(path)
    with SteppingClock(after(storage.lastTransaction(), EPOCH)):
        start = storage.getSize()
        meta = TransactionMetaData()
        storage.tpc_begin(meta)
        old, serial = storage.load(z64)
        storage.store(z64, serial, old, '', meta)
        newcomer = PersistentMapping(value=payload(dice, 3000))
        storage.store(storage.new_oid(), z64, zodb_pickle(newcomer), '', meta)
        storage.tpc_vote(meta)
        storage._file.flush()
        with open(path, 'rb') as data:
            data.seek(start)
            tail = data.read()
        storage.tpc_abort(meta)
        storage.close()
    assert tail[16:17] == VOTED, tail[:24]
    return start, tail


def leave_tail(path, seed, kind):
    """Leave what a writer at work or a crash leaves behind the last complete transaction; say where it starts."""
    start, tail = voted_transaction(path, seed)
    tail = {
        'voted': tail,
        'torn': tail[: len(tail) // 2],
        'header': tail[:22],
        'stray': b'?',
        'zeros': b'\0' * 4096,
    }[kind]
    with open(path, 'r+b') as data:
        data.truncate(start)
        data.seek(start)
        data.write(tail)
    return start


def finish_tail(path, start):
    """Cut off an unfinished tail again, or, if it is a whole voted transaction, finish it as FileStorage would."""
    with open(path, 'r+b') as data:
        data.seek(start)
        tail = data.read()
        length = int.from_bytes(tail[8:16], 'big') + 8
        if tail[16:17] == VOTED and length == len(tail):
            data.seek(start + 16)
            data.write(b' ')
            return True
        data.truncate(start)
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('verb', choices=['create', 'commit', 'undo', 'pack', 'leave-tail', 'finish-tail'])
    parser.add_argument('path')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=10)
    parser.add_argument('--shape', choices=['few', 'many'], default='few')
    parser.add_argument('--largest', type=int, default=4000)
    parser.add_argument('--kind', default='voted')
    parser.add_argument('--start', type=int)
    asked = parser.parse_args()
    if asked.verb == 'create':
        create(asked.path, asked.seed)
    elif asked.verb == 'commit':
        commit(asked.path, asked.seed, asked.count, asked.shape, asked.largest)
    elif asked.verb == 'undo':
        print(undo(asked.path, asked.seed))
    elif asked.verb == 'pack':
        print(pack(asked.path))
    elif asked.verb == 'leave-tail':
        print(leave_tail(asked.path, asked.seed, asked.kind))
    else:
        print(finish_tail(asked.path, asked.start))


if __name__ == '__main__':
    main()
