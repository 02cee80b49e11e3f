//! The pages that `highwater explain CODE` prints: what a finding means and what to do about it.

use super::code::{Code, Severity};

/// How wide a page is, in columns.
const WIDTH: usize = 72;

/// The parts of a page that differ from code to code.
struct Page {
    /// What it means.
    means: &'static str,
    /// How it comes about.
    comes: &'static str,
    /// What to do, step by step.
    steps: &'static [&'static str],
    /// The options that show it again.
    again: &'static str,
}

impl Code {
    /// The page that `explain` prints, as plain text of at most 72 columns.
    #[must_use]
    pub fn page(self) -> String {
        let Page { means, comes, steps, again } = parts(self);
        let (severity, exit) = match self.severity() {
            Severity::Damage => ("damage", "It makes the verdict damaged, with exit code 1."),
            Severity::Inconclusive => {
                ("inconclusive", "It makes the verdict inconclusive, with exit code 3, unless there is damage too.")
            }
            Severity::Warning => ("warning", "It leaves the verdict as it is; with --strict it counts as damage."),
        };
        let mut text = format!("{self} {} ({severity})\n\n", self.name());
        for (title, body) in [("WHAT IT MEANS", means), ("HOW IT COMES ABOUT", comes)] {
            text.push_str(&format!("{title}\n{}\n", fill(body, "  ", "  ")));
        }
        text.push_str("WHAT TO DO\n");
        for (i, step) in steps.iter().enumerate() {
            text.push_str(&fill(step, &format!("  {}. ", i + 1), "     "));
        }
        let command = format!("highwater verify REPO {again}");
        text.push_str(&format!("\nTO SEE IT AGAIN\n  {}\n\n{}", command.trim_end(), fill(exit, "  ", "  ")));
        text
    }
}

/// Breaks `text` into lines of at most [`WIDTH`] columns, which begin with `first` or `other`. A tilde is a
/// space at which no line ends.
pub(crate) fn fill(text: &str, first: &str, other: &str) -> String {
    let mut filled = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        let word = word.replace('~', " ");
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            filled.push_str(&line);
            filled.push('\n');
            line = other.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word);
        empty = false;
    }
    filled.push_str(&line);
    filled.push('\n');
    filled
}

