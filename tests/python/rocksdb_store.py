"""A RocksDB database that is written to without pause, and a judge of its copies; see store_rows.py.

As a command:  rocksdb_store.py write STORE [--merged] [--blobs] [--ingest] [--churn] [options]
               rocksdb_store.py judge COPY [--acknowledged N]
--merged   memtables are flushed three at a time, so that no edit ever names the logs of some of them
--blobs    the values of one family lie in blob files, which die by their count of garbage
--ingest   tables come past the log now and then, each round followed by a batch that says so
--churn    families are created and dropped now and then, each round said by a batch
"""

import glob
import os
import re
import tempfile

from rocksdict import IngestExternalFileOptions
from rocksdict import Options
from rocksdict import Rdict
from rocksdict import SstFileWriter
from rocksdict import WriteBatch
from rocksdict import WriteOptions
from store_rows import Bad
from store_rows import Rows
from store_rows import agreed
from store_rows import judge_rows
from store_rows import key
from store_rows import main
from store_rows import say
from store_rows import write


PLACES = ('default', 'values', 'levels')
INGESTED = 'ingested'
INGESTED_ROWS = Rows(60, 2000)
# How many batches lie between two rounds of ingestion, and of families that come and go.
INGEST_EVERY, CHURN_EVERY = 4000, 3000
# What each family is created with: no two alike, so that options that were lost or mixed up are seen.
CREATED = {
    'default': {'write_buffer_size': 1 << 20, 'target_file_size_base': 1 << 20},
    'values': {'write_buffer_size': 3 << 19, 'target_file_size_base': 2 << 20},
    'levels': {'write_buffer_size': 1 << 20, 'target_file_size_base': 3 << 19},
    INGESTED: {'write_buffer_size': 2 << 20, 'target_file_size_base': 5 << 19},
}


def database_options():
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_max_background_jobs(2)
    options.set_max_total_wal_size(24 << 20)
    return options


def family_options(name, given):
    created = CREATED.get(name, CREATED[INGESTED])
    options = database_options()
    options.set_write_buffer_size(created['write_buffer_size'])
    options.set_target_file_size_base(created['target_file_size_base'])
    options.set_max_write_buffer_number(8)
    if given.merged:
        options.set_min_write_buffer_number_to_merge(3)
    if given.blobs and name == 'values':
        options.set_enable_blob_files(True)
        options.set_min_blob_size(777)
        options.set_blob_file_size(2 << 20)
        options.set_enable_blob_gc(True)
        options.set_blob_gc_age_cutoff(0.5)
    return options


def durable_writes():
    options = WriteOptions()
    options.sync = True
    return options


class Writer:
    """An open store and its families."""

    def __init__(self, given):
        self.given = given
        fresh = not os.path.exists(os.path.join(given.folder, 'CURRENT'))
        there = PLACES if fresh else Rdict.list_cf(given.folder, Options(raw_mode=True))
        wanted = {*there, *([INGESTED] if given.ingest else [])}
        families = {name: family_options(name, given) for name in wanted}
        self.store = Rdict(given.folder, families['default'], families)
        self.families = {name: self.store.get_column_family(name) for name in PLACES}
        self.handles = {name: self.store.get_column_family_handle(name) for name in PLACES}
        self.durable = durable_writes()
        shape = self.families['default'].get(b'shape')
        self.rows = Rows.of_shape(shape) if shape else Rows(given.window, given.row)
        if not shape:
            self.set_everywhere({b'shape': self.rows.shape(), b'last': b'0'})
            say(0)
        if given.ingest:
            self.target = self.store.get_column_family(INGESTED)
            self.ingested = round_of(self.target.get(key(0)))
        if given.churn:
            self.churned = int(self.families['default'].get(b'churn') or 0)
            # What a killed writer created and did not fill, or meant to drop.
            dropping = int(self.families['default'].get(b'dropping') or 0)
            for number in (self.churned + 1, dropping):
                if 'churn-%d' % number in there:
                    self.store.drop_column_family('churn-%d' % number)
            self.is_open = self.churned > dropping

    def set_everywhere(self, values):
        batch = WriteBatch(raw_mode=True)
        for name in PLACES:
            for at, value in values.items():
                batch.put(at, value, self.handles[name])
        self.store.write(batch, self.durable)

    def commit(self, number, durable):
        batch = WriteBatch(raw_mode=True)
        for name in PLACES:
            handle = self.handles[name]
            batch.put(key(number), self.rows.row(name.encode(), number), handle)
            batch.put(b'last', b'%d' % number, handle)
            if number > self.rows.window:
                batch.delete(key(number - self.rows.window), handle)
        if durable:
            self.store.write(batch, self.durable)
        else:
            self.store.write(batch)

    def after(self, number):
        if self.given.ingest and number % INGEST_EVERY == 0:
            self.ingest()
        if self.given.churn and number % CHURN_EVERY == 0:
            self.churn()

    def ingest(self):
        self.ingested += 1
        with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(self.given.folder))) as scratch:
            path = os.path.join(scratch, 'table')
            table = SstFileWriter(family_options(INGESTED, self.given))
            table.open(path)
            for number in range(INGESTED_ROWS.window):
                table[key(number)] = ingested_row(self.ingested, number)
            table.finish()
            options = IngestExternalFileOptions()
            options.set_move_files(True)
            self.target.ingest_external_file([path], options)
        self.set_everywhere({b'ingested': b'%d' % self.ingested})

    def churn(self):
        if self.is_open:
            self.set_everywhere({b'dropping': b'%d' % self.churned})
            self.store.drop_column_family('churn-%d' % self.churned)
        self.churned += 1
        name = 'churn-%d' % self.churned
        self.store.create_column_family(name, family_options(name, self.given))
        batch = WriteBatch(raw_mode=True)
        batch.put(b'round', b'%d' % self.churned, self.store.get_column_family_handle(name))
        for place in PLACES:
            batch.put(b'churn', b'%d' % self.churned, self.handles[place])
        self.store.write(batch)
        self.is_open = True


