use std::io::Write;
use std::path::PathBuf;

use super::*;

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn small(chunk_bytes: usize) -> ReadOptions {
    ReadOptions {
        chunk_bytes,
        record_bytes_max: 64,
        ..ReadOptions::default()
    }
}

fn chunks(path: &Path, options: ReadOptions, at: Option<Position>) -> Vec<Chunk> {
    let mut reader = FileReader::open_at(path, options, at).unwrap();
    std::iter::from_fn(|| reader.next_chunk().unwrap()).collect()
}

fn bodies(text: &str, chunk_bytes: usize) -> Vec<String> {
    let (_folder, path) = file(text.as_bytes());
    let chunks = chunks(&path, small(chunk_bytes), None);
    chunks
        .into_iter()
        .map(|chunk| String::from_utf8(chunk.body.to_vec()).unwrap())
        .collect()
}

#[test]
fn chunks_end_where_records_end_and_repeat_the_header() {
    let cases: [(&str, &[&str]); 8] = [
        ("a,b\n1,2\n3,4\n5,6\n", &["a,b\n1,2\n3,4\n", "a,b\n5,6\n"]),
        (
            "a,b\r\n1,2\r\n3,4\r\n",
            &["a,b\r\n1,2\r\n", "a,b\r\n3,4\r\n"],
        ),
        ("a,b\n1,\"2\n\n\"\n3,4", &["a,b\n1,\"2\n\n\"\n", "a,b\n3,4"]),
        ("\u{feff}a,b\n1,2", &["a,b\n1,2"]),
        ("{\"a\":1}\n{\"a\":22}\n", &["{\"a\":1}\n", "{\"a\":22}\n"]),
        (
            "[{\"a\":1},\n{\"a\":\n2}]\n",
            &["{\"a\":1}\n", "{\"a\": 2}\n"],
        ),
        (
            "{\n\"a\":1}\n{\n\"a\":2}",
            &["{ \"a\":1}\n", "{ \"a\":2}\n"],
        ),
        ("1 2\n3 4\n5 6\n", &["1 2\n3 4\n", "5 6\n"]),
    ];
    for (text, expected) in cases {
        assert_eq!(bodies(text, 9), expected, "{text:?}");
    }
}

