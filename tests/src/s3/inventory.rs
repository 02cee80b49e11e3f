//! `Recipe`: writes inventories of a bucket into a bucket, as S3 does, and as it should not.
//!
//! What our own server holds is known ([`Recipe::publish`]); any other is asked for its versions, and what they make is
//! put into a bucket of it ([`Recipe::publish_at`]).

use std::fs;
use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::answer::iso_date;
use super::shelves::Version;
use super::text::{form, hex};
use super::{Admin, Server};
use crate::python;

/// All columns that a mirror reads, as S3 lists them.
pub const COLUMNS: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, \
                           StorageClass, IsMultipartUploaded, EncryptionStatus";

/// How an inventory is written.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The bucket that is listed.
    pub source: &'static str,
    /// The bucket that the lists go to.
    pub destination: &'static str,
    /// The destination as the manifest names it, if that is another.
    pub said: Option<&'static str>,
    /// The folder of the dated folders, with a slash at its end.
    pub prefix: &'static str,
    /// The dated folder.
    pub date: &'static str,
    /// `fileFormat`: lists are text unless it is "Parquet".
    pub format: &'static str,
    /// How lists in Parquet are written: words for pyarrow, and the "unit" of dates.
    pub how: Value,
    /// `fileSchema`, or what gives it for lists in Parquet; without `VersionId`, only the latest versions are listed.
    pub columns: &'static str,
    /// How many lists the rows are cut into, at any row.
    pub lists: usize,
    /// The rows are dealt out to the lists by turns, so that these overlap.
    pub dealt: bool,
    /// The rows are shuffled, by this seed.
    pub shuffled: Option<u64>,
    /// Lines that stand at the beginning of the list of this number.
    pub first: Vec<(usize, &'static str)>,
    /// What the manifest says of the list of this number: its MD5 and its size, if they are others.
    pub lie: Option<(usize, Option<&'static str>, Option<u64>)>,
    /// What `manifest.checksum` holds, if it is something else.
    pub checksum: Option<&'static str>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            source: "archive",
            destination: "inventories",
            said: None,
            prefix: "of/archive/daily/",
            date: "2024-11-06T01-00Z",
            format: "CSV",
            how: json!({}),
            columns: COLUMNS,
            lists: 1,
            dealt: false,
            shuffled: None,
            first: Vec::new(),
            lie: None,
            checksum: None,
        }
    }
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Published {
    /// The URL of the folder of the dated folders.
    pub url: String,
    /// Key and version of each row, in the order of keys; of a key, the newest version first.
    pub rows: Vec<(Vec<u8>, String)>,
    /// The keys of the lists, in the manifest's order.
    pub lists: Vec<String>,
}

/// A version of a key, or a mark of deletion, as an inventory lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: Vec<u8>,
    /// `null` for one of before versions were kept.
    pub version: String,
    /// It is what a reader gets who names no version.
    pub latest: bool,
    /// Its length; none of a mark of deletion.
    pub size: Option<u64>,
    /// `2015-10-21T07:28:00.000Z`.
    pub modified: String,
    /// Without quotes; empty of a mark.
    pub etag: String,
    /// `STANDARD`.
    pub class: String,
    /// Whose key it is encrypted with: `SSE-S3`.
    pub encryption: &'static str,
}

impl Listed {
    fn of(key: &[u8], version: &Version, latest: bool) -> Self {
        Self {
            key: key.to_owned(),
            version: version.id.clone(),
            latest,
            size: version.body.as_ref().map(|body| body.len() as u64),
            modified: iso_date(version.modified),
            etag: version.etag.clone(),
            class: version.class.to_owned(),
            encryption: version.encryption,
        }
    }
}

impl Recipe {
    /// Writes an inventory of what the bucket of our own server holds now.
    pub fn publish(&self, server: &Server) -> Published {
        server.shelves(|shelves| {
            let mut rows = Vec::new();
            for (key, versions) in &shelves.bucket(self.source).keys {
                let aged = versions.iter().rev().enumerate();
                rows.extend(aged.map(|(age, version)| Listed::of(key, version, age == 0)));
            }
            self.write(&rows, &mut |key, bytes| drop(shelves.put(self.destination, key.as_bytes(), bytes)))
        })
    }

    /// Writes an inventory of the versions that any server lists of the bucket now.
    #[track_caller]
    pub fn publish_at(&self, admin: &Admin) -> Published {
        self.write(&admin.versions(self.source), &mut |key, bytes| {
            admin.put(self.destination, key.as_bytes(), bytes).unwrap_or_else(|error| panic!("{key}: {error}"));
        })
    }

