//! Beside Python's own ZODB and repozo, its suite, its defects, its histories, and databases that it opens or writes
//! meanwhile; and beside the tools that read and write lists and archives of files.

mod blobs;
mod defects;
mod demo;
mod dropin;
mod interop;
mod live;
mod prune;
mod tools;
