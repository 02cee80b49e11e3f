//! `Schema`: which column of a list says what.

use crate::name::printable;

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The key, as forms encode it.
    Key,
    /// The version; empty for an object of before versions were kept.
    VersionId,
    /// It is what a reader gets who names no version.
    IsLatest,
    /// It is no object, but says that one was deleted.
    IsDeleteMarker,
    /// Its length in bytes.
    Size,
    /// When it was written, or when an upload in parts was begun.
    LastModifiedDate,
    /// The ETag, without quotes.
    ETag,
    /// It was uploaded in parts.
    IsMultipartUploaded,
    /// Whose key it is encrypted with at rest.
    EncryptionStatus,
    /// Where it is kept; what is archived is not given at once.
    StorageClass,
}

impl Column {
    /// All of them, by number.
    pub(super) const ALL: [(Self, &'static str); COLUMNS] = [
        (Self::Key, "Key"),
        (Self::VersionId, "VersionId"),
        (Self::IsLatest, "IsLatest"),
        (Self::IsDeleteMarker, "IsDeleteMarker"),
        (Self::Size, "Size"),
        (Self::LastModifiedDate, "LastModifiedDate"),
        (Self::ETag, "ETag"),
        (Self::IsMultipartUploaded, "IsMultipartUploaded"),
        (Self::EncryptionStatus, "EncryptionStatus"),
        (Self::StorageClass, "StorageClass"),
    ];

    /// Its name, as the configuration of an inventory has it.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(column, _)| *column == self).map_or("", |(_, name)| name)
    }

    /// The column whose name in a table is this: `e_tag` is that of `ETag`.
    pub(super) fn of_field(field: &[u8]) -> Option<Self> {
        let is = |name: &str| {
            let mut ahead = field.iter().copied();
            let lower = |letter: u8| letter.to_ascii_lowercase();
            let same = name.bytes().enumerate().all(|(at, letter)| {
                let begins = at == 0 || !letter.is_ascii_uppercase() || ahead.next() == Some(b'_');
                begins && ahead.next() == Some(lower(letter))
            });
            same && ahead.next().is_none()
        };
        Self::ALL.iter().find(|(_, name)| is(name)).map(|(column, _)| *column)
    }
}

/// How many columns are read.
pub(super) const COLUMNS: usize = 10;

/// As many columns may there be.
const MOST: usize = 200;

/// How lists are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines of text in gzip.
    Csv,
    /// Apache Parquet in Snappy.
    Parquet,
    /// Apache ORC in zlib.
    Orc,
}

/// The columns of a list, in their order, and how they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    kind: Kind,
    /// Of each, what it says; none for what is not read.
    columns: Vec<Option<Column>>,
}

