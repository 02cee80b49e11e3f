//! The command line as its users see it: verbs, exit codes, reports in all their forms, and manners towards pipes and
//! terminals.
//!
//! | file | about |
//! |---|---|
//! | `reports.rs` | JSON, JUnit, SARIF, Markdown, annotations, events; merging |
//! | `trees.rs` | show and export of points of folders |
//! | `verbs.rs` | list, show, explain, completions, man, points, usage errors, pipes |

mod reports;
mod trees;
mod verbs;