fn parts(code: Code) -> Page {
    match code {
        Code::Missing => Page {
            means: "An index names an object that is not in its folder or bucket. No point in time that needs the \
                object can be restored: the later ones of a chain, or all of it if the full backup is missing.",
            comes: "A copy to other storage that stopped half-way, a clean-up by date that takes a full backup but \
                not its increments, or a power cut after which the index survived and the data file did not.",
            steps: &[
                "Look for the named object in other copies of the repository and copy it back under the same name.",
                "If there is none, make a new backup now.",
                "Keep the rest of the chain: the points before the missing object can still be restored.",
            ],
            again: "--depth list",
        },
        Code::Length => Page {
            means: "An object is shorter or longer than its index says. A compressed one is measured after \
                decompression. Its bytes are no longer those that were backed up.",
            comes: "A transfer that broke off, a full disk, a power cut before the data reached the disk, or a \
                program that wrote into a finished backup. Too short is the usual case.",
            steps: &[
                "Copy the object again from where it came from and compare the lengths.",
                "If this is the only copy, make a new backup now.",
                "Leave the damaged object where it is until the new backup is verified.",
            ],
            again: "--depth size",
        },
        Code::Digest => Page {
            means: "The object has the right length, but its bytes do not give the digest on record: something in it \
                changed after the backup.",
            comes: "A failing disk, cable or memory module, a storage system that lost a write, a transfer that \
                mangled text, or someone who changed the file. A digest tells that bytes differ, not which.",
            steps: &[
                "Verify once more. If the result changes from run to run, distrust the machine that reads, not the \
                 backup.",
                "Copy the object again from where it came from, or from another copy of the repository.",
                "If this is the only copy, make a new backup now.",
                "Look at the disk's own error counters before you write to it again.",
            ],
            again: "--depth digest",
        },
        Code::Encoding => Page {
            means: "The compressed bytes of an object are broken: the gzip header, the deflate stream or its check \
                sum is wrong, or the end is missing. What lies after the broken place cannot be recovered.",
            comes: "A backup or a copy that was cut off, or changed bytes.",
            steps: &[
                "Copy the object again from another copy of the repository.",
                "If this is the only copy, make a new backup now.",
                "Keep the broken object: gzip tools may still rescue what comes before the broken place.",
            ],
            again: "--depth size",
        },
        Code::Malformed => Page {
            means: "A part of an index cannot be understood, so what it claims is unknown.",
            comes: "A power cut while the line was being written, an editor or a transfer that changed it, or a line \
                written by another program.",
            steps: &[
                "Compare the index with another copy of it, and bring that copy back if it is whole.",
                "Do not mend the line by hand unless you can work out the digest from data that you trust.",
                "Otherwise make a new backup, which has an index of its own.",
            ],
            again: "--depth list",
        },
        Code::Gap => Page {
            means: "One part of a chain ends before the next one begins. A restore that simply joined the parts \
                would give a file without the bytes between them, at wrong places from there on: it would be \
                corrupt.",
            comes: "An increment's index line is lost, or an increment was deleted and its line with it.",
            steps: &[
                "See which points lie before the gap: highwater~list~REPO",
                "Restore only from those, or bring the lost increment and its index line back from another copy.",
                "Make a new full backup: highwater~backup~SRC~REPO~--full",
            ],
            again: "--depth list",
        },
        Code::Overlap => Page {
            means: "One part of a chain begins before the last one ends, so the same bytes are stored twice. A \
                restore that simply joined the parts would give a file that is too long and corrupt from there on.",
            comes: "An increment was finished but its index line was not written (a crash between the two), and a \
                later run then copied the same bytes once more; or two backups ran at the same time.",
            steps: &[
                "See which points lie before the overlap: highwater~list~REPO",
                "Restore only from those. Do not delete either part until a newer backup is verified.",
                "Make a new full backup: highwater~backup~SRC~REPO~--full",
                "See to it that only one backup of a repository runs at a time.",
            ],
            again: "--depth list",
        },
        Code::NoBase => Page {
            means: "There are increments, but not the full backup that they build on. On their own they restore \
                nothing: a file joined from them lacks its beginning.",
            comes: "The full backup was deleted or moved by a clean-up by date or size, or a copy of the repository \
                took only the newest files.",
            steps: &[
                "Look for the full backup in other copies and bring it back.",
                "If it is gone, make a new one now: highwater~backup~SRC~REPO~--full",
                "Change the clean-up so that it deletes whole chains only.",
            ],
            again: "--depth list",
        },
        Code::Record => Page {
            means: "A record inside the data contradicts itself or its neighbours, for example a transaction whose two \
                lengths differ. If the digest is right, the backup is a true copy of data that was damaged already.",
            comes: "The database file was damaged before it was backed up: by a disk, a crash, or a program that wrote \
                into it. Digests cannot see that, because they were made from the damaged bytes.",
            steps: &[
                "Run the database's own checks on the source; for ZODB these are fstest and fsrefs.",
                "Find the newest point without this finding and keep it safe: highwater~list~REPO",
                "Repair the source (for ZODB: fsrecover) or go back to that point, then back up: \
                 highwater~backup~SRC~REPO~--full",
            ],
            again: "--depth deep",
        },
        Code::OidIndex => Page {
            means: "A saved OID index (.index) does not fit the records that it indexes: it cannot be read, ends \
                elsewhere, or points to wrong places. The data itself may be whole, but a database that trusts the \
                index goes astray.",
            comes: "The index was written for another state of the file, was cut off by a crash, or belongs to \
                another chain.",
            steps: &[
                "Move the .index file away. The database builds a new one from the records when it next opens.",
                "Restored already? Move the .index beside the restored file away too, before the database opens it.",
                "Verify again; the finding turns into HW303, which is only a warning.",
            ],
            again: "--depth deep",
        },
        Code::Unreadable => Page {
            means: "Something could not be read, so nothing is known about its bytes. That is not damage: the same \
                object may be whole for someone who can read it.",
            comes: "A missing permission, a mount or network that went away, a disk that reports an error, or an \
                object that vanished while it was read.",
            steps: &[
                "Read the message: it holds the operating system's own words.",
                "Mend the permission or the mount. After a disk error, copy the repository to another disk first.",
                "Verify again; the points named by this finding are unproven until then.",
            ],
            again: "--depth digest",
        },
        Code::Unlisted => Page {
            means: "A data file has the name of a backup, but no index lists it. Nothing says how long it should be \
                or what it should hold, so it can be called neither sound nor damaged, and what depends on it is in \
                doubt.",
            comes: "A backup was interrupted after the data file got its name and before its index line was written, \
                or is just running; or somebody put the file there.",
            steps: &[
                "If a backup is running now, wait for it and verify again.",
                "Run the backup again: highwater~backup~SRC~REPO. It finishes the interrupted run or sets the file \
                 aside.",
            ],
            again: "--depth list",
        },
        Code::NoIndex => Page {
            means: "A full backup is there, but the index of its chain is not. Nothing says how long its files \
                should be or which digests they have; they may well be whole, but nobody can prove it.",
            comes: "A first backup that was interrupted before it wrote its index, a copy that left the indices out, \
                or a clean-up that deleted one.",
            steps: &[
                "Bring the index of that full backup back from another copy.",
                "If there is none, run the backup again: highwater~backup~SRC~REPO. It finishes or replaces this \
                 chain.",
                "Until then, keep the files: a restore from them may succeed, but test what it gives.",
            ],
            again: "--depth list",
        },
        Code::Unverifiable => Page {
            means: "The object could be read, but nothing here can tell whether its bytes are what they were: they are \
                encrypted, and the digest on record is that of what was encrypted, with the key.",
            comes: "The backup was encrypted by its owner, whose key this run does not have.",
            steps: &[
                "Have whoever holds the key verify the set with it.",
                "Until then, what can be seen without it (that the object is there, and its checksum) is sound.",
            ],
            again: "--depth digest",
        },
        Code::Signature => Page {
            means: "A manifest was signed by whoever made the snapshot, and it is not what was signed: its text was \
                changed, or the signature or the fingerprint of the key beside it was. Its archives may be sound and \
                not be those that were backed up.",
            comes: "Somebody who may write in the store and does not have the key, or a program that rewrote the \
                manifest. A disk that changes bytes breaks the checksum first (HW104).",
            steps: &[
                "Compare the manifest with another copy of the snapshot, and bring that back if it holds.",
                "If there is none, restore from another snapshot; find out who wrote in the store.",
                "Make a new backup with the key.",
            ],
            again: "--depth list --keyfile KEY",
        },
        Code::Unproven => Page {
            means: "A manifest is signed and the key at hand is not the one that it was signed with, or it is \
                encrypted and was not signed. Whether its text is what was written, nobody can tell here.",
            comes: "Another key made this snapshot; or its fingerprint was removed or exchanged, to hide that its \
                text was changed; or a client made it that did not sign yet.",
            steps: &[
                "Compare the two fingerprints in the message, and verify with the key of the snapshot.",
                "If the snapshot was made with the key at hand, the manifest was changed: take it as HW115.",
                "One that was never signed can be restored with its key; compare what comes of it with what you know.",
            ],
            again: "--depth list --keyfile KEY",
        },
        Code::Misnamed => Page {
            means: "A folder holds a snapshot, and lies or is named so that no server, no restore and no \
                verification takes it for one. Nothing of it was checked. A garbage collection of a server keeps its \
                chunks as long as its indices lie anywhere in the store.",
            comes: "A file system or a copying program that cannot write colons (15_06_40Z, 15%3A06%3A40Z), small \
                letters, a folder that was moved or renamed by hand.",
            steps: &[
                "Rename the folder to the name in the message; the group's folder may have to be made first.",
                "Verify again: the snapshot is then looked at like any other.",
                "Look for others of the same copy. Copy stores with a program that keeps names, as tar or rsync to a \
                 Linux file system.",
            ],
            again: "--depth list",
        },
        Code::Unsigned => Page {
            means: "A snapshot is not signed, and others of the same group are, with the key at hand. Nothing proves \
                who wrote it.",
            comes: "The key was taken out of the backup job, or the job ran elsewhere without it. Or somebody who \
                may write in the store put a snapshot of his own there, or removed the signature.",
            steps: &[
                "Find out whether the job ran without the key at that time.",
                "If not, do not restore from it, and find out who wrote in the store.",
                "Where every snapshot has to be signed, verify with --strict.",
            ],
            again: "--depth list --strict --keyfile KEY",
        },
        Code::Unnamed => Page {
            means: "An index or a blob lies in a snapshot, and the manifest does not name it. It was not looked at, \
                and nobody restores it.",
            comes: "It was dropped from the manifest: an archive less is noticed by nothing else, unless the \
                manifest is signed. Or a backup was put together by hand.",
            steps: &[
                "Compare the manifest with another copy of it, and bring that back if it names the file.",
                "Do not delete the file before that: it may be the only way to the archive.",
            ],
            again: "--depth list --strict",
        },
        Code::Moved => Page {
            means: "Between any two looks, the program that works on the store replaced files. What could not be seen \
                the same twice is not called damaged, and not called sound either.",
            comes: "A store under heavy writes: its files live shorter than it takes to look at them.",
            steps: &[
                "Make a checkpoint, which holds every file that it names, and verify that: \
                 highwater~checkpoint~STORE~DEST~--verify.",
                "Or verify again when less is written.",
            ],
            again: "--depth digest",
        },
        Code::TornTail => Page {
            means: "Behind the last whole entry of the newest log lie bytes that are none. The store's own program \
                cuts them off when it opens the store, and whoever wrote them was never told that they are safe.",
            comes: "A program that was killed or lost power while it wrote, or is writing right now. A disk that \
                changed bits in the last entry looks the same.",
            steps: &[
                "If the program was stopped in good order, compare the log with another copy of it.",
                "Otherwise open the store with its own program, which cuts the end off.",
            ],
            again: "--depth digest --strict",
        },
        Code::NotHad => Page {
            means: "The index says that the bucket listed this object, and that it could not be fetched: nothing of it \
                is in the mirror. Points in which it is the latest of its key cannot be given back as a whole.",
            comes: "The bucket removed it between the inventory and the sync, does not let it be read, or has it \
                archived; or what came was not what the inventory says.",
            steps: &[
                "Look up why it was not had, and mend that if it can be: give the right to read it, or bring it back \
                 from the archive.",
                "Sync again, without a --path-filter that leaves it out: whatever is lacking is asked for each time.",
            ],
            again: "--depth list",
        },
        Code::Outdated => Page {
            means: "Somebody asked that the newest sound point be no older than a limit (--max-age), and it is older, \
                or nobody can tell. What is there may be sound all the same.",
            comes: "The backup was not run, or failed: a timer that is off, a disk that is full or not mounted, a key \
                that has changed, a machine whose clock is wrong. Or the points of a group that nobody backs up any \
                more are judged with the others.",
            steps: &[
                "Look at what runs the backup: `systemctl list-timers`, the log of cron, or of the server that does it.",
                "Back up now, and see that it ends with 0.",
                "Of a group that is no longer backed up, name the others alone, as in STORE@vm/100.",
            ],
            again: "--depth list --max-age 26h",
        },
        Code::Pending => Page {
            means: "Transactions are committed and lie in a journal, or beside the database, from where the store's own \
                program takes them into it. The database is looked at as it is: they belong to later points.",
            comes: "A program that is running, was killed, or lets its database hold still for a backup. It is usual.",
            steps: &[
                "If you copy the store, copy all of it, not its database alone.",
                "If the program is not running and these should be looked at too, start and stop it, then verify again.",
            ],
            again: "--depth list --strict",
        },
        Code::NoOwner => Page {
            means: "A group has no file that says whose it is. Its snapshots are checked and restored like any \
                others, but a server leaves the group out of its listings and takes no backup into it.",
            comes: "A removal of the group that was interrupted, or a copy that left the file out.",
            steps: &[
                "Write the owner into the file: echo~root@pam~>~STORE/vm/100/owner, or whoever it was.",
                "Give the file to the user whose the store is.",
            ],
            again: "--depth list --strict",
        },
        Code::Stray => Page {
            means: "A file does not belong to the backup set: no index names it and its name is none that a backup \
                has. No restore reads it, so it does no harm.",
            comes: "Notes, logs, files of other programs, or a backup that somebody renamed by hand.",
            steps: &[
                "Look at it. If it is a renamed backup, give it its old name back.",
                "Otherwise move it out of the repository; highwater never deletes it.",
            ],
            again: "--depth list --strict",
        },
        Code::Temporary => Page {
            means: "There is a work file of a backup run: either one is going on at this moment, or one was \
                interrupted. No restore reads it.",
            comes: "A crash, a full disk, or a run that was stopped.",
            steps: &[
                "See whether a backup is running. If one is, leave the file alone.",
                "If none is, the file can be deleted; highwater's own go away with its next backup.",
                "Find out why the run stopped, for example from its log or the free space of the disk.",
            ],
            again: "--depth list --strict",
        },
        Code::NoOidIndex => Page {
            means: "A point in time has no saved OID index (.index) beside its data. Nothing is lost: the index only \
                spares the database a look at every record when it opens.",
            comes: "The backup was made without one, the file was deleted to save space, or a copy left it out.",
            steps: &[
                "Nothing needs to be done for the data's sake.",
                "Allow for a slow first start after a restore: large databases take minutes or more.",
                "To have one again, make a new backup: highwater~backup~SRC~REPO",
            ],
            again: "--depth list --strict",
        },
        Code::OddRecord => Page {
            means: "A record is unusual, but the database accepts it with a warning, for example a transaction with \
                an unknown status or one that is older than the one before it. The backup holds what the source \
                holds.",
            comes: "A clock that was set back, an old program version, or an import by a tool with its own ideas.",
            steps: &[
                "Run the database's own checks on the source; for ZODB this is fstest.",
                "If they find nothing more, no step is needed; the finding comes back with each verification.",
            ],
            again: "--depth deep --strict",
        },
        Code::Unfinished => Page {
            means: "A snapshot has no manifest. The manifest is written last, so this backup is not done, or was \
                interrupted, or the manifest was lost. Nothing says what the snapshot should be.",
            comes: "A backup that is running at this moment, or one whose client or server stopped in the middle.",
            steps: &[
                "If a backup is running, wait until it is done, then verify again.",
                "If none is, bring index.json.blob back from another copy of the snapshot.",
                "If there is none, remove the snapshot; the store's own clean-up frees its chunks.",
            ],
            again: "--depth list",
        },
        Code::OddIndex => Page {
            means: "Bytes of an index that are reserved, and zero in every index, are not zero here. Nothing reads \
                them, and no checksum covers them, so the index may be used as it is.",
            comes: "A disk or a copy that changed bits: the rest of the file was lucky. Or a program that writes \
                more than the format has.",
            steps: &[
                "Look for other damage on the same disk: highwater~verify~REPO.",
                "Copy the index again from another copy of the snapshot, if there is one.",
            ],
            again: "--depth list --strict",
        },
        Code::BeingWritten => Page {
            means: "A backup is running in this repository at this moment. It has put its data file into place and \
                not listed it yet, so nothing says what the file should be.",
            comes: "Verification and backup ran at the same time. It takes a moment between the two steps, longer \
                for a large OID index on a slow disk.",
            steps: &[
                "Wait until the backup is done, then verify again: the new point in time is then checked, too.",
                "If it is still there when no backup runs, run the backup again: it finishes the interrupted run.",
            ],
            again: "--depth list --strict",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_narrow_and_whole() {
        for code in Code::ALL {
            let page = code.page();
            assert!(page.starts_with(&format!("{code} {} (", code.name())), "{page}");
            assert!(page.contains("\n  1. ") && page.contains("\n  highwater verify REPO --depth "), "{page}");
            assert!(page.ends_with(".\n") && !page.contains('~'), "{page}");
            for line in page.lines() {
                assert!(line.chars().count() <= WIDTH && line == line.trim_end(), "{code}: {line}");
            }
        }
    }
}
