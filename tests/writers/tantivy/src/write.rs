//! The writer: documents are added and removed, and every fortieth commits; merges run beside it.

use std::time::Instant;

use tantivy::merge_policy::LogMergePolicy;
use tantivy::{IndexWriter, TantivyDocument, Term};
use writer_common::{Latencies, Options, Outcome, Pace, say};

use crate::index::{Documents, of_payload, payload};

/// How many documents are committed together.
const TOGETHER: u64 = 40;

/// What the writer may use, in bytes; the least that it takes.
const MEMORY: usize = 15_000_000;

/// Add documents, from where the last commit ended.
pub fn write(options: &Options) -> Outcome<()> {
    let documents = Documents::open_or_create(&options.folder)?;
    let (rows, mut last) = of_payload(documents.index.load_metas()?.payload.as_deref(), options)?;
    let mut writer: IndexWriter<TantivyDocument> = documents.index.writer_with_num_threads(1, MEMORY)?;
    let mut merges = LogMergePolicy::default();
    // Segments are small here, and merged as soon as there are four.
    merges.set_min_num_segments(4);
    merges.set_min_layer_size(100);
    writer.set_merge_policy(Box::new(merges));
    say(last);
    let mut latencies = Latencies::open(options)?;
    let mut pace = Pace::new(options.rate);
    let end = options.end(last);
    while last < end {
        pace.wait();
        let began = Instant::now();
        last += 1;
        writer.add_document(documents.document(&rows, last))?;
        if last > rows.window {
            writer.delete_term(Term::from_field_u64(documents.number, last - rows.window));
        }
        if last.is_multiple_of(TOGETHER) || last == end {
            let mut commit = writer.prepare_commit()?;
            commit.set_payload(&payload(&rows, last));
            commit.commit()?;
            say(last);
        }
        latencies.note(began)?;
    }
    writer.wait_merging_threads()?;
    Ok(())
}