impl Schema {
    /// Reads the `fileSchema` of lists of text: names of columns in any order, with commas between. Names that are not
    /// known are passed over: S3 gets new ones.
    ///
    /// # Errors
    /// A sentence: a column is lacking that a mirror needs, or is there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = |name: &str| Column::ALL.iter().find(|(_, known)| *known == name).map(|(column, _)| *column);
        Self::judge(Kind::Csv, text, text.split(',').map(|name| known(name.trim())).take(MOST + 1).collect())
    }

    /// Reads the `fileSchema` of lists in Parquet, a type: `message s3.inventory { required binary key (STRING);
    /// optional int64 size; }`. The order says nothing here, as each list has its own.
    ///
    /// # Errors
    /// A sentence, as of [`Schema::parse`]; or the text is no such type.
    pub fn of_message(text: &str) -> Result<Self, String> {
        let shown =
            || format!("the inventory's fileSchema is no type of Parquet, but '{}'", printable(text.as_bytes()));
        let body = text.trim().strip_prefix("message").and_then(|rest| rest.split_once('{'));
        let (_, body) = body.ok_or_else(shown)?;
        let (mut columns, mut depth, mut field) = (Vec::new(), 0_u32, String::new());
        let mut rest = body.chars();
        loop {
            match rest.next().ok_or_else(shown)? {
                // What lies in a group is none of the columns that are read.
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => {
                    depth -= 1;
                    field.clear();
                }
                ';' if depth == 0 => {
                    let name = field.split_ascii_whitespace().nth(2).ok_or_else(shown)?;
                    columns.push(Column::of_field(name.as_bytes()));
                    field.clear();
                }
                letter if depth == 0 => field.push(letter),
                _ => {}
            }
        }
        if !rest.as_str().trim().is_empty() || !field.trim().is_empty() {
            return Err(shown());
        }
        columns.truncate(MOST + 1);
        Self::judge(Kind::Parquet, text, columns)
    }

    /// Sees to it that the columns that a mirror needs are there.
    fn judge(kind: Kind, text: &str, columns: Vec<Option<Column>>) -> Result<Self, String> {
        if columns.len() > MOST {
            return Err(format!("the inventory has more than {MOST} columns"));
        }
        let has = |column| columns.iter().filter(|one| **one == Some(column)).count();
        if let Some((_, name)) = Column::ALL.iter().find(|(column, _)| has(*column) > 1) {
            return Err(format!("the inventory has two columns {name}"));
        }
        let versioned = has(Column::VersionId) + has(Column::IsLatest) + has(Column::IsDeleteMarker) > 0;
        let needs = |column| match column {
            Column::Key | Column::Size | Column::LastModifiedDate | Column::ETag => true,
            Column::VersionId | Column::IsLatest | Column::IsDeleteMarker => versioned,
            Column::IsMultipartUploaded | Column::EncryptionStatus | Column::StorageClass => false,
        };
        match Column::ALL.iter().find(|(column, _)| needs(*column) && has(*column) == 0) {
            Some((_, name)) => Err(format!(
                "the inventory has no column {name}, which a mirror needs, but '{}': add it to the fields of the \
                 inventory, and use one made since",
                printable(text.as_bytes())
            )),
            None => Ok(Self { kind, columns }),
        }
    }

    /// How the lists are written.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The columns.
    pub(super) fn columns(&self) -> &[Option<Column>] {
        &self.columns
    }

    /// Whether a column is there.
    #[must_use]
    pub fn has(&self, column: Column) -> bool {
        self.columns.contains(&Some(column))
    }

    /// Whether every version is listed, and not the latest alone.
    #[must_use]
    pub fn is_versioned(&self) -> bool {
        self.has(Column::VersionId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_any_order_and_new_ones_say_nothing() {
        let schema = Schema::parse("ETag,LifecycleExpirationDate, Size, Key ,Bucket, LastModifiedDate").unwrap();
        let read = [Some(Column::ETag), None, Some(Column::Size), Some(Column::Key), None];
        assert_eq!(schema.columns()[..5], read);
        assert!(!schema.is_versioned() && schema.has(Column::LastModifiedDate));
    }

    #[test]
    fn what_is_lacking_or_there_twice_is_said() {
        let all = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag";
        assert!(Schema::parse(all).unwrap().is_versioned());
        for lacking in ["Key", "IsLatest", "IsDeleteMarker", "VersionId", "Size", "LastModifiedDate", "ETag"] {
            let refused = Schema::parse(&all.replace(lacking, "Other")).unwrap_err();
            assert!(refused.contains(&format!("no column {lacking},")), "{refused}");
        }
        assert!(Schema::parse(&format!("{all}, Size")).unwrap_err().contains("two columns Size"));
        assert!(Schema::parse(&"x,".repeat(MOST)).unwrap_err().contains("more than"));
        assert!(Schema::parse("").is_err());
    }

    /// As the S3 User Guide shows it, with a column of groups that S3 has not.
    const MESSAGE: &str = "message s3.inventory { required binary bucket (STRING); required binary key (STRING); \
                           optional binary version_id (STRING); optional boolean is_latest; \
                           optional boolean is_delete_marker; optional int64 size; \
                           optional group grants (LIST) { repeated group list { optional binary key; } } \
                           optional int64 last_modified_date (TIMESTAMP(MILLIS,true)); optional binary e_tag (STRING); \
                           optional binary storage_class (STRING); optional boolean is_multipart_uploaded; }";

    #[test]
    fn the_type_of_a_table_gives_the_columns_too() {
        let schema = Schema::of_message(MESSAGE).unwrap();
        assert!(schema.is_versioned() && schema.kind() == Kind::Parquet);
        let found: Vec<Column> = schema.columns().iter().copied().flatten().collect();
        let all = Column::ALL.map(|(column, _)| column);
        let read = all.iter().filter(|column| **column != Column::EncryptionStatus).count();
        assert!(found.len() == read && !schema.has(Column::EncryptionStatus), "{found:?}");
        let spread = MESSAGE.replace(' ', "\n  ");
        assert_eq!(Schema::of_message(&spread), Ok(schema));
        let names = ["key", "version_id", "is_latest", "is_delete_marker", "size", "last_modified_date", "e_tag"];
        let more = ["is_multipart_uploaded", "encryption_status", "storage_class"];
        assert_eq!(
            names.iter().chain(&more).map(|name| Column::of_field(name.as_bytes()).unwrap()).collect::<Vec<_>>(),
            all
        );
        for odd in ["", "e_ta", "e_tags", "etag", "_key", "Key", "is__latest"] {
            assert_eq!(Column::of_field(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn a_type_of_a_table_that_is_none_or_tells_too_little_is_refused() {
        for (lacking, name) in [(" size", "Size"), (" e_tag", "ETag"), (" is_latest", "IsLatest")] {
            let refused = Schema::of_message(&MESSAGE.replace(lacking, " other")).unwrap_err();
            assert!(refused.contains(&format!("no column {name},")), "{refused}");
        }
        let twice = MESSAGE.replace("storage_class", "e_tag");
        assert!(Schema::of_message(&twice).unwrap_err().contains("two columns ETag"));
        for cut in (0..MESSAGE.len()).chain([MESSAGE.len() + 1]) {
            assert!(Schema::of_message(&format!("{MESSAGE};")[..cut]).is_err(), "{cut}");
        }
        let many = format!("message m {{ {} }}", "optional int32 x; ".repeat(MOST + 1));
        assert!(Schema::of_message(&many).unwrap_err().contains("more than"));
    }
}
