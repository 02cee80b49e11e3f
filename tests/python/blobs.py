"""A real ZODB with blobs: commits, undoes and packs, and writes down what bytes each blob has; and opens copies of it.

Databases are kept open between requests, by the folder that they lie in.
"""

import hashlib
import json
import os
import random
import threading
import time
import traceback

import transaction
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.blob import Blob
from ZODB.blob import is_blob_record
from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage import FileStorage
from ZODB.POSException import UndoError


STORES = {}


def sum_of(path):
    with open(path, 'rb') as blob:
        return hashlib.sha256(blob.read()).hexdigest()


class Store:
    """A database in `folder`, as Plone lays it out or plain, and the notebook of its blobs."""

    def __init__(self, folder, notebook, seed, plone, keep_old, layout):
        data = os.path.join(folder, 'filestorage', 'Data.fs') if plone else os.path.join(folder, 'Data.fs')
        self.blobs = os.path.join(folder, 'blobstorage' if plone else 'blobs')
        os.makedirs(os.path.dirname(data), exist_ok=True)
        if layout:
            os.makedirs(self.blobs)
            with open(os.path.join(self.blobs, '.layout'), 'w') as marker:
                marker.write(layout)
        self.storage = FileStorage(data, blob_dir=self.blobs, pack_keep_old=keep_old)
        self.db = DB(self.storage)
        self.dice = random.Random(seed)
        self.notebook = open(notebook, 'a')
        self.manager = transaction.TransactionManager()
        self.root = self.db.open(self.manager).root()
        self.stop, self.thread, self.commits = threading.Event(), None, 0
        self.voted, self.packing, self.died = None, None, None

    def note(self, oid, tid, digest):
        print(json.dumps([oid.hex(), tid.hex(), digest]), file=self.notebook, flush=True)

    def fill(self, blob, length=None):
        data = self.dice.randbytes(length or self.dice.choice((0, 1, 300, 5000, 70000)))
        with blob.open('w') as out:
            out.write(data)
        return hashlib.sha256(data).hexdigest()

    def commit(self):
        """Blobs that are new, changed and dropped, beside objects that are none."""
        filled = []
        for _ in range(self.dice.randint(1, 3)):
            key = str(self.dice.randrange(40))
            if key in self.root and self.dice.random() < 0.2:
                del self.root[key]
                continue
            if key not in self.root or self.dice.random() < 0.3:
                self.root[key] = PersistentMapping(title='x' * self.dice.randrange(400), blob=Blob())
            blob = self.root[key]['blob']
            filled.append((blob, self.fill(blob)))
        self.root['count'] = self.root.get('count', 0) + 1
        self.manager.commit()
        for blob, digest in filled:
            # One that was new and dropped again was never stored.
            if blob._p_oid is not None:
                self.note(blob._p_oid, self.storage.lastTransaction(), digest)
        self.commits += 1

    def undo(self):
        """Undoes the last transaction; what it wrote anew has records that copy by back pointers, and blobs."""
        log = self.db.undoLog(0, 1)
        if not log:
            # A pack that has just ended took the last one, too, and what is packed is not undone.
            return
        self.db.undo(log[0]['id'], self.manager.get())
        self.manager.commit()
        tid = self.storage.lastTransaction()
        for record in next(iter(self.storage.iterator(tid, tid))):
            if record.data and is_blob_record(record.data):
                self.note(record.oid, tid, sum_of(self.storage.fshelper.getBlobFilename(record.oid, tid)))

    def loop(self):
        try:
            self.go_on()
        except BaseException:
            self.died = traceback.format_exc()
            raise

    def go_on(self):
        while not self.stop.is_set():
            self.commit()
            if self.dice.random() < 0.1:
                try:
                    self.undo()
                except UndoError:
                    # A pack is at work.
                    self.manager.abort()
            if os.path.getsize(self.storage.getName()) > 8 << 20:
                self.stop.wait(0.05)

    def run(self):
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()

    def rest(self):
        self.stop.set()
        self.thread.join()
        self.stop.clear()


