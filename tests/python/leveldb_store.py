"""A LevelDB database that is written to without pause, and a judge of its copies; see store_rows.py.

As a command:  leveldb_store.py write STORE [options]
               leveldb_store.py judge COPY [--acknowledged N]
The three spaces are prefixes of the keys, as LevelDB has no families.
"""

import os

import plyvel
from store_rows import Bad
from store_rows import Rows
from store_rows import agreed
from store_rows import judge_rows
from store_rows import key
from store_rows import main
from store_rows import say
from store_rows import write


PLACES = (b'first', b'middle', b'zenith')
# Small, so that memtables are flushed and tables merged often.
SIZES = {'write_buffer_size': 1 << 20, 'max_file_size': 1 << 20}


def in_place(place, name):
    return place + b':' + name


def write_store(given):
    store = plyvel.DB(given.folder, create_if_missing=True, **SIZES)
    shape = store.get(in_place(PLACES[0], b'shape'))
    rows = Rows.of_shape(shape) if shape else Rows(given.window, given.row)
    if not shape:
        with store.write_batch(sync=True) as batch:
            for place in PLACES:
                batch.put(in_place(place, b'shape'), rows.shape())
                batch.put(in_place(place, b'last'), b'0')
        say(0)

    def commit(number, durable):
        with store.write_batch(sync=durable) as batch:
            for place in PLACES:
                batch.put(in_place(place, key(number)), rows.row(place, number))
                batch.put(in_place(place, b'last'), b'%d' % number)
                if number > rows.window:
                    batch.delete(in_place(place, key(number - rows.window)))

    write(given, rows, int(store.get(in_place(PLACES[0], b'last'))), commit)


def judge_copy(given):
    if not os.path.isfile(os.path.join(given.folder, 'CURRENT')):
        raise Bad('the copy has no CURRENT')
    # Paranoid: what would be left out in silence is an error.
    store = plyvel.DB(given.folder, create_if_missing=False, paranoid_checks=True, **SIZES)
    last = agreed('last', [store.get(in_place(place, b'last')) for place in PLACES])
    if last is None:
        raise Bad('there is no last batch')
    for place in PLACES:
        view = store.prefixed_db(place + b':')
        rows = view.iterator(prefix=b'row/', verify_checksums=True)
        judge_rows(place, view.get(b'shape'), last, rows)
    store.close()
    return last


if __name__ == '__main__':
    main(write_store, judge_copy)
