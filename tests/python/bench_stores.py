"""A RocksDB store that tests/bench-checkpoint times checkpoints of: opened once, and worked on as told.

As a command:  bench_stores.py STORE MIB WAL_MIB
It makes a store of so many MiB and answers lines of its standard input, each with one JSON line:
  fill         WAL_MIB more are in the log and in no table
  flush        nothing is in the log alone
  own FOLDER   RocksDB's own checkpoint, made in FOLDER
  copy FOLDER  the log, copied into FOLDER and made durable
What was timed is given as seconds and CPU seconds of this process, which does nothing else.
"""

import glob
import json
import os
import random
import resource
import sys
import time

from rocksdict import Checkpoint
from rocksdict import Options
from rocksdict import Rdict
from rocksdict import WriteBatch


VALUE = 4000


def timed(act):
    """Seconds and CPU seconds of an act, threads of the engine included."""

    def cpu():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    began, used = time.monotonic(), cpu()
    act()
    return {'seconds': time.monotonic() - began, 'cpu': cpu() - used}


class Store:
    def __init__(self, folder, mib, wal):
        options = Options(raw_mode=True)
        options.set_write_buffer_size((wal + 32) << 20)
        options.set_target_file_size_base(16 << 20)
        self.folder, self.wal = folder, wal
        self.dice = random.Random(19)
        self.store = Rdict(folder, options)
        self.put(mib)
        self.flush()
        # What is timed is timed while the engine has nothing else to do.
        self.store.compact_range(None, None)
        self.store.set_options({'disable_auto_compactions': 'true'})

    def put(self, mib):
        for _ in range(mib):
            batch = WriteBatch(raw_mode=True)
            for _ in range((1 << 20) // VALUE):
                batch.put(b'%016x' % self.dice.getrandbits(64), self.dice.randbytes(VALUE))
            self.store.write(batch)

    def fill(self):
        self.put(self.wal)
        return {'wal': sum(os.path.getsize(path) for path in self.logs())}

    def flush(self):
        self.store.flush()
        tables = glob.glob(os.path.join(self.folder, '*.sst'))
        return {'tables': len(tables), 'bytes': sum(os.path.getsize(path) for path in tables)}

    def logs(self):
        return glob.glob(os.path.join(self.folder, '*.log'))

    def own(self, folder):
        checkpoint = Checkpoint(self.store)
        return timed(lambda: checkpoint.create_checkpoint(folder))

    def copy(self, folder):
        os.mkdir(folder)

        def act():
            for path in self.logs():
                with open(path, 'rb') as source, open(os.path.join(folder, os.path.basename(path)), 'wb') as target:
                    while os.copy_file_range(source.fileno(), target.fileno(), 1 << 30):
                        pass
                    os.fsync(target.fileno())

        return timed(act)


def main():
    store = Store(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(store.flush()), flush=True)
    for line in sys.stdin:
        verb, *folder = line.split()
        print(json.dumps(getattr(store, verb)(*folder)), flush=True)


if __name__ == '__main__':
    main()