#[test]
fn reading_goes_on_at_the_end_of_any_chunk_also_in_compressed_files() {
    let mut text = "id,note\n".to_owned();
    for n in 0..200 {
        text.push_str(&format!("{n},\"a\n{n}\"\n"));
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = [
        gzip.finish().unwrap(),
        zstd::encode_all(text.as_bytes(), 1).unwrap(),
    ];
    for bytes in [text.into_bytes()].into_iter().chain(packed) {
        let (_folder, path) = file(&bytes);
        let all = chunks(&path, small(50), None);
        assert!(all.len() > 20);
        assert_eq!(all.iter().map(|chunk| chunk.records).sum::<u64>(), 200);
        for (done, chunk) in all.iter().enumerate() {
            assert_eq!(chunks(&path, small(50), Some(chunk.end)), all[done + 1..]);
        }
    }
}

#[test]
fn lines_of_a_body_are_lines_of_the_file() {
    let text = "id,note\n1,\"a\nb\"\n2,c\n3,d\n";
    let (_folder, path) = file(text.as_bytes());
    let all = chunks(&path, small(8), None);
    let told: Vec<_> = all
        .iter()
        .map(|chunk| {
            let first = chunk.header_lines + 1;
            let record = chunk
                .record_text(
                    FileFormat::Csv(Dialect::default()),
                    &chunk.line_starts(),
                    first,
                    64,
                )
                .unwrap();
            (
                chunk.line_in_file(first),
                String::from_utf8(record.to_vec()).unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(2, "1,\"a\nb\"".to_owned()), (4, "2,c".to_owned())]);
}

#[test]
fn a_quote_that_is_never_closed_costs_one_line_and_not_the_file() {
    let mut text = "a,b\n1,2\n3,\"4\n".to_owned();
    for n in 0..40 {
        text.push_str(&format!("{n},x\n"));
    }
    let (_folder, path) = file(text.as_bytes());
    let all = chunks(&path, small(30), None);
    let records: u64 = all.iter().map(|chunk| chunk.records).sum();
    assert_eq!(records, 42);
    assert!(
        all.iter()
            .any(|chunk| chunk.body.starts_with(b"a,b\n3,\"4\n"))
    );
}

#[test]
fn a_header_that_is_left_open_stands_above_every_chunk_and_is_sent_even_alone() {
    let open = ReadOptions {
        header_open: true,
        ..small(9)
    };
    for (text, expected) in [
        (
            "1,a\n2,b\n3,c\n4,d\n",
            &[("1,a\n2,b\n3,c\n", false), ("1,a\n4,d\n", true)][..],
        ),
        ("1,a", &[("1,a\n", false)]),
        ("", &[]),
    ] {
        let (_folder, path) = file(text.as_bytes());
        let all = chunks(&path, open, None);
        let found: Vec<_> = all
            .iter()
            .map(|chunk| (std::str::from_utf8(&chunk.body).unwrap(), chunk.repeated))
            .collect();
        assert_eq!(found, expected, "{text:?}");
        if let [first, second] = all.as_slice() {
            let told = [first.line_in_file(1), second.line_in_file(2)];
            assert_eq!(told, [1, 4]);
            let again = chunks(&path, open, Some(first.end));
            assert_eq!(again, all[1..]);
        }
    }
}

#[test]
fn an_open_quote_is_read_over_in_a_few_steps_a_byte() {
    use crate::decode::quotes::STEPS;
    for line in ["1,2026-01-01\n", "a\"b,\"c\n"] {
        let text = format!("n,day\n1,\"oops\n{}", line.repeat(20_000));
        let (_folder, path) = file(text.as_bytes());
        let options = ReadOptions {
            chunk_bytes: 40_000,
            record_bytes_max: 10_000,
            ..ReadOptions::default()
        };
        STEPS.with(|steps| steps.set(0));
        let all = chunks(&path, options, None);
        assert_eq!(all.iter().map(|chunk| chunk.records).sum::<u64>(), 20_001);
        // What of a chunk cannot be told yet is looked at again with the next.
        let steps = STEPS.with(std::cell::Cell::get);
        assert!(steps <= 4 * text.len(), "{line:?}: {steps}");
    }
}

#[test]
fn a_record_larger_than_a_chunk_has_one_of_its_own_and_an_endless_one_is_refused() {
    assert_eq!(
        bodies("[{\"a\":\"0123456789\"},{\"a\":1}]", 8),
        ["{\"a\":\"0123456789\"}\n{\"a\":1}\n"]
    );
    let (_folder, path) = file(&[b'x'; 500]);
    for header in [true, false] {
        let format = Some(FileFormat::Csv(Dialect {
            header,
            ..Dialect::default()
        }));
        let options = ReadOptions {
            format,
            ..small(30)
        };
        let result = FileReader::open(&path, options).and_then(|mut reader| reader.next_chunk());
        let error = result.unwrap_err();
        assert!(
            error.to_string().contains("is longer than 64 bytes"),
            "{error}"
        );
    }
}

#[test]
fn files_without_records_have_no_chunks() {
    for text in ["", "\n", "a,b\n", "a,b", "[]", "[ \n]\n", "\u{feff}"] {
        let found = bodies(text, 100);
        let held: Vec<_> = found
            .iter()
            .filter(|body| !body.trim().is_empty())
            .collect();
        assert!(held.is_empty(), "{text:?}: {found:?}");
    }
}

#[test]
fn a_file_cut_short_in_its_compression_is_an_error_with_its_place() {
    let packed = zstd::encode_all(&b"a,b\n1,2\n"[..], 1).unwrap();
    let (_folder, path) = file(&packed[..packed.len() - 3]);
    let options = ReadOptions {
        format: Some(FileFormat::Csv(Dialect::default())),
        ..ReadOptions::default()
    };
    let result = FileReader::open(&path, options).and_then(|mut reader| reader.next_chunk());
    assert!(result.is_err());
}
