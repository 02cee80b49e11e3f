//! The state of a verification in a manifest: how a snapshot is marked as not whole so that a server acts on it.
//!
//! A server reads `verify_state` only when its `upid`, the name of the task that found it, can be parsed:
//! `UPID:node:pid:pstart:task:starttime:type:id:user:`, where pid, pstart, task and starttime are hexadecimal, of eight
//! digits at least, and an empty id leaves two colons between type and user. One that it cannot parse is none to it: it
//! shows nothing and takes the snapshot as the base of the next backup. One that it can, also a failed one, is not
//! verified again by a job that passes over what was verified, unless it is older than the job allows, counted from the
//! task's start.

use serde_json::{Value, json};

/// What a snapshot is marked with that is not whole. `process` is the number of this one.
///
/// The task is said to have started in 1970, so that every job that verifies anew after some days does so at once.
pub(super) fn failed(process: u32) -> Value {
    json!({ "state": "failed", "upid": format!("UPID:highwater:{process:08X}:00000000:00000000:00000000:backup::root@pam:") })
}

/// Whether a server can read this state.
pub(super) fn is_read(state: &Value) -> bool {
    state.get("upid").and_then(Value::as_str).is_some_and(is_task)
}

/// Whether this is the name of a task.
fn is_task(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["UPID", node, pid, pstart, task, start, kind, id, user, ""] = *parts else { return false };
    let hex = |text: &str, most| (8..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let word = |text: &str| !text.contains(char::is_whitespace);
    let named = |text: &str| !text.is_empty() && word(text);
    named(node)
        && hex(pid, 8)
        && hex(pstart, 9)
        && hex(task, 16)
        && hex(start, 8)
        && named(kind)
        && word(id)
        && named(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tasks_have_nine_parts_after_the_first_word() {
        assert!(is_read(&failed(77)));
        for (text, is) in [
            ("UPID:pbs:000002AE:00001C57:00000003:6650A5C1:verify:store\\x3avm:root@pam:", true),
            ("UPID:pbs:000002AE:00001C57:00000003:6650A5C1:verify::root@pam!token:", true),
            ("UPID:highwater:000002AE:00000000:00000000:6650A5C1:backup:::root@pam:", false),
            ("UPID:pbs:2AE:00001C57:00000003:6650A5C1:verify::root@pam:", false),
            ("UPID:pbs:000002AE:00001C57:00000003:6650A5C1:verify::root@pam", false),
            ("", false),
        ] {
            assert_eq!(is_task(text), is, "{text}");
        }
    }
}
