"""What a RocksDB store looks like at four moments, while it stands still.

As a command:  rocksdb_moments.py FOLDER
It makes FOLDER/0 to FOLDER/3: each holds one more row in a table than the one before, and the next row in its only log.
"""

import os
import shutil
import sys

from rocksdict import Options
from rocksdict import Rdict


def main(folder):
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_disable_auto_compactions(True)
    store = os.path.join(folder, 'store')
    db = Rdict(store, options)
    for moment in range(4):
        if moment:
            db.flush()
        db[b'row %d' % moment] = b'value %d' % moment
        shutil.copytree(store, os.path.join(folder, str(moment)))
    db.close()


main(sys.argv[1])
