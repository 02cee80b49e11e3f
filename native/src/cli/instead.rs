//! Verbs of other programs, and which of ours does the same.

/// What to type in place of a verb that there is not.
pub(super) fn of(verb: &str) -> Option<&'static str> {
    Some(match verb {
        "check" | "fsck" | "validate" | "test" | "scrub" | "audit" => "highwater verify REPO",
        "ls" | "snapshots" | "points" | "log" => "highwater list REPO",
        "info" | "status" | "stat" | "inspect" | "cat" => "highwater show REPO@POINT, or highwater list REPO",
        "extract" | "recover" | "get" | "download" => "highwater restore REPO[@POINT] TARGET",
        "save" | "create" | "store" | "push" | "copy" => "highwater backup SOURCE REPO",
        "tar" | "archive" | "dump" | "send" => "highwater export SET[@POINT] > FILE.tar",
        "repair" | "fix" | "mend" => "highwater heal REPO --from OTHER",
        "gc" | "garbage-collection" | "orphans" => "highwater strays STORE, which lists and removes nothing",
        "init" => "mkdir REPO: the first backup into an empty folder makes a repository of it",
        "forget" | "delete" | "remove" | "rm" | "expire" | "retention" => {
            "highwater prune REPO --keep-daily 7 --keep-weekly 4, which says what it removes"
        }
        "serve" | "gui" | "ui" => "highwater web",
        "errors" | "codes" => "highwater explain",
        _ => return None,
    })
}
