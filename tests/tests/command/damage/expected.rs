//! What verify must say to each damage: the exit code and the names of the findings, at the depths list, size, digest
//! and deep.
//!
//! `=` is the same as at the depth before. Of note: a file's length is looked at from `size` on and its bytes from
//! `digest` on; a gzip file is decompressed at `size`; a saved index has no sum on record, so only `deep` can judge it;
//! what no line lists is inconclusive, never sound; the lock and a work file are no part of any backup, so nothing they
//! hold matters.

/// Ten ways of damage, each to every kind of file.
pub(crate) const WAYS: &str = "
flip       full .fs       | 0                        | =                        | 1 digest                 | 1 digest+odd-record
flip       .deltafs       | 0                        | =                        | 1 digest                 | =
flip       last .deltafs  | 0                        | =                        | 1 digest                 | =
flip       .fsz           | 0                        | 1 encoding               | =                        | =
flip       .deltafsz      | 0                        | 1 encoding               | =                        | =
flip       last .deltafsz | 0                        | 1 encoding               | =                        | =
flip       .dat           | 0                        | =                        | 1 digest                 | =
flip       old .dat       | 0                        | =                        | 1 digest                 | =
flip       .index         | 0                        | =                        | =                        | 1 oid-index
flip       last .index    | 0                        | =                        | =                        | 1 oid-index
flip       lock           | 0                        | =                        | =                        | =
flip       work file      | 0 temporary              | =                        | =                        | =
flip       orphan         | 3 unlisted               | =                        | =                        | =
truncate   full .fs       | 0                        | 1 length                 | =                        | =
truncate   .deltafs       | 0                        | 1 length                 | =                        | =
truncate   last .deltafs  | 0                        | 1 length                 | =                        | =
truncate   .fsz           | 0                        | 1 encoding               | =                        | =
truncate   .deltafsz      | 0                        | 1 encoding               | =                        | =
truncate   last .deltafsz | 0                        | 1 encoding               | =                        | =
truncate   .dat           | 1 malformed-index+unlisted | =                        | =                        | =
truncate   old .dat       | 1 malformed-index+unlisted | =                        | =                        | =
truncate   .index         | 0                        | =                        | =                        | 1 oid-index
truncate   last .index    | 0                        | =                        | =                        | 1 oid-index
truncate   lock           | 0                        | =                        | =                        | =
truncate   work file      | 0 temporary              | =                        | =                        | =
truncate   orphan         | 3 unlisted               | =                        | =                        | =
extend     full .fs       | 0                        | 1 length                 | =                        | =
extend     .deltafs       | 0                        | 1 length                 | =                        | =
extend     last .deltafs  | 0                        | 1 length                 | =                        | =
extend     .fsz           | 0                        | 1 encoding               | =                        | =
extend     .deltafsz      | 0                        | 1 encoding               | =                        | =
extend     last .deltafsz | 0                        | 1 encoding               | =                        | =
extend     .dat           | 1 malformed-index        | =                        | =                        | =
extend     old .dat       | 1 malformed-index        | =                        | =                        | =
extend     .index         | 0                        | =                        | =                        | 1 oid-index
extend     last .index    | 0                        | =                        | =                        | 1 oid-index
extend     lock           | 0                        | =                        | =                        | =
extend     work file      | 0 temporary              | =                        | =                        | =
extend     orphan         | 3 unlisted               | =                        | =                        | =
delete     full .fs       | 1 missing                | =                        | =                        | =
delete     .deltafs       | 1 missing                | =                        | =                        | =
delete     last .deltafs  | 1 missing                | =                        | =                        | =
delete     .fsz           | 1 missing                | =                        | =                        | =
delete     .deltafsz      | 1 missing                | =                        | =                        | =
delete     last .deltafsz | 1 missing                | =                        | =                        | =
delete     .dat           | 3 no-index+unlisted      | =                        | =                        | =
delete     old .dat       | 3 no-index+unlisted      | =                        | =                        | =
delete     .index         | 0 no-oid-index           | =                        | =                        | =
delete     last .index    | 0 no-oid-index           | =                        | =                        | =
delete     lock           | 0                        | =                        | =                        | =
delete     work file      | 0                        | =                        | =                        | =
delete     orphan         | 0                        | =                        | =                        | =
duplicate  full .fs       | 3 no-index               | =                        | =                        | =
duplicate  .deltafs       | 3 unlisted               | =                        | =                        | =
duplicate  last .deltafs  | 3 unlisted               | =                        | =                        | =
duplicate  .fsz           | 3 no-index               | =                        | =                        | =
duplicate  .deltafsz      | 3 unlisted               | =                        | =                        | =
duplicate  last .deltafsz | 3 unlisted               | =                        | =                        | =
duplicate  .dat           | 1 missing-base           | =                        | =                        | =
duplicate  old .dat       | 1 missing-base           | =                        | =                        | =
duplicate  .index         | 0 stray                  | =                        | =                        | =
duplicate  last .index    | 0 stray                  | =                        | =                        | =
duplicate  lock           | 0 stray                  | =                        | =                        | =
duplicate  work file      | 0 temporary              | =                        | =                        | =
duplicate  orphan         | 3 unlisted               | =                        | =                        | =
swap       full .fs       | 0                        | 1 length                 | =                        | 1 length+record
swap       .deltafs       | 0                        | 1 length                 | =                        | 1 length+record
swap       last .deltafs  | 0                        | 1 encoding+length        | =                        | =
swap       .fsz           | 0                        | 1 length                 | =                        | 1 length+record
swap       .deltafsz      | 0                        | 1 length                 | =                        | 1 length+odd-record+record
swap       last .deltafsz | 0                        | 1 encoding+length        | =                        | 1 encoding+length+record
swap       .dat           | 1 malformed-index+missing-base+unlisted | =                        | =                        | =
swap       old .dat       | 1 malformed-index+missing-base+unlisted | =                        | =                        | =
swap       .index         | 0                        | =                        | =                        | 1 oid-index
swap       last .index    | 0                        | =                        | =                        | 1 oid-index
swap       lock           | 1 malformed-index+unlisted | =                        | =                        | =
swap       work file      | 0 temporary              | 1 length+temporary       | =                        | 1 length+record+temporary
swap       orphan         | 3 unlisted               | 1 length+unlisted        | =                        | 1 length+record+unlisted
rename     full .fs       | 1 missing+no-index       | =                        | =                        | =
rename     .deltafs       | 1 missing+unlisted       | =                        | =                        | =
rename     last .deltafs  | 1 missing+unlisted       | =                        | =                        | =
rename     .fsz           | 1 missing+no-index       | =                        | =                        | =
rename     .deltafsz      | 1 missing+unlisted       | =                        | =                        | =
rename     last .deltafsz | 1 missing+unlisted       | =                        | =                        | =
rename     .dat           | 1 missing-base+no-index+unlisted | =                        | =                        | =
rename     old .dat       | 1 missing-base+no-index+unlisted | =                        | =                        | =
rename     .index         | 0 no-oid-index+stray     | =                        | =                        | =
rename     last .index    | 0 no-oid-index+stray     | =                        | =                        | =
rename     lock           | 0 stray                  | =                        | =                        | =
rename     work file      | 0 temporary              | =                        | =                        | =
rename     orphan         | 3 unlisted               | =                        | =                        | =
zero-fill  full .fs       | 0                        | =                        | 1 digest                 | 1 digest+record
zero-fill  .deltafs       | 0                        | =                        | 1 digest                 | 1 digest+record
zero-fill  last .deltafs  | 0                        | =                        | 1 digest                 | 1 digest+record
zero-fill  .fsz           | 0                        | 1 encoding               | =                        | =
zero-fill  .deltafsz      | 0                        | 1 encoding               | =                        | =
zero-fill  last .deltafsz | 0                        | 1 encoding               | =                        | =
zero-fill  .dat           | 1 malformed-index+unlisted | =                        | =                        | =
zero-fill  old .dat       | 1 malformed-index+unlisted | =                        | =                        | =
zero-fill  .index         | 0                        | =                        | =                        | 1 oid-index
zero-fill  last .index    | 0                        | =                        | =                        | 1 oid-index
zero-fill  lock           | 0                        | =                        | =                        | =
zero-fill  work file      | 0 temporary              | =                        | =                        | =
zero-fill  orphan         | 3 unlisted               | =                        | =                        | =
stale      full .fs       | 0                        | 1 length                 | =                        | =
stale      .deltafs       | 0                        | 1 length                 | =                        | 1 length+odd-record+record
stale      last .deltafs  | 0                        | 1 length                 | =                        | 1 length+odd-record+record
stale      .fsz           | 0                        | 1 length                 | =                        | 1 length+record
stale      .deltafsz      | 0                        | 1 length                 | =                        | 1 length+record
stale      last .deltafsz | 0                        | 1 length                 | =                        | 1 length+odd-record+record
stale      .dat           | 3 unlisted               | =                        | =                        | =
stale      old .dat       | 3 unlisted               | =                        | =                        | =
stale      .index         | 0                        | =                        | =                        | 1 oid-index
stale      last .index    | 0                        | =                        | =                        | 1 oid-index
stale      lock           | 0                        | =                        | =                        | =
stale      work file      | 0 temporary              | =                        | =                        | =
stale      orphan         | 3 unlisted               | =                        | =                        | =
empty      full .fs       | 0                        | 1 length                 | =                        | =
empty      .deltafs       | 0                        | 1 length                 | =                        | =
empty      last .deltafs  | 0                        | 1 length                 | =                        | =
empty      .fsz           | 0                        | 1 encoding               | =                        | =
empty      .deltafsz      | 0                        | 1 encoding               | =                        | =
empty      last .deltafsz | 0                        | 1 encoding               | =                        | =
empty      .dat           | 3 no-index+unlisted      | =                        | =                        | =
empty      old .dat       | 3 no-index+unlisted      | =                        | =                        | =
empty      .index         | 0                        | =                        | =                        | 1 oid-index
empty      last .index    | 0                        | =                        | =                        | 1 oid-index
empty      lock           | 0                        | =                        | =                        | =
empty      work file      | 0 temporary              | =                        | =                        | =
empty      orphan         | 3 unlisted               | =                        | =                        | =
";

