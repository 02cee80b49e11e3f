//! The help text of the drop-in.

/// What `-h` prints, and a usage error before its message.
pub(super) const TEXT: &str = "\
highwater repozo: full and incremental backups of a Data.fs, as Python's repozo makes them.

Usage: repozo [options]

One of these three:
    -B / --backup     back up a Data.fs
    -R / --recover    restore a Data.fs from its backups
    -V / --verify     check the newest chain of backups

    -r DIR / --repository=DIR    the folder of the backups, which must exist; always required
    -v / --verbose               say what is done, on standard error
    -h / --help                  print this text

With -B:
    -f FILE / --file=FILE     the Data.fs to back up; required
    -F / --full               make a full backup; otherwise an increment if that is possible
    -Q / --quick              compare only the last chunk (by its MD5) and the sizes of the others;
                              otherwise every byte of the newest chain is compared with the Data.fs
    -z / --gzip               compress
    -k / --kill-old-on-full   after a full backup, remove every older file of the repository
    --damaged-source          take a Data.fs that is damaged as it is, without an .index and removing nothing;
                              otherwise it is refused
    --other-source            the Data.fs may be an older state than the newest backup, or another database;
                              otherwise that is refused

With -R:
    -o FILE / --output=FILE   the file to restore; standard output without it (then no .index is restored).
                              A file that is there already is brought up to date: only what is missing is appended
    -D STR / --date=STR       the state as of yyyy-mm-dd[-hh[-mm[-ss]]], UTC, compared as text with the names of
                              the files; now without it
    -F / --full               restore everything anew
    -Q / --quick              check only the last chunk that the output holds already
    -w / --with-verify        accepted; what is restored is always checked

With -V:
    -Q / --quick              check sizes only

Always:
    --follow-links            follow links that lead out of the repository, as the original does without being asked

Exit status: 0, or 1 when anything is wrong.
";
