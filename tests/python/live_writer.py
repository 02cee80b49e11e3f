"""A real ZODB at work: commits without pause, packs when told, and writes down the history it made.

As a command:  live_writer.py DATA HISTORY SEED
It begins with a few megabytes in one commit. It reads `pack` and `stop` from its standard input. It prints, a line
each:
  commit TID        a transaction is complete in the file
  packing G         the pack that begins generation G has begun (commits go on meanwhile)
  full              the file is so large that commits wait for the next pack
  generation G      that pack is done and its history so far is written down
  stopped           everything is closed
HISTORY gets a JSON object per line: {"generation": G, "transactions": [[tid, sum], ...]} for what a generation
began with, {"commit": [tid, sum]} for every transaction in the order of commits.
"""

import json
import random
import sys
import threading

import transaction
from grow import payload
from history import sum_of
from history import transactions
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.FileStorage import FileStorage


OBJECTS = 2000
FIRST_SIZE = 8000
LATER_SIZE = 1500
FULL_AT = 40 * 1024 * 1024  # a writer left alone stops at this size of the file until the next pack


class Recorder(FileStorage):
    """A FileStorage that says what it stored and finished."""

    def prepare(self, told):
        self.told = told
        self.stored = []

    def store(self, oid, oldserial, data, version, transaction):
        self.stored.append((oid, data))
        return super().store(oid, oldserial, data, version, transaction)

    def tpc_begin(self, *args, **named):
        super().tpc_begin(*args, **named)
        self.stored = []

    def tpc_finish(self, *args, **named):
        stored, self.stored = self.stored, []
        tid = super().tpc_finish(*args, **named)
        self.told(tid, stored)
        return tid


class Writer:
    """The database, one thread that commits, and the notebook both threads write to."""

    def __init__(self, data, history, seed):
        self.dice = random.Random(seed)
        self.notebook = open(history, 'w')
        self.notebook_lock = threading.Lock()
        self.commit_lock = threading.Lock()
        self.leaving = threading.Event()
        self.room = threading.Condition()
        self.storage = Recorder(data)
        self.storage.prepare(self.finished)
        self.generation = 0
        self.db = DB(self.storage)

    def note(self, entry):
        with self.notebook_lock:
            self.notebook.write(json.dumps(entry) + '\n')
            self.notebook.flush()

    def say(self, line):
        with self.notebook_lock:
            print(line, flush=True)

    def finished(self, tid, stored):
        self.note({'commit': [tid.hex(), sum_of(stored)]})
        self.say('commit ' + tid.hex())

    def begin_generation(self):
        """Write down what the file holds while nobody commits."""
        with self.commit_lock:
            self.note({'generation': self.generation, 'transactions': transactions(self.storage)})

    def fill(self):
        connection = self.db.open()
        for key in range(OBJECTS):
            connection.root()[key] = PersistentMapping(value=payload(self.dice, FIRST_SIZE))
        transaction.commit()
        connection.close()

    def has_room(self):
        return self.leaving.is_set() or self.storage.getSize() < FULL_AT

    def commit_until_told(self):
        connection = self.db.open()
        root = connection.root()
        while not self.leaving.is_set():
            with self.commit_lock:
                for _ in range(self.dice.randrange(1, 4)):
                    root[self.dice.randrange(OBJECTS)]['value'] = payload(self.dice, LATER_SIZE)
                transaction.commit()
            if not self.has_room():
                self.say('full')
                with self.room:
                    self.room.wait_for(self.has_room)
        connection.close()

    def pack(self):
        self.generation += 1
        self.say('packing %d' % self.generation)
        self.db.pack()
        self.begin_generation()
        self.say('generation %d' % self.generation)
        with self.room:
            self.room.notify_all()

    def run(self):
        self.fill()
        self.begin_generation()
        committer = threading.Thread(target=self.commit_until_told)
        committer.start()
        for line in sys.stdin:
            if line.strip() == 'pack':
                self.pack()
            else:
                break
        self.leaving.set()
        with self.room:
            self.room.notify_all()
        committer.join()
        self.db.close()
        self.notebook.close()
        self.say('stopped')


if __name__ == '__main__':
    Writer(sys.argv[1], sys.argv[2], int(sys.argv[3])).run()
