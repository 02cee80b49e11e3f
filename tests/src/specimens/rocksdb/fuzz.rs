//! Targets for the parsers of RocksDB and LevelDB: logs, MANIFESTs, OPTIONS, and tables in stores.

use highwater_core::formats::rocksdb::manifest::{Manifest, Read};
use highwater_core::formats::rocksdb::options;
use highwater_core::formats::rocksdb::records::{Ended, Records, Tail};
use highwater_core::formats::rocksdb::wal::Batches;
use highwater_core::formats::rocksdb::{Engine, State};
use highwater_core::render::json;
use highwater_core::report::Depth;

use super::compose::{self, BASE, Table, block, handle, log, physical, store_of};
use super::read;
use crate::fuzz::Target;
use crate::fuzz::feed::{Feed, dice_of, pieces};
use crate::memory::{Host, Order, Steps};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target { name: "rocksdb_records", run: records, seeds: seeds::records, words: &[] },
        Target { name: "rocksdb_manifest", run: manifest, seeds: seeds::manifest, words: seeds::FIELDS },
        Target { name: "rocksdb_options", run: text, seeds: seeds::options, words: seeds::WORDS },
        Target { name: "rocksdb_table", run: table, seeds: seeds::table, words: seeds::NAMES },
    ]
}

/// A log: bytes as they are, or physical records with right checksums around what the input says.
fn composed(kind: u8, rest: &[u8]) -> Vec<u8> {
    if kind & 1 == 0 {
        return rest.to_vec();
    }
    let (mut feed, mut log) = (Feed(rest), Vec::new());
    while !feed.is_empty() {
        match feed.byte() {
            kind @ 0..200 => physical(&mut log, kind % 12, feed.block()),
            200..230 => log.extend(vec![0; usize::from(feed.byte())]),
            230..250 => log.resize(log.len().next_multiple_of(32 << 10), 0),
            _ => log.extend_from_slice(feed.block()),
        }
    }
    log
}

type Logical = (u64, Vec<u8>, u64);

fn logical(engine: Engine, pieces: &[&[u8]]) -> (Vec<Logical>, Ended) {
    let (mut records, mut whole, mut open) = (Records::new(engine, 7), Vec::new(), Vec::new());
    for bytes in pieces {
        let flow = records.push(bytes, &mut |piece| {
            assert!(piece.bytes.len() < 32 << 10, "a piece lies in a block");
            if piece.first {
                open.clear();
            }
            open.extend_from_slice(piece.bytes);
            whole.extend(piece.end.map(|end| (piece.at, std::mem::take(&mut open), end)));
        });
        if flow.is_break() {
            break;
        }
    }
    (whole, records.end())
}

/// Any log of either engine: any cut gives the same records and the same end, what is kept is sound by itself, and the
/// batches are its records.
fn records(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let engine = if kind & 2 == 0 { Engine::RocksDb } else { Engine::LevelDb };
    let log = composed(*kind, rest);
    let (whole, ended) = logical(engine, &[&log]);
    let (again, by_pieces) = logical(engine, &pieces(&log));
    assert_eq!((&again, ended.cut), (&whole, by_pieces.cut));
    // Of what is broken, the rest is not read, so its length is not known.
    assert_eq!(ended.tail, by_pieces.tail);
    assert!(ended.cut <= log.len() as u64 && whole.iter().all(|(at, _, end)| at < end && *end <= ended.cut));
    let kept = &log[..usize::try_from(ended.cut).expect("it fits")];
    let (again, end) = logical(engine, &[kept]);
    assert_eq!((again, end.cut), (whole.clone(), ended.cut));
    assert!(matches!(end.tail, Tail::Nothing), "{end:?}");
    let (mut batches, mut count) = (Batches::new(engine, 7), 0);
    for bytes in pieces(&log) {
        if batches
            .push(bytes, |batch| {
                assert_eq!((batch.at, batch.end), (whole[count].0, whole[count].2));
                count += 1;
            })
            .is_break()
        {
            break;
        }
    }
    assert_eq!(batches.end().count, count as u64);
}

fn edits(engine: Engine, pieces: &[&[u8]]) -> Read {
    let mut manifest = Manifest::new(engine);
    for bytes in pieces {
        if manifest.push(bytes).is_break() {
            break;
        }
    }
    manifest.end()
}