/// One bit flipped at a named place of each kind of file.
pub(crate) const PLACES: &str = "
full .fs       first byte        | 0                        | =                        | 1 digest                 | 1 digest+record
full .fs       last byte         | 0                        | =                        | 1 digest                 | 1 digest+record
full .fs       middle            | 0                        | =                        | 1 digest                 | 1 digest+odd-record
full .fs       first tid         | 0                        | =                        | 1 digest                 | 1 digest+odd-record
full .fs       status            | 0                        | =                        | 1 digest                 | 1 digest+odd-record
full .fs       record's oid      | 0                        | =                        | 1 digest                 | 1 digest+oid-index+record
.deltafs       first byte        | 0                        | =                        | 1 digest                 | 1 digest+odd-record
.deltafs       last byte         | 0                        | =                        | 1 digest                 | 1 digest+record
.deltafs       middle            | 0                        | =                        | 1 digest                 | =
.deltafs       tid               | 0                        | =                        | 1 digest                 | 1 digest+odd-record
.deltafs       length            | 0                        | =                        | 1 digest                 | 1 digest+record
.deltafs       status            | 0                        | =                        | 1 digest                 | 1 digest+odd-record
.deltafs       length again      | 0                        | =                        | 1 digest                 | 1 digest+record
last .deltafs  first byte        | 0                        | =                        | 1 digest                 | 1 digest+odd-record
last .deltafs  last byte         | 0                        | =                        | 1 digest                 | 1 digest+record
last .deltafs  middle            | 0                        | =                        | 1 digest                 | =
last .deltafs  tid               | 0                        | =                        | 1 digest                 | 1 digest+odd-record
last .deltafs  length            | 0                        | =                        | 1 digest                 | 1 digest+record
last .deltafs  status            | 0                        | =                        | 1 digest                 | 1 digest+odd-record
last .deltafs  length again      | 0                        | =                        | 1 digest                 | 1 digest+record
.fsz           first byte        | 0                        | 1 encoding               | =                        | =
.fsz           last byte         | 0                        | 1 encoding               | =                        | =
.fsz           middle            | 0                        | 1 encoding               | =                        | 1 encoding+record
.fsz           method            | 0                        | 1 encoding               | =                        | =
.fsz           flag FTEXT        | 0                        | =                        | =                        | =
.fsz           flag FEXTRA       | 0                        | 1 encoding               | =                        | =
.fsz           a reserved flag   | 0                        | 1 encoding               | =                        | =
.fsz           time              | 0                        | =                        | =                        | =
.fsz           hints             | 0                        | =                        | =                        | =
.fsz           system            | 0                        | =                        | =                        | =
.fsz           FEXTRA: length    | 0                        | 1 encoding               | =                        | =
.fsz           subfield: name    | 0                        | =                        | =                        | =
.fsz           subfield: length  | 0                        | =                        | =                        | =
.fsz           member's length   | 0                        | =                        | =                        | =
.fsz           plain length      | 0                        | =                        | =                        | =
.fsz           deflate: block    | 0                        | 1 encoding               | =                        | =
.fsz           deflate: body     | 0                        | 1 encoding               | =                        | =
.fsz           deflate: end      | 0                        | 1 length                 | =                        | =
.fsz           CRC-32            | 0                        | 1 encoding               | =                        | =
.fsz           ISIZE             | 0                        | 1 encoding               | =                        | =
.deltafsz      first byte        | 0                        | 1 encoding               | =                        | =
.deltafsz      last byte         | 0                        | 1 encoding               | =                        | =
.deltafsz      middle            | 0                        | 1 encoding               | =                        | =
.deltafsz      method            | 0                        | 1 encoding               | =                        | =
.deltafsz      flag FTEXT        | 0                        | =                        | =                        | =
.deltafsz      flag FEXTRA       | 0                        | 1 encoding               | =                        | =
.deltafsz      a reserved flag   | 0                        | 1 encoding               | =                        | =
.deltafsz      time              | 0                        | =                        | =                        | =
.deltafsz      hints             | 0                        | =                        | =                        | =
.deltafsz      system            | 0                        | =                        | =                        | =
.deltafsz      FEXTRA: length    | 0                        | 1 encoding               | =                        | =
.deltafsz      subfield: name    | 0                        | =                        | =                        | =
.deltafsz      subfield: length  | 0                        | =                        | =                        | =
.deltafsz      member's length   | 0                        | =                        | =                        | =
.deltafsz      plain length      | 0                        | =                        | =                        | =
.deltafsz      deflate: block    | 0                        | 1 encoding               | =                        | =
.deltafsz      deflate: body     | 0                        | 1 encoding               | =                        | 1 encoding+record
.deltafsz      deflate: end      | 0                        | 1 length                 | =                        | =
.deltafsz      CRC-32            | 0                        | 1 encoding               | =                        | =
.deltafsz      ISIZE             | 0                        | 1 encoding               | =                        | =
last .deltafsz first byte        | 0                        | 1 encoding               | =                        | =
last .deltafsz last byte         | 0                        | 1 encoding               | =                        | =
last .deltafsz middle            | 0                        | 1 length                 | =                        | 1 length+record
last .deltafsz method            | 0                        | 1 encoding               | =                        | =
last .deltafsz flag FTEXT        | 0                        | =                        | =                        | =
last .deltafsz flag FEXTRA       | 0                        | 1 encoding               | =                        | =
last .deltafsz a reserved flag   | 0                        | 1 encoding               | =                        | =
last .deltafsz time              | 0                        | =                        | =                        | =
last .deltafsz hints             | 0                        | =                        | =                        | =
last .deltafsz system            | 0                        | =                        | =                        | =
last .deltafsz FEXTRA: length    | 0                        | 1 encoding               | =                        | =
last .deltafsz subfield: name    | 0                        | =                        | =                        | =
last .deltafsz subfield: length  | 0                        | =                        | =                        | =
last .deltafsz member's length   | 0                        | =                        | =                        | =
last .deltafsz plain length      | 0                        | =                        | =                        | =
last .deltafsz deflate: block    | 0                        | 1 encoding               | =                        | =
last .deltafsz deflate: body     | 0                        | 1 encoding               | =                        | =
last .deltafsz deflate: end      | 0                        | 1 length                 | =                        | =
last .deltafsz CRC-32            | 0                        | 1 encoding               | =                        | =
last .deltafsz ISIZE             | 0                        | 1 encoding               | =                        | =
.dat           first byte        | 0                        | =                        | =                        | =
.dat           last byte         | 1 malformed-index+unlisted | =                        | =                        | =
.dat           full's end        | 1 gap                    | 1 gap+length             | =                        | 1 gap+length+record
.dat           full's sum        | 0                        | =                        | 1 digest                 | =
.dat           line feed         | 1 missing-base+unlisted  | =                        | =                        | =
.dat           path: folder      | 0                        | =                        | =                        | =
.dat           path: slash       | 1 gap+malformed-index+unlisted | =                        | =                        | =
.dat           path: stamp       | 1 missing+unlisted       | =                        | =                        | =
.dat           path: suffix      | 1 gap+malformed-index+unlisted | =                        | =                        | =
.dat           space             | 1 gap+malformed-index+unlisted | =                        | =                        | =
.dat           start: first      | 1 overlap                | 1 length+overlap         | =                        | =
.dat           start: last       | 1 gap                    | 1 gap+length             | =                        | =
.dat           end: first        | 1 gap+malformed-index+unlisted | =                        | =                        | =
.dat           end: last         | 1 overlap                | 1 length+overlap         | =                        | 1 length+overlap+record
.dat           sum               | 0                        | =                        | 1 digest                 | =
.dat           last line feed    | 1 malformed-index+unlisted | =                        | =                        | =
old .dat       first byte        | 0                        | =                        | =                        | =
old .dat       last byte         | 1 malformed-index+unlisted | =                        | =                        | =
old .dat       full's end        | 1 gap                    | 1 gap+length             | =                        | 1 gap+length+record
old .dat       full's sum        | 0                        | =                        | 1 digest                 | =
old .dat       line feed         | 1 missing-base+unlisted  | =                        | =                        | =
old .dat       path: folder      | 0                        | =                        | =                        | =
old .dat       path: slash       | 1 gap+malformed-index+unlisted | =                        | =                        | =
old .dat       path: stamp       | 1 missing+unlisted       | =                        | =                        | =
old .dat       path: suffix      | 1 gap+malformed-index+unlisted | =                        | =                        | =
old .dat       space             | 1 gap+malformed-index+unlisted | =                        | =                        | =
old .dat       start: first      | 1 overlap                | 1 length+overlap         | =                        | =
old .dat       start: last       | 1 overlap                | 1 length+overlap         | =                        | =
old .dat       end: first        | 1 overlap                | 1 length+overlap         | =                        | =
old .dat       end: last         | 1 gap                    | 1 gap+length             | =                        | 1 gap+length+record
old .dat       sum               | 0                        | =                        | 1 digest                 | =
old .dat       last line feed    | 1 malformed-index+unlisted | =                        | =                        | =
.index         first byte        | 0                        | =                        | =                        | 1 oid-index
.index         last byte         | 0                        | =                        | =                        | 1 oid-index
.index         middle            | 0                        | =                        | =                        | 1 oid-index
.index         protocol          | 0                        | =                        | =                        | 1 oid-index
last .index    first byte        | 0                        | =                        | =                        | 1 oid-index
last .index    last byte         | 0                        | =                        | =                        | 1 oid-index
last .index    middle            | 0                        | =                        | =                        | 1 oid-index
last .index    protocol          | 0                        | =                        | =                        | 1 oid-index
lock           first byte        | 0                        | =                        | =                        | =
lock           last byte         | 0                        | =                        | =                        | =
lock           middle            | 0                        | =                        | =                        | =
work file      first byte        | 0 temporary              | =                        | =                        | =
work file      last byte         | 0 temporary              | =                        | =                        | =
work file      middle            | 0 temporary              | =                        | =                        | =
orphan         first byte        | 3 unlisted               | =                        | =                        | =
orphan         last byte         | 3 unlisted               | =                        | =                        | =
orphan         middle            | 3 unlisted               | =                        | =                        | =
orphan         method            | 3 unlisted               | =                        | =                        | =
orphan         flag FTEXT        | 3 unlisted               | =                        | =                        | =
orphan         flag FEXTRA       | 3 unlisted               | =                        | =                        | =
orphan         a reserved flag   | 3 unlisted               | =                        | =                        | =
orphan         time              | 3 unlisted               | =                        | =                        | =
orphan         hints             | 3 unlisted               | =                        | =                        | =
orphan         system            | 3 unlisted               | =                        | =                        | =
orphan         FEXTRA: length    | 3 unlisted               | =                        | =                        | =
orphan         subfield: name    | 3 unlisted               | =                        | =                        | =
orphan         subfield: length  | 3 unlisted               | =                        | =                        | =
orphan         member's length   | 3 unlisted               | =                        | =                        | =
orphan         plain length      | 3 unlisted               | =                        | =                        | =
orphan         deflate: block    | 3 unlisted               | =                        | =                        | =
orphan         deflate: body     | 3 unlisted               | =                        | =                        | =
orphan         deflate: end      | 3 unlisted               | =                        | =                        | =
orphan         CRC-32            | 3 unlisted               | =                        | =                        | =
orphan         ISIZE             | 3 unlisted               | =                        | =                        | =
";
