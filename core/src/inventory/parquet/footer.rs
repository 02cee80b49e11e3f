//! `Footer`: where the columns of a list lie, and how their values are written.

use super::super::schema::{Column, Schema};
use super::thrift::{BINARY, I32, I64, LIST, STRUCT, Thrift};
use crate::name::printable;

/// As many columns may there be, and what they lie in.
const MOST: u64 = 1_000;

/// A row has a key, a version and an ETag of its own: so many come not of a byte.
const ROWS_A_BYTE: u64 = 64;

/// A footer says what it cannot.
const BROKEN: &str = "the footer is broken";

/// What a list's footer says (`FileMetaData` of `parquet.thrift`), as far as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footer {
    /// The columns that are read.
    pub(super) leaves: Vec<Leaf>,
    pub(super) groups: Vec<Group>,
}

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) column: Column,
    /// Which one it is in the file.
    pub(super) number: u64,
    pub(super) kind: Kind,
    /// It may be null.
    pub(super) optional: bool,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Truth,
    /// A number of so many bytes.
    Number(usize),
    /// So many units a second since 1970, as a number of 64 bits.
    Moment(i64),
    /// Nanoseconds within a day, and which one (`INT96`).
    Day,
}

impl Kind {
    /// How many bytes a value has, where all have as many.
    pub(super) fn width(self) -> Option<usize> {
        match self {
            Self::Text | Self::Truth => None,
            Self::Number(width) => Some(width),
            Self::Moment(_) => Some(8),
            Self::Day => Some(12),
        }
    }
}

/// Rows of which all columns lie together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) rows: u64,
    /// Where each column that is read lies.
    pub(super) chunks: Vec<Chunk>,
}

/// The pages of a column in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) at: u64,
    pub(super) end: u64,
    /// They are compressed with Snappy.
    pub(super) packed: bool,
}

/// An element of the schema, as it stands there: those that lie in others follow them.
#[derive(Debug, Default)]
struct Element<'a> {
    name: &'a [u8],
    /// None for what others lie in.
    kind: Option<i64>,
    repetition: i64,
    children: u64,
    /// How many of its units are a second, of a time.
    units: Option<i64>,
}

impl Footer {
    /// Reads a footer that begins `begin` bytes into the file; `schema` is what the manifest says.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub(super) fn parse(bytes: &[u8], begin: u64, schema: &Schema) -> Result<Self, String> {
        let broken = || BROKEN.to_owned();
        let (mut thrift, mut last) = (Thrift::new(bytes), 0);
        let (mut leaves, mut groups, mut rows) = (None, Vec::new(), None);
        while let Some((id, kind)) = thrift.field(&mut last).ok_or_else(broken)? {
            match (id, kind) {
                (2, LIST) => {
                    let elements = elements(&mut thrift).ok_or_else(broken)?;
                    leaves = Some(wanted(&elements, schema)?);
                }
                (3, I64) => rows = Some(thrift.count().ok_or_else(broken)?),
                (4, LIST) => {
                    let leaves = leaves.as_ref().ok_or_else(broken)?;
                    let (count, kind) = thrift.list().ok_or_else(broken)?;
                    for _ in 0..count {
                        let group = if kind == STRUCT { group(&mut thrift, leaves, begin)? } else { None };
                        groups.push(group.ok_or_else(broken)?);
                    }
                }
                (8, STRUCT) => return Err("it is encrypted".to_owned()),
                (_, kind) => thrift.skip(kind).ok_or_else(broken)?,
            }
        }
        let ((leaves, _), rows) = leaves.zip(rows).ok_or_else(broken)?;
        if groups.iter().try_fold(0_u64, |sum, group| sum.checked_add(group.rows)) != Some(rows) {
            return Err(format!("it says that it has {rows} rows, and its groups have not as many"));
        }
        if rows > begin.saturating_mul(ROWS_A_BYTE) {
            return Err(format!("it says that it has {rows} rows, which {begin} bytes cannot hold"));
        }
        Ok(Self { leaves, groups })
    }
}

/// The schema.
fn elements<'a>(thrift: &mut Thrift<'a>) -> Option<Vec<Element<'a>>> {
    let (count, kind) = thrift.list()?;
    let is_one = kind == STRUCT && count <= MOST;
    (0..count).map(|_| if is_one { element(thrift) } else { None }).collect()
}

