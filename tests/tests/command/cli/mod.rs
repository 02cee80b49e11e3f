//! The command line as its users see it: verbs, exit codes, reports in all their forms, and manners towards pipes and
//! terminals.
//!
//! | file | about |
//! |---|---|
//! | `documents.rs` | `--json` of verbs that write; `--events` |
//! | `left_out.rs` | what a point left out when it was made |
//! | `reports.rs` | JSON, JUnit, SARIF, Markdown, annotations, events; merging |
//! | `stamped.rs` | which run a report is of; the schema of reports |
//! | `terminal.rs` | colour |
//! | `trees.rs` | show and export of points of folders |
//! | `verbs.rs` | list, show, explain, completions, man, points, usage errors, pipes |
//! | `watched.rs` | what cron, Nagios and Prometheus get |

mod documents;
mod left_out;
mod reports;
mod stamped;
mod terminal;
mod trees;
mod verbs;
mod watched;
