//! `Manifest`: which lists an inventory is made of, out of its `manifest.json`.

use serde::Deserialize;

use super::schema::{Kind, Schema};
use crate::digest::{Algorithm, Digest, md5_of};
use crate::name::printable;

/// What `manifest.json` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The bucket that was listed.
    pub source: String,
    /// The bucket that the lists lie in.
    pub destination: String,
    /// When the scan began, in milliseconds since 1970, as far as that is said.
    pub created: Option<i64>,
    /// How the lists are written.
    pub kind: Kind,
    /// The columns, as they stand there.
    pub columns: String,
    /// The lists.
    pub files: Vec<File>,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its key in the destination bucket.
    pub key: String,
    /// How long it is, in bytes.
    pub size: u64,
    /// The MD5 of its bytes.
    pub md5: Digest,
}

/// Why no inventory can be read by a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoManifest {
    /// Its bytes are not those that the checksum beside it is of.
    #[error(
        "manifest.json has the MD5 {found}, and manifest.checksum says {expected}: fetch both again; if they still \
         differ, take an older inventory"
    )]
    Sum {
        /// What the checksum says.
        expected: Digest,
        /// What the bytes give.
        found: Digest,
    },
    /// The checksum is none.
    #[error("manifest.checksum is '{0}', and should be the 32 digits of an MD5: take an older inventory")]
    NoSum(String),
    /// It cannot be understood.
    #[error("manifest.json cannot be read: {0}; take an older inventory")]
    Malformed(String),
    /// Its lists are of a kind that nobody here reads.
    #[error(
        "the inventory is written as ORC, which is not read here: set the output format of the inventory to CSV, or to \
         Parquet{0}, and use one made since"
    )]
    Orc(&'static str),
    /// Its lists are of a kind that this program was built without.
    #[error(
        "the inventory is written as Parquet, which this program was built without: build it with `--features parquet`, \
         or set the output format of the inventory to CSV and use one made since"
    )]
    Parquet,
    /// Its columns do not tell enough.
    #[error("{0}")]
    Columns(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    source_bucket: String,
    destination_bucket: String,
    #[serde(default)]
    creation_timestamp: Option<String>,
    file_format: String,
    file_schema: String,
    files: Vec<JsonFile>,
}

#[derive(Debug, Deserialize)]
struct JsonFile {
    key: String,
    size: u64,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

/// Reads a `manifest.checksum`: an MD5 in hexadecimal digits, and most often a line's end.
///
/// # Errors
/// [`NoManifest::NoSum`].
pub fn checksum(text: &[u8]) -> Result<Digest, NoManifest> {
    let digits = text.trim_ascii();
    let shown = || printable(digits.get(..80).unwrap_or(digits));
    Digest::from_hex(Algorithm::Md5, digits).ok_or_else(|| NoManifest::NoSum(shown()))
}

impl Manifest {
    /// Reads a `manifest.json`, whose bytes the text of `manifest.checksum` is of.
    ///
    /// # Errors
    /// [`NoManifest`]: a sentence that says what to do.
    pub fn checked(json: &[u8], sum: &[u8]) -> Result<Self, NoManifest> {
        let (expected, found) = (checksum(sum)?, md5_of(json));
        if expected != found {
            return Err(NoManifest::Sum { expected, found });
        }
        Self::parse(json)
    }

    /// Reads a `manifest.json`. Members that are not known say nothing.
    ///
    /// # Errors
    /// [`NoManifest::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, NoManifest> {
        let malformed = |what: String| NoManifest::Malformed(printable(what.as_bytes()));
        // As text, since nobody looks whether what is passed over is any.
        let text = std::str::from_utf8(json).map_err(|error| malformed(format!("it is no text: {error}")))?;
        let json: Json = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let kind = match &*json.file_format {
            "CSV" => Kind::Csv,
            "Parquet" => Kind::Parquet,
            "ORC" => Kind::Orc,
            other => {
                let other = printable(other.as_bytes());
                return Err(NoManifest::Malformed(format!("its fileFormat is '{other}', which nobody knows")));
            }
        };
        let file = |file: JsonFile| {
            let md5 = Digest::from_hex(Algorithm::Md5, file.md5.as_bytes());
            let md5 = md5.ok_or_else(|| {
                let (key, md5) = (printable(file.key.as_bytes()), printable(file.md5.as_bytes()));
                NoManifest::Malformed(format!("the MD5checksum of '{key}' is '{md5}', and should have 32 digits"))
            })?;
            Ok(File { key: file.key, size: file.size, md5 })
        };
        Ok(Self {
            source: json.source_bucket,
            destination: bucket(&json.destination_bucket).to_owned(),
            created: json.creation_timestamp.and_then(|stamp| stamp.parse().ok()),
            kind,
            columns: json.file_schema,
            files: json.files.into_iter().map(file).collect::<Result<_, _>>()?,
        })
    }

