"""Opens a Data.fs with the real ZODB, loads every current object, and tells its history as ids and sums.

As a command:  history.py DATA
"""

import hashlib
import json
import sys

from ZODB import DB
from ZODB.FileStorage import FileStorage


def sum_of(records):
    """One sum for the objects of a transaction, whatever their order in the file."""
    digest = hashlib.sha256()
    for oid, data in sorted(records):
        digest.update(oid)
        digest.update(hashlib.sha256(data or b'').digest())
    return digest.hexdigest()


def transactions(storage):
    """[[tid, sum], ...] in the order of the file."""
    told = []
    iterator = storage.iterator()
    try:
        for entry in iterator:
            told.append([entry.tid.hex(), sum_of((record.oid, record.data) for record in entry)])
    finally:
        iterator.close()
    return told


def undone_creation(storage, oid):
    """Is the current record of an object one that an undo left to say that it was never created?"""
    header = storage._read_data_header(storage._index[oid])
    return header.plen == 0 and header.back == 0


def load_everything(storage):
    """Load and unpickle every object the index knows; a broken one raises."""
    db = DB(storage)
    connection = db.open()
    count = 0
    try:
        for oid in list(storage._index.keys()):
            if undone_creation(storage, oid):
                continue
            connection.get(oid)._p_activate()
            count += 1
    finally:
        connection.close()
        db.close()
    return count


def tell(path):
    """The whole story of one database file; raises if ZODB cannot read any of it."""
    storage = FileStorage(path, read_only=True)
    told = {'end': storage.getSize(), 'transactions': transactions(storage)}
    told['objects'] = load_everything(storage)
    return told


if __name__ == '__main__':
    print(json.dumps(tell(sys.argv[1])))