/// Any MANIFEST of either engine: any cut gives the same state, and so does what is kept of it.
fn manifest(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let engine = if kind & 2 == 0 { Engine::RocksDb } else { Engine::LevelDb };
    let bytes = if kind & 4 == 0 {
        composed(*kind, rest)
    } else {
        let (mut feed, mut edits) = (Feed(rest), vec![BASE.to_vec()]);
        while !feed.is_empty() {
            edits.push(feed.block().to_vec());
        }
        log(&edits)
    };
    let whole = edits(engine, &[&bytes]);
    let by_pieces = edits(engine, &pieces(&bytes));
    assert_eq!((&by_pieces.state, by_pieces.cut, &by_pieces.tail), (&whole.state, whole.cut, &whole.tail));
    let kept = edits(engine, &[&bytes[..usize::try_from(whole.cut).expect("it fits")]]);
    if whole.state == State::default() {
        assert!(matches!(whole.tail, Tail::Broken { .. }), "an edit was refused");
        return;
    }
    assert_eq!((&kept.state, kept.cut), (&whole.state, whole.cut));
    let live = whole.state.families.values().map(|family| family.live_blobs().count()).sum::<usize>();
    assert!(live <= bytes.len() && whole.state.needs_log(u64::MAX, false));
}

/// Any text as OPTIONS: comments and line ends more or less say nothing.
fn text(bytes: &[u8]) {
    let read = options::parse(bytes);
    let more = [bytes, b"\n# a comment\n\n"].concat();
    match (&read, options::parse(&more)) {
        (Ok(read), again) => assert_eq!(Ok(read), again.as_ref()),
        (Err(odd), Err(_)) => assert!(odd.at <= bytes.len() as u64, "{odd}"),
        // A backslash at its end took the line feed.
        (Err(_), Ok(_)) => panic!("a comment makes it right"),
    }
}

/// A table of blocks that the input makes, in a store: any cut, order and shards give the same report.
fn table(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let kind = feed.byte();
    let (rocksdb, version) = (kind & 1 == 0, [0, 2, 4, 5][usize::from(kind >> 1 & 3)]);
    let mut table = Table::default();
    let data = table.add(0, feed.block());
    let index_kind = feed.byte() % 9;
    let index = if kind & 8 == 0 { feed.block().to_vec() } else { entries(&mut feed, data) };
    let index = table.add(index_kind, &index);
    let properties = if kind & 16 == 0 {
        block(&[
            (b"rocksdb.block.based.table.index.type", vec![feed.byte() % 5, 0, 0, 0]),
            (b"rocksdb.index.value.is.delta.encoded", vec![feed.byte() & 1]),
        ])
    } else {
        feed.block().to_vec()
    };
    let properties = table.add(0, &properties);
    let filter = table.add(0, feed.block());
    let metaindex = if kind & 32 == 0 {
        let filters = [&b"fullfilter.x"[..], b"partitionedfilter.x"][usize::from(kind >> 6 & 1)];
        block(&[(filters, handle(filter)), (b"rocksdb.properties", handle(properties))])
    } else {
        feed.block().to_vec()
    };
    let metaindex = table.add(0, &metaindex);
    let mut bytes_of_table = table.end(version, metaindex, index);
    let length = bytes_of_table.len();
    while !feed.is_empty() {
        let at = usize::from(u16::from_be_bytes([feed.byte(), feed.byte()])) % length;
        bytes_of_table[at] ^= feed.byte();
    }
    let image = store_of(bytes_of_table, rocksdb);
    let dice = dice_of(bytes);
    let format = if rocksdb { "rocksdb" } else { "leveldb" };
    let host = Host { format, ..Host::at(Depth::Digest) };
    let whole = host.report(&image, "s");
    let mut other = host.clone().cut(Steps::Random(dice.clone()));
    other.order = Order::Shuffled(dice);
    assert_eq!(json(&other.report(&image, "s")), json(&whole));
    let [one, two] = [1, 2].map(|number| host.clone().part(number, 2).report(&image, "s"));
    assert_eq!(json(&two.merge(one).into_whole()), json(&whole));
}

/// An index of handles, the first of which may be that of the data.
fn entries(feed: &mut Feed<'_>, data: compose::Handle) -> Vec<u8> {
    let count = feed.byte() % 20;
    let handles: Vec<Vec<u8>> = (0..count)
        .map(|_| match feed.byte() {
            0..100 => handle(data),
            at => handle((feed.number(), u64::from(at - 100))),
        })
        .collect();
    block(&handles.into_iter().map(|handle| (&b"k"[..], handle)).collect::<Vec<_>>())
}

