//! Depth, sizes and counts: each limit holds and is named.

use super::hostile::reason;
use super::*;

#[test]
fn nesting_is_limited_and_its_limit_named() {
    let nested = |depth: usize| {
        line(&format!(
            r#","extra":{}{}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        ))
    };
    let within = decoder()
        .decode(&Format::Ndjson, nested(31).as_bytes())
        .unwrap();
    assert_eq!(within.rejected, 0);
    let reason = reason(&Format::Ndjson, nested(32).as_bytes());
    assert!(
        reason.ends_with("it is nested too deeply (limit depth_max)"),
        "{reason}"
    );
    let bomb = "[".repeat(1_000_000);
    assert!(decoder().decode(&Format::Json, bomb.as_bytes()).is_err());
    let bomb = format!("{{\"x\":{bomb}");
    assert_eq!(
        decoder()
            .decode(&Format::Ndjson, bomb.as_bytes())
            .unwrap()
            .rejected,
        1
    );
}

#[test]
fn every_limit_of_decoding_holds() {
    let small = DecodeLimits {
        body_bytes_max: 1000,
        line_bytes_max: 100,
        columns_bytes_max: 700,
        rejections_max: 2,
        raw_bytes_max: 20,
        csv_columns_max: 5,
        ..DecodeLimits::default()
    };
    let decoder = decoder_of(payments(), small);
    let decode = |format: &Format, body: &str| decoder.decode(format, body.as_bytes());
    assert_eq!(
        decode(&Format::Ndjson, &"x".repeat(1001)).unwrap_err(),
        DecodeError::BodyTooLarge { bytes_max: 1000 }
    );
    let long = line(&format!(r#","psp":"{}""#, "x".repeat(100)));
    let decoded = decode(&Format::Ndjson, &format!("{long}\n{}", line(""))).unwrap();
    assert_eq!((decoded.batch.num_rows(), decoded.rejected), (1, 1));
    assert!(
        decoded.rejections[0]
            .reason
            .contains("limit line_bytes_max")
    );
    let decoded = decode(&Format::Json, &format!("[{long},{}]", line(""))).unwrap();
    assert_eq!((decoded.batch.num_rows(), decoded.rejected), (1, 1));
    let many = vec![line(""); 10].join("\n");
    assert_eq!(
        decode(&Format::Ndjson, &many).unwrap_err(),
        DecodeError::ColumnsTooLarge { bytes_max: 700 }
    );
    let decoded = decode(
        &Format::Ndjson,
        &"a line that is no event at all\n".repeat(5),
    )
    .unwrap();
    assert_eq!((decoded.rejections.len(), decoded.rejected), (2, 5));
    assert_eq!(decoded.rejections[0].raw, "a line that is no ev…");
    let wide = decode(&Format::Csv(CsvOptions::default()), "a,b,c,d,e,f\n").unwrap_err();
    assert!(wide.to_string().contains("limit csv_columns_max"), "{wide}");
}

#[test]
fn a_compressed_bomb_ends_at_the_limit() {
    use std::io::Write;
    let zeros = vec![b' '; 10 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&zeros).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(zeros.as_slice(), 1).unwrap();
    for (encoding, body) in [(Encoding::Gzip, &gzip), (Encoding::Zstd, &zstd)] {
        assert!(body.len() < 1 << 20);
        assert_eq!(
            decompress(encoding, body, 1 << 20).unwrap_err(),
            DecodeError::BodyTooLarge { bytes_max: 1 << 20 }
        );
        assert_eq!(
            decompress(encoding, body, 10 << 20).unwrap().len(),
            10 << 20
        );
        let cut = &body[..body.len() - 5];
        assert!(matches!(
            decompress(encoding, cut, 10 << 20),
            Err(DecodeError::Compression { .. })
        ));
        assert!(matches!(
            decompress(encoding, b"no such thing", 100),
            Err(DecodeError::Compression { .. })
        ));
    }
    assert_eq!(
        decompress(Encoding::Identity, b"12345", 4).unwrap_err(),
        DecodeError::BodyTooLarge { bytes_max: 4 }
    );
}
