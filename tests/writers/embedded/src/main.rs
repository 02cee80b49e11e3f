//! `embedded-fjall STORE DEST`: a program that holds a fjall database open, and makes a checkpoint of it from inside
//! while another thread writes; then it opens the checkpoint and looks.

use std::env;
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use highwater::live::{CheckpointSummary, LiveOptions, checkpoint};
use highwater::watch::Watch;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<_> = env::args_os().skip(1).collect();
    let [store, dest] = paths.as_slice() else { return Err("embedded-fjall STORE DEST".into()) };
    let database = Database::builder(store).open()?;
    let items = database.keyspace("items", KeyspaceCreateOptions::default)?;
    let over = AtomicBool::new(false);
    let (made, known) = thread::scope(|scope| {
        scope.spawn(|| write(&items, &over));
        let known = loop {
            if items.len()? >= 1000 {
                break items.len()?;
            }
        };
        let made = save(&database, store.as_ref(), dest.as_ref());
        over.store(true, Ordering::Relaxed);
        Ok::<_, Box<dyn Error>>((made?, known))
    })?;
    let copy = Database::builder(dest).open()?;
    let copied = copy.keyspace("items", KeyspaceCreateOptions::default)?.len()?;
    if copied < known || made.tries != 1 {
        return Err(format!("{copied} of {known} items are there, after {} tries", made.tries).into());
    }
    println!("{copied} items, up to {}", made.position);
    Ok(())
}

/// Makes a checkpoint of an open database.
fn save(database: &Database, store: &Path, dest: &Path) -> Result<CheckpointSummary, Box<dyn Error>> {
    // Whatever was acknowledged is in the journal, and no table that is named now is deleted.
    database.persist(PersistMode::SyncAll)?;
    let held = database.snapshot();
    let made = checkpoint(store, dest, &LiveOptions::default(), &Watch::silent())?;
    drop(held);
    Ok(made)
}

fn write(items: &Keyspace, over: &AtomicBool) {
    for number in 0u64.. {
        if over.load(Ordering::Relaxed) || items.insert(number.to_be_bytes(), [7; 100]).is_err() {
            return;
        }
    }
}
