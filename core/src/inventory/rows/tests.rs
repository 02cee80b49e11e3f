//! Lists as `dandiarchive` has them, and what is none.

use super::*;

/// A row that lives on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owned {
    key: Vec<u8>,
    version: String,
    latest: bool,
    marker: bool,
    size: u64,
    etag: String,
    modified: (i64, u32),
    multipart: Option<bool>,
}

const DANDI: &str =
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, IsMultipartUploaded";

const LINES: &str = r#""dandiarchive","zarr/73107a2a-9eb2-47ed-be62-1feef97b8026/1/0/0/5/5/76","J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg","true","false","904","2022-04-09T21:52:14.000Z","fbebe2d44529d0a25247e8b5bca5956b","false"
"dandiarchive","zarr/73107a2a-9eb2-47ed-be62-1feef97b8026/1/0/0/5/5/77","xy7HOh0ZZKXczghVqPCdijvxKQMAG_04","true","false","1548","2022-04-09T21:52:02.000Z","e0c48b2230b51636e3df32f3a15b65b8","false"
"dandiarchive","dandiarchive/dandiarchive/data/","XhLH9OkJH9aPWihWcbMKDzL5JGtBxgkt","true","false","0","2019-10-02T00:08:02.000Z","d41d8cd98f00b204e9800998ecf8427e","false"
"#;

fn read(columns: &str, text: &[u8], step: usize) -> (Vec<Owned>, Vec<Bad>) {
    let mut rows = Rows::new(Schema::parse(columns).unwrap());
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let mut each = |row: Result<Row<'_>, Bad>| match row {
        Ok(row) => good.push(Owned {
            key: row.key.to_vec(),
            version: String::from_utf8_lossy(row.version).into_owned(),
            latest: row.latest,
            marker: row.marker,
            size: row.size,
            etag: String::from_utf8_lossy(row.etag).into_owned(),
            modified: row.modified,
            multipart: row.multipart,
        }),
        Err(odd) => bad.push(odd),
    };
    text.chunks(step).for_each(|piece| rows.push(piece, &mut each));
    rows.end(&mut each);
    assert_eq!(rows.count(), (good.len() + bad.len()) as u64);
    (good, bad)
}

#[test]
fn rows_of_a_real_list_are_read_however_they_are_cut() {
    let whole = read(DANDI, LINES.as_bytes(), usize::MAX);
    assert_eq!((whole.0.len(), whole.1.len()), (3, 0));
    assert_eq!(
        whole.0[0],
        Owned {
            key: b"zarr/73107a2a-9eb2-47ed-be62-1feef97b8026/1/0/0/5/5/76".to_vec(),
            version: "J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg".to_owned(),
            latest: true,
            marker: false,
            size: 904,
            etag: "fbebe2d44529d0a25247e8b5bca5956b".to_owned(),
            modified: (1_649_541_134, 0),
            multipart: Some(false),
        }
    );
    for step in [1, 2, 7, 100, 250] {
        assert_eq!(read(DANDI, LINES.as_bytes(), step), whole, "{step}");
    }
    // Lines may end as on Windows, and the last one not at all.
    assert_eq!(read(DANDI, LINES.replace('\n', "\r\n").trim_end().as_bytes(), 9), whole);
}

#[test]
fn markers_nulls_and_rows_without_versions_are_read() {
    let text = "\"b\",\"a%2Fb+c\",\"\",\"false\",\"true\",\"\",\"2022-04-09T21:52:14.000Z\",\"\",\"\"\n";
    let (rows, bad) = read(DANDI, text.as_bytes(), 10);
    assert!(bad.is_empty(), "{bad:?}");
    let Owned { key, version, latest, marker, size, etag, multipart, .. } = rows[0].clone();
    assert_eq!((&*key, &*version, latest, marker), (&b"a/b c"[..], "null", false, true));
    assert_eq!((size, &*etag, multipart), (0, "", None));
    // In another order, without quotes, and with a column that nobody knows.
    let columns = "ETag, Size, New, Key, LastModifiedDate, Bucket";
    let (rows, bad) = read(columns, b"x,5,what,%D0%B0,2022-04-09T21:52:14Z,b\n", 3);
    assert!(bad.is_empty(), "{bad:?}");
    let Owned { key, version, latest, marker, size, .. } = rows[0].clone();
    assert_eq!((&*key, &*version, latest, marker, size), ("\u{430}".as_bytes(), "null", true, false, 5));
}