    /// Writes an inventory with these rows, file by file.
    fn write(&self, rows: &[Listed], put: &mut dyn FnMut(&str, &[u8])) -> Published {
        let versioned = self.columns.contains("VersionId");
        let rows: Vec<&Listed> = rows.iter().filter(|row| versioned || row.latest && row.size.is_some()).collect();
        let mut files = Vec::new();
        let texts = self.cut(rows.iter().map(|row| self.line(row)).collect());
        let (lists, ending) =
            if self.is_table() { (self.tables(&texts), "parquet") } else { (zipped(&texts), "csv.gz") };
        for (number, bytes) in lists.iter().enumerate() {
            let key = format!("{}data/{}-{number:04}.{ending}", self.prefix, self.date);
            put(&key, bytes);
            let (mut md5, mut size) = (hex(&Md5::digest(bytes)), bytes.len() as u64);
            if let Some((_, sum, length)) = self.lie.filter(|(lied, ..)| *lied == number) {
                md5 = sum.map_or(md5, ToOwned::to_owned);
                size = length.unwrap_or(size);
            }
            files.push(json!({"key": key, "size": size, "MD5checksum": md5}));
        }
        let said = self.said.unwrap_or(self.destination);
        let manifest = json!({
            "sourceBucket": self.source,
            "destinationBucket": format!("arn:aws:s3:::{said}"),
            "version": "2016-11-30",
            "creationTimestamp": "1730854800000",
            "fileFormat": self.format,
            "fileSchema": self.schema(),
            "files": files,
        })
        .to_string();
        let sum = self.checksum.map_or_else(|| format!("{}\n", hex(&Md5::digest(&manifest))), ToOwned::to_owned);
        let folder = format!("{}{}/", self.prefix, self.date);
        put(&format!("{folder}manifest.json"), manifest.as_bytes());
        put(&format!("{folder}manifest.checksum"), sum.as_bytes());
        put(&format!("{}hive/dt={}/symlink.txt", self.prefix, self.date), b"");
        Published {
            url: format!("s3://{}/{}", self.destination, self.prefix),
            rows: rows.iter().map(|row| (row.key.clone(), row.version.clone())).collect(),
            lists: files.iter().map(|file| file["key"].as_str().expect("a key").to_owned()).collect(),
        }
    }

    fn is_table(&self) -> bool {
        self.format == "Parquet"
    }

    /// What the manifest says of the columns.
    fn schema(&self) -> String {
        if !self.is_table() {
            return self.columns.to_owned();
        }
        let mut text = "message s3.inventory {".to_owned();
        for name in self.columns.split(", ") {
            let mut snake = name.replace("ETag", "e_tag");
            for letter in 'A'..='Z' {
                snake = snake.replace(letter, &format!("_{}", letter.to_ascii_lowercase()));
            }
            let (kind, note) = match name {
                "Size" => ("int64", ""),
                "LastModifiedDate" => ("int64", " (TIMESTAMP(MILLIS,true))"),
                "IsLatest" | "IsDeleteMarker" | "IsMultipartUploaded" => ("boolean", ""),
                _ => ("binary", " (STRING)"),
            };
            let need = if matches!(name, "Bucket" | "Key") { "required" } else { "optional" };
            text += &format!("  {need} {kind} {}{note};", snake.trim_start_matches('_'));
        }
        text + "}"
    }

    /// A row as S3 writes it.
    fn line(&self, row: &Listed) -> String {
        let is_object = row.size.is_some();
        let field = |column: &str| match column {
            "Bucket" => json!(self.source),
            "Key" if self.is_table() => json!(std::str::from_utf8(&row.key).expect("a key of text")),
            "Key" => json!(form(&row.key)),
            "VersionId" if row.version == "null" => Value::Null,
            "VersionId" => json!(row.version),
            "IsLatest" => json!(row.latest),
            "IsDeleteMarker" => json!(!is_object),
            "LastModifiedDate" => json!(row.modified),
            "Size" => json!(row.size),
            "ETag" => json!(is_object.then_some(&row.etag)),
            "IsMultipartUploaded" => json!(is_object.then(|| row.etag.contains('-'))),
            "StorageClass" => json!(row.class),
            "EncryptionStatus" => json!(row.encryption),
            _ => json!("unknown, to say \"\"the least\"\""),
        };
        let fields: Vec<Value> = self.columns.split(", ").map(field).collect();
        if self.is_table() {
            return Value::from(fields).to_string() + "\n";
        }
        let quoted = |field: &Value| match field {
            Value::Null => "\"\"".to_owned(),
            Value::String(text) => format!("\"{text}\""),
            other => format!("\"{other}\""),
        };
        fields.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
    }

    /// Lists in Parquet, by the real pyarrow.
    fn tables(&self, texts: &[String]) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let columns: Vec<&str> = self.columns.split(", ").collect();
        let given = json!({"columns": columns, "lists": texts, "how": self.how}).to_string();
        let mut command = python::command("parquet_lists.py");
        let mut child = command.arg(folder.path()).stdin(Stdio::piped()).spawn().expect("Python");
        child.stdin.take().expect("a pipe").write_all(given.as_bytes()).expect("it reads");
        assert!(child.wait().expect("an end").success(), "parquet_lists.py failed");
        (0..texts.len()).map(|number| fs::read(folder.path().join(number.to_string())).expect("a list")).collect()
    }

    /// The texts of the lists.
    fn cut(&self, mut lines: Vec<String>) -> Vec<String> {
        if let Some(mut state) = self.shuffled {
            for at in (1..lines.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                lines.swap(at, usize::try_from(state >> 33).expect("31 bits") % (at + 1));
            }
        }
        let each = lines.len().div_ceil(self.lists).max(1);
        let mut texts = vec![String::new(); self.lists];
        for (number, line) in &self.first {
            texts[*number] += line;
        }
        for (at, line) in lines.iter().enumerate() {
            texts[if self.dealt { at % self.lists } else { at / each }] += line;
        }
        texts
    }
}

/// Lists of text, as S3 packs them.
fn zipped(texts: &[String]) -> Vec<Vec<u8>> {
    let zip = |text: &String| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).expect("memory");
        gzip.finish().expect("memory")
    };
    texts.iter().map(zip).collect()
}
