//! The judge: opens a copy with the engine and compares everything in it with what some prefix of the batches gives.

use fjall::{Database, Keyspace};
use writer_common::{Options, Outcome, Rows, key, number};

use crate::churn;
use crate::ingest;
use crate::keyspaces::{INGESTED, NAMES, changed, creation, open};

/// The last batch of a good copy.
pub fn judge(options: &Options) -> Outcome<u64> {
    // Asked first: opening creates what is not there.
    if !options.folder.join("version").is_file() {
        return Err("the copy has no version file".into());
    }
    let database = open(&options.folder).map_err(|error| format!("it does not open: {error:?}"))?;
    let mut keyspaces = Vec::new();
    for name in NAMES {
        if !database.keyspace_exists(name) {
            return Err(format!("keyspace {name} is gone").into());
        }
        let keyspace = database.keyspace(name, || creation(name))?;
        if let Some(what) = changed(name, &keyspace) {
            return Err(what.into());
        }
        keyspaces.push((name, keyspace));
    }
    let last = agreed(&keyspaces, "last")?.ok_or("there is no last batch")?;
    for (name, keyspace) in &keyspaces {
        examine_rows(name, keyspace, last)?;
    }
    examine_ingested(&database, agreed(&keyspaces, "ingested")?)?;
    examine_churned(&database, agreed(&keyspaces, "churn")?, agreed(&keyspaces, "dropping")?)?;
    Ok(last)
}

/// A number that every batch sets in all keyspaces.
fn agreed(keyspaces: &[(&str, Keyspace)], what: &str) -> Outcome<Option<u64>> {
    let mut found = Vec::new();
    for (_, keyspace) in keyspaces {
        found.push(keyspace.get(what)?.and_then(|value| number(&value)));
    }
    if found.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(format!("torn: {what} is {found:?} in {NAMES:?}").into());
    }
    Ok(found[0])
}

/// Exactly the rows of the window are there.
fn examine_rows(name: &str, keyspace: &Keyspace, last: u64) -> Outcome<()> {
    let shape = keyspace.get("shape")?.ok_or(format!("{name} keeps no shape"))?;
    let rows = Rows::of_shape(&shape).ok_or(format!("the shape in {name} is none"))?;
    let mut expected = rows.present(last);
    for found in keyspace.prefix("row/") {
        let (found_key, value) = found.into_inner()?;
        let Some(number) = expected.next() else {
            return Err(format!("{name} holds more than the rows up to {last}").into());
        };
        if *found_key != *key(number).as_bytes() {
            let found_key = String::from_utf8_lossy(&found_key).into_owned();
            return Err(format!("{name} holds {found_key} where {} belongs, last is {last}", key(number)).into());
        }
        if *value != *rows.row(name, number) {
            return Err(format!("row {number} of {name} has other bytes").into());
        }
    }
    match expected.next() {
        Some(number) => Err(format!("{name} lacks row {number}, last is {last}").into()),
        None => Ok(()),
    }
}

/// The round that was ingested is the one that was said, or the next, which could not be said yet.
fn examine_ingested(database: &Database, said: Option<u64>) -> Outcome<()> {
    if !database.keyspace_exists(INGESTED) {
        return if said.is_none() { Ok(()) } else { Err(format!("keyspace {INGESTED} is gone").into()) };
    }
    let keyspace = database.keyspace(INGESTED, || creation(INGESTED))?;
    if let Some(what) = changed(INGESTED, &keyspace) {
        return Err(what.into());
    }
    let said = said.unwrap_or(0);
    let round = keyspace.get(key(0))?.and_then(|row| ingest::round_of(&row)).unwrap_or(0);
    if round != said && round != said + 1 {
        return Err(format!("round {said} of ingestion was said, and round {round} is there").into());
    }
    let rows = ingest::rows();
    let mut count = 0;
    for found in keyspace.iter() {
        let (found_key, value) = found.into_inner()?;
        if *found_key != *key(count).as_bytes() || *value != *ingest::row(&rows, round, count) {
            return Err(format!("ingested row {count} is not that of round {round}").into());
        }
        count += 1;
    }
    if count != if round == 0 { 0 } else { ingest::COUNT } {
        return Err(format!("{count} rows of round {round} of ingestion are there").into());
    }
    Ok(())
}

/// Of the keyspaces that come and go, exactly those are there that may be.
fn examine_churned(database: &Database, round: Option<u64>, dropping: Option<u64>) -> Outcome<()> {
    let (round, dropping) = (round.unwrap_or(0), dropping.unwrap_or(0));
    let mut found = Vec::new();
    for called in database.list_keyspace_names() {
        if let Some(text) = called.strip_prefix("churn-") {
            let filled = database.keyspace(&called, || creation(&called))?.get("round")?;
            found.push((text.parse::<u64>()?, filled.and_then(|value| number(&value))));
        }
    }
    for (number, filled) in &found {
        // The next may have been created and not filled yet; this one is there until it is dropped.
        let allowed = if *number == round { *filled == Some(round) } else { *number == round + 1 && filled.is_none() };
        if !allowed {
            return Err(format!("{} is there with {filled:?} in round {round}", churn::name(*number)).into());
        }
    }
    if round > dropping && !found.iter().any(|(number, _)| *number == round) {
        return Err(format!("{} is gone, and dropping is at {dropping}", churn::name(round)).into());
    }
    Ok(())
}