/// Inputs to start from.
mod seeds {
    use super::read;

    pub(super) static FIELDS: &[&[u8]] = &[
        b"\x67\x00",
        b"\xc8\x01",
        b"\xc9\x01",
        b"\xca\x01",
        b"\xac\x02",
        b"\x90\x03",
        b"\x91\x03",
        b"\x81\x40",
        b"\x87\x40",
    ];
    pub(super) static WORDS: &[&[u8]] = &[
        b"[Version]\n",
        b"[DBOptions]\n",
        b"[CFOptions \"default\"]\n",
        b"[TableOptions/BlockBasedTable \"default\"]\n",
        b"recycle_log_file_num=",
        b"wal_dir=",
        b"allow_2pc=true\n",
        b"enable_blob_files=false\n",
        b"cf_paths=",
        b"\\#",
    ];
    pub(super) static NAMES: &[&[u8]] = &[
        b"rocksdb.properties",
        b"rocksdb.index",
        b"partitionedfilter.x",
        b"rocksdb.block.based.table.index.type",
        b"rocksdb.index.value.is.delta.encoded",
        b"rocksdb.format.version",
    ];

    fn with(kind: u8, bytes: &[u8]) -> Vec<u8> {
        [&[kind], bytes].concat()
    }

    pub(super) fn records() -> Vec<Vec<u8>> {
        let (rocksdb, leveldb) = (read("rocksdb"), read("leveldb"));
        vec![
            with(0, &rocksdb["000014.log"]),
            with(2, &leveldb["000006.log"]),
            with(1, &[2, 3, 1, 2, 3, 3, 2, 4, 5, 4, 1, 6, 1, 2, 7, 7]),
            with(1, &[240, 2, 5, 9, 9, 9, 9, 210, 50, 1, 1, 1]),
            with(1, &[9, 4, 7, 0, 0, 0, 1, 3, 1, 2, 3]),
            with(3, &[1, 12, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 255, 3, 1, 2, 3]),
        ]
    }

    pub(super) fn manifest() -> Vec<Vec<u8>> {
        let key = [9, b'k', 1, 0, 0, 0, 0, 0, 0, 0];
        let added = |number: u8| [&[7, 0, number, 100][..], &key, &key].concat();
        let edit = |edit: Vec<u8>| [&[edit.len() as u8], &edit[..]].concat();
        let grouped = |number: u8, rest: u8| [&added(number)[..], &[0xac, 2, rest]].concat();
        vec![
            with(0, &read("rocksdb")["MANIFEST-000005"]),
            with(2, &read("leveldb")["MANIFEST-000002"]),
            with(4, &[edit(added(5)), edit(vec![6, 0, 5]), edit(added(6))].concat()),
            with(4, &[edit(grouped(5, 1)), edit(grouped(6, 0))].concat()),
            with(4, &[edit(vec![0xc9, 1, 1, b'a', 0xc8, 1, 3]), edit(vec![0xca, 1, 0xc8, 1, 3])].concat()),
            with(4, &[edit(vec![0x90, 3, 5, 2, 90, 0, 0, 0]), edit(vec![0x91, 3, 5, 1, 40, 0])].concat()),
            with(6, &[edit(added(5)), edit(added(5))].concat()),
        ]
    }

    pub(super) fn options() -> Vec<Vec<u8>> {
        let short = b"[Version]\n[DBOptions]\n wal_dir=/a\\#b # c\n[CFOptions \"default\"]\n cf_paths={}\n";
        vec![short.to_vec(), b"[Version]\n x\n".to_vec(), b"a=b".to_vec(), b"[DBOptions]\nallow_2pc=7\n\\".to_vec()]
    }

    pub(super) fn table() -> Vec<Vec<u8>> {
        vec![
            vec![8, 5, 1, 2, 3, 4, 5, 0, 1, 0, 0, 0, 2, 9, 9],
            vec![8 + 7, 5, 1, 2, 3, 4, 5, 0, 2, 0, 105, 20],
            vec![6, 5, 1, 2, 3, 4, 5, 0, 13, 0, 1, 2, 0, 5, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1],
            vec![64, 3, 1, 2, 3, 1, 4, 3, 9, 0, 8],
            vec![32 + 16 + 8, 3, 1, 2, 3, 7, 1, 0, 4, 1, 1, 1, 1],
        ]
    }
}
