//! The exit codes over hostile repositories: verify at the depths list, size, digest and deep; list and show; restores
//! to a new file and onto a standby; a backup into it, and a deep verify after that.

pub(crate) const TREES: &str = "
index: a way out before the name   | 0 0 0 0 | 0 0 | 0 0 | 0 0
index: an absolute path elsewhere  | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: a way out behind the name   | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: the name is ..              | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: no name                     | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: NUL in the folder           | 0 0 0 0 | 0 0 | 0 0 | 0 0
index: NUL in the name             | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: backslashes                 | 0 0 0 0 | 0 0 | 0 0 | 0 0
index: a way out with backslashes  | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: an escape in the folder     | 0 0 0 0 | 0 0 | 0 0 | 0 0
index: an escape in the name       | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: no UTF-8 in the folder      | 0 0 0 0 | 0 0 | 0 0 | 0 0
index: no UTF-8 in the name        | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: another case                | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: a folder of 3 KiB           | 0 0 0 0 | 0 0 | 0 0 | 0 0
index: a folder of 4 KiB           | 0 0 0 0 | 0 0 | 0 0 | 0 0
index: a folder of a MiB           | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: a name of 4 KiB             | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: it ends at 2^64-1           | 1 1 1 1 | 0 0 | 1 1 | 0 1
index: it ends at 2^64             | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: it ends at 10^400           | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: it ends at 2^63, in gzip    | 1 1 1 1 | 0 0 | 1 1 | 0 1
gzip: a bomb for 100 bytes         | 0 1 1 1 | 0 0 | 1 1 | 0 1
gzip: a bomb for 2^63 bytes        | 0 1 1 1 | 0 0 | 1 1 | 0 1
gzip: a bomb in gzip for 100 bytes | 0 1 1 1 | 0 0 | 1 1 | 0 1
index: lines end with CR LF        | 0 0 0 0 | 0 0 | 0 0 | 0 0
index: a line of a sparse hole     | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: a hole without an end       | 1 1 1 1 | 1 1 | 1 1 | 0 1
index: millions of empty lines     | 0 0 0 0 | 0 0 | 0 0 | 0 0
data: a sparse hole more           | 0 1 1 1 | 0 0 | 1 1 | 0 1
OID index: a sparse hole more      | 0 0 0 1 | 0 0 | 0 0 | 0 1
OID index: 2^64-1 bytes to come    | 0 0 0 1 | 0 0 | 0 0 | 0 1
names: of 255 bytes                | 0 0 0 0 | 0 0 | 0 0 | 0 0
names: that write to a terminal    | 0 0 0 0 | 0 0 | 0 0 | 0 0
names: that are no UTF-8           | 0 0 0 0 | 0 0 | 0 0 | 0 0
names: with backslashes            | 0 0 0 0 | 0 0 | 0 0 | 0 0
names: that clash in case          | 0 0 0 0 | 0 0 | 0 0 | 0 0
names: that look like flags        | 0 0 0 0 | 0 0 | 0 0 | 0 0
names: a stamp that sorts last     | 3 3 3 3 | 3 3 | 3 3 | 4 3
names: a stamp that sorts first    | 3 3 3 3 | 3 0 | 0 0 | 0 3
names: an index alone that sorts last | 1 1 1 1 | 1 1 | 1 1 | 4 3
names: the next backup's own       | 3 3 3 3 | 3 3 | 3 3 | 0 0
names: the next backup's OID index | 0 0 0 0 | 0 0 | 0 0 | 0 0
link: the repository is one        | 0 0 0 0 | 0 0 | 0 0 | 0 0
link: above the repository         | 0 0 0 0 | 0 0 | 0 0 | 0 0
link: full backup, same bytes      | 3 3 3 3 | 0 0 | 3 3 | 0 3
link: increment, same bytes        | 3 3 3 3 | 0 0 | 3 3 | 0 3
link: index, same bytes            | 3 3 3 3 | 3 3 | 3 3 | 3 3
link: OID index, same bytes        | 0 0 0 3 | 0 3 | 3 3 | 0 3
link: full backup to a victim      | 3 3 3 3 | 0 0 | 3 3 | 0 3
link: increment to a victim        | 3 3 3 3 | 0 0 | 3 3 | 0 3
link: index to a victim            | 3 3 3 3 | 3 3 | 3 3 | 3 3
link: OID index to a victim        | 0 0 0 3 | 0 3 | 3 3 | 0 3
link: index to nowhere             | 3 3 3 3 | 3 3 | 3 3 | 3 3
link: increment to a folder        | 3 3 3 3 | 0 0 | 3 3 | 0 3
link: increment to itself          | 3 3 3 3 | 0 0 | 3 3 | 0 3
link: lock to a victim             | 0 0 0 0 | 0 0 | 0 0 | 4 0
link: lock to nowhere              | 0 0 0 0 | 0 0 | 0 0 | 4 0
planted: work files to a victim    | 0 0 0 0 | 0 0 | 0 0 | 0 0
planted: work files to nowhere     | 0 0 0 0 | 0 0 | 0 0 | 0 0
planted: next increment to a victim | 3 3 3 3 | 3 3 | 3 3 | 0 0
planted: next increment to nowhere | 3 3 3 3 | 3 3 | 3 3 | 0 0
planted: next OID index to a victim | 0 0 0 0 | 0 0 | 0 0 | 0 0
planted: an orphan to a victim     | 3 3 3 3 | 3 3 | 3 3 | 0 0
planted: files of a full backup    | 0 0 0 0 | 0 0 | 0 0 | 0 0
hard links: a snapshot by cp -al   | 0 0 0 0 | 0 0 | 0 0 | 0 0
hard links: lock and work file     | 0 0 0 0 | 0 0 | 0 0 | 0 0
hard links: two points, one file   | 0 1 1 1 | 0 0 | 1 1 | 0 1
FIFO: full backup                  | 3 3 3 3 | 0 0 | 3 3 | 0 3
FIFO: increment                    | 3 3 3 3 | 0 0 | 3 3 | 0 3
FIFO: index                        | 3 3 3 3 | 3 3 | 3 3 | 3 3
FIFO: OID index                    | 0 0 0 3 | 0 0 | 0 0 | 0 3
FIFO: lock                         | 0 0 0 0 | 0 0 | 0 0 | 4 0
FIFO: work file                    | 0 0 0 0 | 0 0 | 0 0 | 0 0
FIFO: orphan                       | 3 3 3 3 | 3 3 | 3 3 | 0 0
socket: full backup                | 3 3 3 3 | 0 0 | 3 3 | 0 3
socket: increment                  | 3 3 3 3 | 0 0 | 3 3 | 0 3
socket: index                      | 3 3 3 3 | 3 3 | 3 3 | 3 3
socket: OID index                  | 0 0 0 3 | 0 0 | 0 0 | 0 3
socket: lock                       | 0 0 0 0 | 0 0 | 0 0 | 4 0
socket: work file                  | 0 0 0 0 | 0 0 | 0 0 | 0 0
socket: orphan                     | 3 3 3 3 | 3 3 | 3 3 | 0 0
null: full backup                  | 3 3 3 3 | 0 0 | 3 3 | 0 3
null: increment                    | 3 3 3 3 | 0 0 | 3 3 | 0 3
null: index                        | 3 3 3 3 | 3 3 | 3 3 | 3 3
null: OID index                    | 0 0 0 3 | 0 0 | 0 0 | 0 3
null: lock                         | 0 0 0 0 | 0 0 | 0 0 | 4 0
null: work file                    | 0 0 0 0 | 0 0 | 0 0 | 0 0
null: orphan                       | 3 3 3 3 | 3 3 | 3 3 | 0 0
zero: full backup                  | 3 3 3 3 | 0 0 | 3 3 | 0 3
zero: increment                    | 3 3 3 3 | 0 0 | 3 3 | 0 3
zero: index                        | 3 3 3 3 | 3 3 | 3 3 | 3 3
zero: OID index                    | 0 0 0 3 | 0 0 | 0 0 | 0 3
zero: lock                         | 0 0 0 0 | 0 0 | 0 0 | 4 0
zero: work file                    | 0 0 0 0 | 0 0 | 0 0 | 0 0
zero: orphan                       | 3 3 3 3 | 3 3 | 3 3 | 0 0
folder: full backup                | 3 3 3 3 | 0 0 | 3 3 | 0 3
folder: increment                  | 3 3 3 3 | 0 0 | 3 3 | 0 3
folder: index                      | 3 3 3 3 | 3 3 | 3 3 | 3 3
folder: OID index                  | 0 0 0 0 | 0 0 | 0 0 | 0 0
folder: lock                       | 0 0 0 0 | 0 0 | 0 0 | 4 0
folder: work file                  | 0 0 0 0 | 0 0 | 0 0 | 0 0
folder: orphan                     | 0 0 0 0 | 0 0 | 0 0 | 0 0
";
