//! The command line as its users see it: verbs, exit codes, reports in all their forms, and manners towards pipes and
//! terminals.
//!
//! | file | about |
//! |---|---|
//! | `left_out.rs` | what a point left out when it was made |
//! | `reports.rs` | JSON, JUnit, SARIF, Markdown, annotations, events; merging |
//! | `trees.rs` | show and export of points of folders |
//! | `verbs.rs` | list, show, explain, completions, man, points, usage errors, pipes |
//! | `watched.rs` | what cron, Nagios and Prometheus get |

mod left_out;
mod reports;
mod trees;
mod verbs;
mod watched;
