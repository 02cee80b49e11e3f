//! The sound stores: each layout, with sums, old files, a pack, and with what waits outside of the database.

use highwater_core::formats::dirstorage::names::{File, Layout};

use super::compose::{Policy, Store, Write, tid};

/// What the pickles hold.
pub(super) const PICKLES: [&[u8]; 4] =
    [b"cfolder\nFolder\n.}.", b"cdoc\nPage\n.}U\x05title.", b"cdoc\nPage\n.}U\x05other.", b"cdoc\nPage\n.N."];

/// A packed store with an undo and an object whose creation was undone.
pub(super) fn small() -> Store {
    let mut store = Store::new(Policy { layout: Layout::Bushy, sums: true, old: false });
    fill(&mut store);
    store.pack(tid(2));
    store
}

/// Five transactions.
fn fill(store: &mut Store) {
    store.commit(tid(1), &[(0, Write::Pickle(PICKLES[0])), (1, Write::Pickle(PICKLES[1]))]);
    store.commit(tid(2), &[(0, Write::Pickle(PICKLES[3])), (1, Write::Pickle(PICKLES[2]))]);
    store.commit(tid(3), &[(1, Write::Pickle(PICKLES[1])), (2, Write::Pickle(PICKLES[2]))]);
    store.commit(tid(4), &[(2, Write::Nothing)]);
    store.commit(tid(5), &[(1, Write::Copy(tid(2)))]);
}

/// A store of a program that was killed while it took transactions into the database.
pub(super) fn killed() -> Store {
    let mut store = Store::new(Policy { layout: Layout::Chunky, sums: true, old: false });
    fill(&mut store);
    let mut sixth = store.begin(tid(6), &[(1, Write::Pickle(PICKLES[3])), (3, Write::Pickle(PICKLES[1]))]);
    let seventh = store.begin(tid(7), &[(3, Write::Pickle(PICKLES[2]))]);
    for file in [File::Revision(1, tid(6)), File::Transaction(tid(6))] {
        let bytes = sixth.remove(&file).expect("a file of the transaction");
        store.database.insert(file, bytes);
    }
    // Those of the next one took their places.
    sixth.retain(|file, _| !matches!(file, File::Oid | File::Serial | File::Current(3)));
    let mut folder = |id: u64, what: &str, files| store.wait(&format!("working_{id:016X}_{what}"), files);
    folder(tid(6), "done", sixth);
    folder(tid(7), "done", seventh);
    let never = store.begin(tid(8), &[(0, Write::Pickle(PICKLES[0]))]);
    store.wait(&format!("working_{:016X}_temp", tid(8)), never);
    store
}

/// An old store in snapshot mode, with later transactions beside the database and in the journal.
pub(super) fn frozen() -> Store {
    let mut store = Store::new(Policy { layout: Layout::Lawn, sums: true, old: true });
    fill(&mut store);
    store.others.insert("misc/snapshot".to_owned(), b"user/x".to_vec());
    let sixth = store.begin(tid(6), &[(1, Write::Pickle(PICKLES[3]))]);
    store.put_beside(sixth);
    let seventh = store.begin(tid(7), &[(3, Write::Pickle(PICKLES[2]))]);
    store.wait(&format!("working_{:016X}_done", tid(7)), seventh);
    store
}

/// A replica, packed twice, with an increment that it has not applied, and what a pack left for delayed deletion.
pub(super) fn replica() -> Store {
    let mut store = Store::new(Policy { layout: Layout::Flat, sums: true, old: false });
    fill(&mut store);
    let before = store.clone();
    store.pack(tid(3));
    store.commit(tid(6), &[(0, Write::Pickle(PICKLES[1]))]);
    store.commit(tid(7), &[(2, Write::Pickle(PICKLES[1]))]);
    store.pack(tid(6));
    for (file, bytes) in before.database {
        if !store.database.contains_key(&file) {
            let path = format!("{}-1090000000-deleted", store.path(file));
            store.others.insert(path, bytes);
        }
    }
    store.others.insert("journal/replica.tar".to_owned(), vec![0; 1024]);
    store
}

/// A store that works out no MD5.
pub(super) fn unsummed() -> Store {
    let mut store = Store::new(Policy { layout: Layout::Bushy, sums: false, old: false });
    fill(&mut store);
    store
}

/// Stores in snapshot mode, one of each layout: with sums or 12-byte files, packed or not, with what a pack left, and
/// with later transactions beside the database, in the journal, and never committed; and what each goes up to.
pub(super) fn still() -> Vec<(&'static str, Store, u64)> {
    let make = |(layout, sums, old, packed): (Layout, bool, bool, bool)| {
        let mut store = Store::new(Policy { layout, sums, old });
        fill(&mut store);
        let before = store.clone();
        if packed {
            store.pack(tid(3));
        }
        for (file, bytes) in before.database {
            if !store.database.contains_key(&file) {
                store.others.insert(format!("{}-1090000000-deleted", store.path(file)), bytes);
            }
        }
        let marked = store.path(File::Current(1));
        store.others.insert(format!("{marked}.mark"), Vec::new());
        store.others.insert("misc/snapshot".to_owned(), b"user/x".to_vec());
        store.others.insert("misc/sublock".to_owned(), b" 12\n".to_vec());
        let sixth = store.begin(tid(6), &[(1, Write::Pickle(PICKLES[3]))]);
        store.put_beside(sixth);
        let seventh = store.begin(tid(7), &[(3, Write::Pickle(PICKLES[2]))]);
        store.wait(&format!("working_{:016X}_done", tid(7)), seventh);
        let never = store.begin(tid(8), &[(0, Write::Pickle(PICKLES[0]))]);
        store.wait(&format!("working_{:016X}_temp", tid(8)), never);
        (layout.name(), store, tid(5))
    };
    let all = [
        (Layout::Bushy, true, false, true),
        (Layout::Chunky, true, true, false),
        (Layout::Lawn, false, true, true),
        (Layout::Flat, true, false, false),
    ];
    all.into_iter().map(make).collect()
}