def blobs_open(folder, notebook, seed=0, plone=True, keep_old=True, layout=None):
    STORES[folder] = Store(folder, notebook, seed, plone, keep_old, layout)


def blobs_commit(folder, count=1):
    """Commits, and gives the id of the last transaction."""
    for _ in range(count):
        STORES[folder].commit()
    return STORES[folder].storage.lastTransaction().hex()


def blobs_undo(folder):
    STORES[folder].undo()
    return STORES[folder].storage.lastTransaction().hex()


def blobs_pack(folder):
    """Packs to now: history goes, and objects that nothing leads to."""
    STORES[folder].db.pack(time.time())


def blobs_pack_aside(folder):
    """Begins to pack, beside other requests."""
    store = STORES[folder]
    store.packing = threading.Thread(target=store.db.pack, args=(time.time(),))
    store.packing.start()


def blobs_packed(folder):
    """Returns when no pack is at work."""
    if STORES[folder].packing:
        STORES[folder].packing.join()


def blobs_run(folder):
    """Commits without pause from now on, beside other requests."""
    STORES[folder].run()


def blobs_more(folder, count):
    """Returns when there are so many more commits."""
    store = STORES[folder]
    wanted = store.commits + count
    while store.commits < wanted and store.thread.is_alive():
        time.sleep(0.001)
    if store.commits < wanted:
        raise RuntimeError(f'the thread that commits has ended: {store.died}')
    return store.storage.lastTransaction().hex()


def blobs_rest(folder):
    STORES[folder].rest()


def blobs_half(folder):
    """What a commit that is not finished leaves: a blob in its place, and voted records at the end of Data.fs."""
    store = STORES[folder]
    storage = store.storage
    path = os.path.join(storage.temporaryDirectory(), 'half')
    with open(path, 'wb') as out:
        out.write(b'half')
    record = b'\x80\x03cZODB.blob\nBlob\nq\x01.\x80\x03N.'
    meta = TransactionMetaData()
    storage.tpc_begin(meta)
    storage.storeBlob(storage.new_oid(), b'\0' * 8, record, path, '', meta)
    storage.tpc_vote(meta)
    store.voted = meta


def blobs_finish(folder):
    """Finishes that commit."""
    store = STORES[folder]
    store.storage.tpc_finish(store.voted)


def blobs_close(folder):
    store = STORES.pop(folder)
    store.manager.abort()
    store.db.close()
    store.notebook.close()


def blobs_judge(folder, notebook, plone=True):
    """Opens a copy: every blob that a record names must have the bytes on record, and there must be no other.

    Gives the id of its last transaction, how many blobs it has, and what is wrong, in words.
    """
    with open(notebook) as notes:
        sums = {(oid, tid): digest for oid, tid, digest in map(json.loads, notes)}
    data = os.path.join(folder, 'filestorage', 'Data.fs') if plone else os.path.join(folder, 'Data.fs')
    blobs = os.path.abspath(os.path.join(folder, 'blobstorage' if plone else 'blobs'))
    there = {os.path.join(path, name) for path, _, names in os.walk(blobs) for name in names if name.endswith('.blob')}
    storage = FileStorage(data, blob_dir=blobs)
    bad, named = [], set()
    for txn in storage.iterator():
        for record in txn:
            if not record.data or not is_blob_record(record.data):
                continue
            who = f'blob {record.oid.hex()} of {record.tid.hex()}'
            try:
                path = storage.loadBlob(record.oid, record.tid)
            except Exception as error:
                bad.append(f'{who}: {error!r}')
                continue
            named.add(path)
            if sum_of(path) != sums.get((record.oid.hex(), record.tid.hex())):
                bad.append(f'{who} has other bytes')
    bad.extend(f'{path} is named by no record' for path in there - named)
    last = storage.lastTransaction().hex()
    db = DB(storage)
    root = db.open().root()
    for key, item in root.items():
        try:
            if key != 'count':
                with item['blob'].open() as blob:
                    blob.read()
        except Exception as error:
            bad.append(f'{key}: {error!r}')
    db.close()
    return {'last': last, 'blobs': len(named), 'bad': bad[:5]}