/// `SchemaElement`.
fn element<'a>(thrift: &mut Thrift<'a>) -> Option<Element<'a>> {
    let (mut last, mut element, mut old) = (0, Element::default(), None);
    while let Some((id, kind)) = thrift.field(&mut last)? {
        match (id, kind) {
            (1, I32) => element.kind = Some(thrift.number()?),
            (3, I32) => element.repetition = thrift.number()?,
            (4, BINARY) => element.name = thrift.bytes()?,
            (5, I32) => element.children = thrift.count()?,
            (6, I32) => {
                old = match thrift.number()? {
                    9 => Some(1_000),
                    10 => Some(1_000_000),
                    _ => None,
                }
            }
            (10, STRUCT) => element.units = units(thrift)?,
            (_, kind) => thrift.skip(kind)?,
        }
    }
    element.units = element.units.or(old);
    Some(element)
}

/// `LogicalType`: how many units are a second, if it is a time.
fn units(thrift: &mut Thrift<'_>) -> Option<Option<i64>> {
    let (mut last, mut units) = (0, None);
    while let Some((id, kind)) = thrift.field(&mut last)? {
        if (id, kind) != (8, STRUCT) {
            thrift.skip(kind)?;
            continue;
        }
        let mut last = 0;
        while let Some((id, kind)) = thrift.field(&mut last)? {
            if (id, kind) != (2, STRUCT) {
                thrift.skip(kind)?;
                continue;
            }
            let mut last = 0;
            while let Some((id, kind)) = thrift.field(&mut last)? {
                units = match id {
                    1 => Some(1_000),
                    2 => Some(1_000_000),
                    3 => Some(1_000_000_000),
                    _ => None,
                };
                thrift.skip(kind)?;
            }
        }
    }
    Some(units)
}

