"""Compares `.index` files through the real fsIndex, and with what it saves after a scan from zero.

As a command:  indexes.py same ONE OTHER   |   indexes.py scan DATA OUT
"""

import os
import sys
import tempfile

from ZODB.FileStorage import FileStorage
from ZODB.fsIndex import fsIndex


def load(path):
    """The position and the sorted entries of an index file, as ZODB loads them."""
    loaded = fsIndex.load(path)
    return loaded['pos'], list(loaded['index'].items())


def scan(data, out):
    """Save to `out` the index of a database as FileStorage builds it when there is none to start from."""
    with tempfile.TemporaryDirectory() as folder:
        alias = os.path.join(folder, 'Data.fs')
        os.symlink(os.path.abspath(data), alias)
        storage = FileStorage(alias, read_only=True)
        try:
            storage._index.save(storage.getSize(), out)
        finally:
            storage.close()


def differences(one, other):
    """What differs between two index files, in words; an empty list if they are equal byte for byte."""
    found = []
    one_pos, one_entries = load(one)
    other_pos, other_entries = load(other)
    if one_pos != other_pos:
        found.append('position %d against %d' % (one_pos, other_pos))
    one_map, other_map = dict(one_entries), dict(other_entries)
    for oid in sorted(set(one_map) | set(other_map)):
        if one_map.get(oid) != other_map.get(oid):
            found.append('oid %s: %s against %s' % (oid.hex(), one_map.get(oid), other_map.get(oid)))
    with open(one, 'rb') as first, open(other, 'rb') as second:
        if first.read() != second.read():
            found.append('the bytes of the files')
    return found[:10]


def against_scan(data, index):
    """What differs between an index file and a scan of the database it stands beside."""
    with tempfile.TemporaryDirectory() as folder:
        own = os.path.join(folder, 'own.index')
        scan(data, own)
        return differences(index, own)


if __name__ == '__main__':
    if sys.argv[1] == 'scan':
        scan(sys.argv[2], sys.argv[3])
    else:
        found = differences(sys.argv[2], sys.argv[3])
        print('\n'.join(found) or 'equal')
        sys.exit(bool(found))