    /// What the columns of its lists are; `parquet` says whether the caller reads lists in Parquet.
    ///
    /// # Errors
    /// The lists are of a kind that is not read, or lack a column that a mirror needs.
    pub fn schema(&self, parquet: bool) -> Result<Schema, NoManifest> {
        match self.kind {
            Kind::Csv => Schema::parse(&self.columns).map_err(NoManifest::Columns),
            Kind::Parquet if parquet => Schema::of_message(&self.columns).map_err(NoManifest::Columns),
            Kind::Parquet => Err(NoManifest::Parquet),
            Kind::Orc if parquet => Err(NoManifest::Orc("")),
            Kind::Orc => Err(NoManifest::Orc(" (with a program that is built with `--features parquet`)")),
        }
    }
}

/// The name of the bucket of an ARN such as `arn:aws:s3:::NAME`; what is no ARN is a name.
fn bucket(arn: &str) -> &str {
    if arn.starts_with("arn:") { arn.rsplit(':').next().unwrap_or(arn) } else { arn }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of the one of `dandiarchive`, of 2024-11-06.
    const DANDI: &str = r#"{
  "sourceBucket" : "dandiarchive",
  "destinationBucket" : "arn:aws:s3:::dandiarchive",
  "version" : "2016-11-30",
  "creationTimestamp" : "1730854800000",
  "fileFormat" : "CSV",
  "fileSchema" : "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, IsMultipartUploaded",
  "files" : [ {
    "key" : "dandiarchive/dandiarchive/data/15a3a67a-6dec-44b6-9800-f8ddf5a44870.csv.gz",
    "size" : 169006021,
    "MD5checksum" : "bf6060d5dbf25c6443712b9846e812c2"
  }, {
    "key" : "dandiarchive/dandiarchive/data/0f25f9ec-cfc4-4e5a-932c-9a5ca5c2c8aa.csv.gz",
    "size" : 49364618,
    "MD5checksum" : "6d57525d105ef36e8228a408e4de29cc"
  } ]
}"#;

    #[test]
    fn the_manifest_of_a_real_bucket_is_read() {
        let manifest = Manifest::parse(DANDI.as_bytes()).unwrap();
        assert_eq!((&*manifest.source, &*manifest.destination), ("dandiarchive", "dandiarchive"));
        assert_eq!((manifest.created, manifest.kind), (Some(1_730_854_800_000), Kind::Csv));
        let sizes: Vec<u64> = manifest.files.iter().map(|file| file.size).collect();
        assert_eq!(sizes, [169_006_021, 49_364_618]);
        assert_eq!(manifest.files[1].md5.to_string(), "6d57525d105ef36e8228a408e4de29cc");
        assert!(manifest.schema(false).unwrap().is_versioned());
    }

    #[test]
    fn its_checksum_is_of_its_bytes() {
        let sum = |text: &str| format!("{}\n", md5_of(text.as_bytes()));
        assert_eq!(sum(DANDI).len(), 33);
        assert!(Manifest::checked(DANDI.as_bytes(), sum(DANDI).as_bytes()).is_ok());
        let other = DANDI.replace("49364618", "49364619");
        let refused = Manifest::checked(other.as_bytes(), sum(DANDI).as_bytes()).unwrap_err();
        assert!(matches!(refused, NoManifest::Sum { .. }), "{refused}");
        let none = Manifest::checked(DANDI.as_bytes(), b"").unwrap_err();
        assert!(matches!(none, NoManifest::NoSum(_)), "{none}");
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_what_to_do() {
        for (kind, parquet, words) in [
            ("Parquet", false, ["as Parquet", "built without", "--features parquet", "to CSV"]),
            ("ORC", false, ["as ORC", "output format", "to CSV, or to Parquet", "--features parquet"]),
            ("ORC", true, ["as ORC", "output format", "to CSV, or to Parquet,", "made since"]),
            ("Parquet", true, ["no type of Parquet", "fileSchema", "'Bucket, Key", "LastModifiedDate"]),
        ] {
            let text = DANDI.replace("\"CSV\"", &format!("\"{kind}\""));
            let refused = Manifest::parse(text.as_bytes()).unwrap().schema(parquet).unwrap_err().to_string();
            assert!(words.iter().all(|word| refused.contains(word)), "{refused}");
        }
        for (from, to) in [
            ("\"CSV\"", "\"XML\""),
            ("bf6060d5dbf25c6443712b9846e812c2", "bf60"),
            ("169006021", "-1"),
            ("\"files\"", "\"lists\""),
            ("} ]\n}", "} ]"),
        ] {
            let refused = Manifest::parse(DANDI.replace(from, to).as_bytes()).unwrap_err();
            assert!(matches!(refused, NoManifest::Malformed(_)), "{refused}");
        }
        let mut bytes = DANDI.as_bytes().to_vec();
        let at = DANDI.find("2016").unwrap();
        bytes[at] = 0xff;
        let refused = Manifest::parse(&bytes).unwrap_err();
        assert!(refused.to_string().contains("no text"), "{refused}");
        // What is not known says nothing.
        assert!(Manifest::parse(DANDI.replacen('{', "{\"new\": [1],", 1).as_bytes()).is_ok());
    }
}