def ingested_row(number, at):
    return b'%d ' % number + INGESTED_ROWS.row(INGESTED.encode(), number * INGESTED_ROWS.window + at)


def round_of(row):
    return int(row.split(b' ')[0]) if row else 0


def write_store(given):
    writer = Writer(given)
    write(given, writer.rows, int(writer.families['default'].get(b'last')), writer.commit, writer.after)


def judge_copy(given):
    if not os.path.isfile(os.path.join(given.folder, 'CURRENT')):
        raise Bad('the copy has no CURRENT')
    names = Rdict.list_cf(given.folder, Options(raw_mode=True))
    if lost := set(PLACES) - set(names):
        raise Bad('families are gone: %s' % ', '.join(sorted(lost)))
    judge_options(given.folder, names)
    options, families = Options.load_latest(given.folder)
    options.set_paranoid_checks(True)
    for name in names:
        # The engine names a family first and writes its options next: after a crash between the two it has defaults.
        families.setdefault(name, Options(raw_mode=True))
    store = Rdict(given.folder, options, families)
    family = {name: store.get_column_family(name) for name in names}
    last = agreed('last', [family[name].get(b'last') for name in PLACES])
    if last is None:
        raise Bad('there is no last batch')
    for name in PLACES:
        judge_rows(name.encode(), family[name].get(b'shape'), last, items(family[name]))
    ingested = agreed('ingested', [family[name].get(b'ingested') for name in PLACES])
    judge_ingested(family.get(INGESTED), ingested or 0)
    churned, dropping = (
        agreed(what, [family[name].get(what.encode()) for name in PLACES]) or 0 for what in ('churn', 'dropping')
    )
    judge_churned(family, churned, dropping)
    store.close()
    return last


def items(family):
    walk = family.iter()
    walk.seek(b'row/')
    while walk.valid() and walk.key().startswith(b'row/'):
        yield walk.key(), walk.value()
        walk.next()
    walk.status()


def judge_options(folder, names):
    """The newest file of options holds what each family was created with."""
    newest = max(glob.glob(os.path.join(glob.escape(folder), 'OPTIONS-*[0-9]')), default=None)
    if newest is None:
        raise Bad('the copy has no file of options')
    with open(newest) as file:
        sections = re.findall(r'^\[CFOptions "([^"]*)"\]\n((?:[^\[].*\n|\n)*)', file.read(), re.MULTILINE)
    found = {name: dict(re.findall(r'^ *(\w+)=(.*)$', text, re.MULTILINE)) for name, text in sections}
    for name in names:
        # A family may be younger than the file: then the engine has defaults for it, as it has in the store itself.
        if name.startswith('churn-'):
            continue
        for option, value in CREATED[name].items():
            if found.get(name, {}).get(option) != str(value):
                raise Bad('family %s has lost its %s' % (name, option))


def judge_ingested(family, said):
    """The round that was ingested is the one that was said, or the next, which could not be said yet."""
    if family is None:
        if said:
            raise Bad('family %s is gone' % INGESTED)
        return
    found = list(items(family))
    there = round_of(found[0][1]) if found else 0
    if there not in (said, said + 1):
        raise Bad('round %d of ingestion was said, and round %d is there' % (said, there))
    wanted = [(key(at), ingested_row(there, at)) for at in range(INGESTED_ROWS.window if there else 0)]
    if found != wanted:
        raise Bad('round %d of ingestion is not whole' % there)


def judge_churned(family, churned, dropping):
    """Of the families that come and go, exactly those are there that may be."""
    found = {int(name.split('-')[1]): family[name].get(b'round') for name in family if name.startswith('churn-')}
    for number, filled in found.items():
        # The next may have been created and not filled yet; this one is there until it is dropped.
        if not (number == churned and filled == b'%d' % churned or number == churned + 1 and filled is None):
            raise Bad('family churn-%d is there with %s in round %d' % (number, filled, churned))
    if churned > dropping and churned not in found:
        raise Bad('family churn-%d is gone, and dropping is at %d' % (churned, dropping))


if __name__ == '__main__':
    main(write_store, judge_copy, '--merged', '--blobs', '--ingest', '--churn')
