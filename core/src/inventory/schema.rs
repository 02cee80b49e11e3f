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
}

/// How many columns are read.
pub(super) const COLUMNS: usize = 10;

/// As many columns may there be.
const MOST: usize = 200;

/// The columns of a list, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Of each, what it says; none for what is not read.
    columns: Vec<Option<Column>>,
}

impl Schema {
    /// Reads a `fileSchema`: names of columns in any order, with commas between. Names that are not known are passed
    /// over: S3 gets new ones.
    ///
    /// # Errors
    /// A sentence: a column is lacking that a mirror needs, or is there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = |name: &str| Column::ALL.iter().find(|(_, known)| *known == name).map(|(column, _)| *column);
        let columns: Vec<Option<Column>> = text.split(',').map(|name| known(name.trim())).take(MOST + 1).collect();
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
            None => Ok(Self { columns }),
        }
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
}