/// The columns that are read, and how many there are in the file.
fn wanted(elements: &[Element<'_>], schema: &Schema) -> Result<(Vec<Leaf>, u64), String> {
    let broken = || BROKEN.to_owned();
    let (root, elements) = elements.split_first().ok_or_else(broken)?;
    let (mut open, mut leaves, mut count) = (vec![root.children], Vec::new(), 0);
    for element in elements {
        while open.pop_if(|ahead| *ahead == 0).is_some() {}
        let depth = open.len();
        let ahead = open.last_mut().ok_or_else(broken)?;
        *ahead -= 1;
        let Some(kind) = element.kind else {
            open.push(element.children);
            continue;
        };
        let column = Column::of_field(element.name).filter(|column| depth == 1 && schema.has(*column));
        if let Some(column) = column {
            leaves.push(leaf(column, count, kind, element)?);
        }
        count += 1;
    }
    if open.iter().any(|ahead| *ahead != 0) {
        return Err(broken());
    }
    let has = |column: &Column| leaves.iter().filter(|leaf: &&Leaf| leaf.column == *column).count();
    match schema.columns().iter().flatten().find(|column| has(column) != 1) {
        Some(column) if has(column) == 0 => {
            Err(format!("it has no column {}, which its manifest names", column.name()))
        }
        Some(column) => Err(format!("it has two columns {}", column.name())),
        None => Ok((leaves, count)),
    }
}

/// A column of a type that is read.
fn leaf(column: Column, number: u64, kind: i64, element: &Element<'_>) -> Result<Leaf, String> {
    let odd = |what: &str| Err(format!("its column '{}' is {what}", printable(element.name)));
    // The numbers of `Type` and of `FieldRepetitionType`.
    let is = match (column, kind) {
        (Column::Size, 1) => Kind::Number(4),
        (Column::Size, 2) => Kind::Number(8),
        (Column::LastModifiedDate, 2) => match element.units {
            Some(units) => Kind::Moment(units),
            None => return odd("no time"),
        },
        (Column::LastModifiedDate, 3) => Kind::Day,
        (Column::IsLatest | Column::IsDeleteMarker | Column::IsMultipartUploaded, 0) => Kind::Truth,
        (Column::Key | Column::VersionId | Column::ETag | Column::EncryptionStatus | Column::StorageClass, 6) => {
            Kind::Text
        }
        _ => return odd("of a type that S3 writes no such column in"),
    };
    match element.repetition {
        0 => Ok(Leaf { column, number, kind: is, optional: false }),
        1 => Ok(Leaf { column, number, kind: is, optional: true }),
        _ => odd("of several values a row"),
    }
}

/// `RowGroup`; none if it is broken.
fn group(thrift: &mut Thrift<'_>, (leaves, count): &(Vec<Leaf>, u64), begin: u64) -> Result<Option<Group>, String> {
    let (mut last, mut chunks, mut rows) = (0, Vec::new(), None);
    loop {
        let (id, kind) = match thrift.field(&mut last) {
            None => return Ok(None),
            Some(None) => break,
            Some(Some(field)) => field,
        };
        let went_on = match (id, kind) {
            (1, LIST) => match thrift.list() {
                Some((some, STRUCT)) if some == *count && chunks.is_empty() => {
                    for number in 0..some {
                        match leaves.iter().find(|leaf| leaf.number == number) {
                            None => {
                                if thrift.skip(STRUCT).is_none() {
                                    return Ok(None);
                                }
                            }
                            Some(leaf) => match chunk(thrift, leaf, begin)? {
                                None => return Ok(None),
                                Some(chunk) => chunks.push(chunk),
                            },
                        }
                    }
                    Some(())
                }
                _ => None,
            },
            (3, I64) => thrift.count().map(|count| rows = Some(count)),
            (_, kind) => thrift.skip(kind),
        };
        if went_on.is_none() {
            return Ok(None);
        }
    }
    let (Some(rows), true) = (rows, chunks.len() == leaves.len()) else { return Ok(None) };
    if chunks.iter().any(|(_, values)| *values != rows) {
        return Err(format!("a group says that it has {rows} rows, and one of its columns has not as many"));
    }
    Ok(Some(Group { rows, chunks: chunks.into_iter().map(|(chunk, _)| chunk).collect() }))
}

/// `ColumnChunk`, and how many values it has; none if it is broken.
fn chunk(thrift: &mut Thrift<'_>, leaf: &Leaf, begin: u64) -> Result<Option<(Chunk, u64)>, String> {
    let (mut last, mut meta) = (0, None);
    loop {
        let went_on = match thrift.field(&mut last) {
            None => None,
            Some(None) => break,
            Some(Some((1, BINARY))) => return Err("a column of it lies in another file".to_owned()),
            Some(Some((3, STRUCT))) => self::meta(thrift).map(|found| meta = Some(found)),
            Some(Some((_, kind))) => thrift.skip(kind),
        };
        if went_on.is_none() {
            return Ok(None);
        }
    }
    let Some(Meta { codec, values, length, data, dictionary }) = meta else {
        return Err(format!("its column {} is encrypted", leaf.column.name()));
    };
    let packed = match codec {
        0 => false,
        1 => true,
        _ => {
            let name = match codec {
                2 => "gzip",
                4 => "brotli",
                6 => "zstd",
                5 | 7 => "lz4",
                _ => "what is not known",
            };
            return Err(format!("it is compressed with {name}, and S3 writes Snappy"));
        }
    };
    if values == 0 {
        // Such a column has no place.
        return Ok(Some((Chunk { at: begin, end: begin, packed }, values)));
    }
    // Where there is no dictionary, some write a nought.
    let at = dictionary.filter(|at| *at > 0).map_or(data, |at| at.min(data));
    match at.checked_add(length) {
        Some(end) if at >= 4 && end <= begin => Ok(Some((Chunk { at, end, packed }, values))),
        _ => Err(format!("its column {} lies outside of it", leaf.column.name())),
    }
}

/// What is read of `ColumnMetaData`.
struct Meta {
    codec: i64,
    values: u64,
    length: u64,
    data: u64,
    dictionary: Option<u64>,
}

fn meta(thrift: &mut Thrift<'_>) -> Option<Meta> {
    let (mut last, mut codec, mut numbers) = (0, None, [None; 4]);
    while let Some((id, kind)) = thrift.field(&mut last)? {
        let number = match (id, kind) {
            (4, I32) => {
                codec = Some(thrift.number()?);
                continue;
            }
            (5, I64) => numbers.first_mut(),
            (7, I64) => numbers.get_mut(1),
            (9, I64) => numbers.get_mut(2),
            (11, I64) => numbers.get_mut(3),
            (_, kind) => {
                thrift.skip(kind)?;
                continue;
            }
        };
        *number? = Some(thrift.count()?);
    }
    let [values, length, data, dictionary] = numbers;
    Some(Meta { codec: codec?, values: values?, length: length?, data: data?, dictionary })
}