#[test]
fn a_bad_row_is_told_with_its_place_and_spoils_no_other() {
    let good = "\"b\",\"k\",\"v\",\"true\",\"false\",\"1\",\"2022-04-09T21:52:14.000Z\",\"e\",\"false\"";
    for (bad, what) in [
        ("", "fewer fields"),
        ("\"b\"", "fewer fields"),
        (&good.replace("\"e\",", ""), "fewer fields"),
        (&format!("{good},\"x\""), "more fields"),
        (&good.replace("\"k\"", "\"k\"x"), "behind its quotes"),
        (&good.replace("\"k\"", "\"k"), "behind its quotes"),
        (&good.replace("\"k\"", "k\""), "none around it"),
        (&good[..good.len() - 1], "not closed"),
        (&good.replace("\"k\"", "\"%2\""), "two digits"),
        (&good.replace("\"k\"", "\"\""), "no key"),
        (&good.replace("\"k\"", &format!("\"{}\"", "k".repeat(1025))), "longer than any that S3 takes"),
        (&good.replace("\"e\"", "\"\""), "no ETag"),
        (&good.replace("\"e\"", "\"e\"\"f\""), "a quote in it"),
        (&good.replace("\"v\"", &format!("\"{}\"", "v".repeat(513))), "version or its ETag"),
        (&good.replace("\"1\"", "\"-1\""), "Size"),
        (&good.replace("\"1\"", "\"\""), "Size"),
        (&good.replace("\"true\"", "\"TRUE\""), "IsLatest"),
        (&good.replace("\"true\",\"false\"", "\"true\",\"\""), "IsDeleteMarker"),
        (&good.replace("2022-04", "2022-14"), "LastModifiedDate"),
        (&"x".repeat(LONGEST + 1), "longer than any row"),
    ] {
        // First in its list, between others, and last, without an end.
        for (text, row, at) in [
            (format!("{bad}\n{good}\n{good}\n"), 1, 0),
            (format!("{good}\n{bad}\n{good}\n"), 2, good.len() + 1),
            (format!("{good}\n{good}\n{bad}"), 3, 2 * good.len() + 2),
        ] {
            if bad.is_empty() && row == 3 {
                continue;
            }
            for step in [1, 50, usize::MAX] {
                let (rows, odd) = read(DANDI, text.as_bytes(), step);
                assert_eq!((rows.len(), odd.len()), (2, 1), "{bad:.80}: {odd:?}");
                assert!(odd[0].what.contains(what), "{bad:.80}: {odd:?}");
                assert_eq!((odd[0].row, odd[0].at), (row, at as u64), "{bad:.80}");
            }
        }
    }
}

#[test]
fn keys_have_quotes_and_line_ends_as_they_are_encoded() {
    let row =
        |key: &str| format!("\"b\",\"{key}\",\"v\",\"true\",\"false\",\"1\",\"2022-04-09T21:52:14.000Z\",\"e\",\"\"\n");
    for (written, key) in [("a%0Ab", "a\nb"), ("a\"\"b", "a\"b"), ("%22", "\""), ("\"\"", "\""), ("%2B+%25", "+ %")] {
        let (rows, bad) = read(DANDI, row(written).as_bytes(), 4);
        assert!(bad.is_empty() && rows[0].key == key.as_bytes(), "{written}: {bad:?} {rows:?}");
    }
}
