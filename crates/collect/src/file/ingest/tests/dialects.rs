//! The stream says whether a first row is a header, whatever the file looks like.

use super::*;
use crate::decode::CsvOptions;

fn shop_with(header: bool, delimiter: Delimiter) -> Arc<Shop> {
    let csv = CsvOptions {
        header,
        delimiter,
        ..CsvOptions::default()
    };
    let mut shop = Arc::into_inner(Shop::new()).unwrap();
    shop.decoder = shop.decoder.with_csv(csv);
    Arc::new(shop)
}

#[tokio::test]
async fn columns_are_found_by_their_names_whatever_else_the_header_holds() {
    let rows = |from: u64, row: &dyn Fn(u64) -> String| -> String {
        (from..40).map(|n| row(n) + "\n").collect()
    };
    let long = "a question that somebody asked ".repeat(10);
    let by_name = |n| format!("0,x,2026-01-01,{n},y");
    let expected: Vec<i64> = (0..40).collect();
    for header in [
        "#,text,day,n,tax",
        "text,text2,day,n,text2",
        "2024,text,day,n,2025",
        "null,true,day,n,text",
        &format!("\"{long}\",text,day,n,x"),
        "a,b,day,n,",
    ] {
        let bench = Bench::new(&format!("{header}\n{}", rows(0, &by_name)));
        // Even a stream that is said to have no header takes a row of its fields' names for one.
        for declared in [true, false] {
            let shop = shop_with(declared, Delimiter::Byte(b','));
            let options = IngestOptions {
                restart: true,
                ..bench.options()
            };
            let outcome = bench.load_with(&shop, &options).await.unwrap();
            assert_eq!(outcome.progress.rejected, 0, "{header}");
            assert_eq!(shop.numbers(), expected, "{header}");
            assert!(shop.sent.load(Ordering::SeqCst) > 3);
        }
    }
}

#[tokio::test]
async fn without_a_header_columns_are_taken_in_order_only_where_the_stream_says_so() {
    let text: String = (0..40).map(|n| format!("{n},2026-01-01,x\n")).collect();
    let bench = Bench::new(&text);
    let shop = shop_with(false, Delimiter::Byte(b','));
    bench.load(&shop).await.unwrap();
    assert_eq!(shop.numbers(), (0..40).collect::<Vec<_>>());
    let shop = shop_with(true, Delimiter::Byte(b','));
    let options = IngestOptions {
        restart: true,
        ..bench.options()
    };
    let error = bench.load_with(&shop, &options).await.unwrap_err();
    assert!(
        error.to_string().contains("say so with the stream's `csv"),
        "{error}"
    );
    assert_eq!(shop.numbers(), [0_i64; 0]);
}

#[tokio::test]
async fn a_delimiter_that_the_stream_does_not_declare_is_used_if_the_names_are_there_with_it() {
    for (declared, text) in [
        (
            Delimiter::Byte(b','),
            "day;n;text\n2026-01-01;1;a,b\n2026-01-01;2;c\n",
        ),
        (
            Delimiter::Byte(b';'),
            "day;n;text\n2026-01-01;1;a,b\n2026-01-01;2;c\n",
        ),
        (
            Delimiter::Byte(b'^'),
            "day^n^text\n2026-01-01^1^a,b\n2026-01-01^2^c,d\n",
        ),
        (
            Delimiter::Whitespace,
            "day\tn\ttext\n2026-01-01\t1\ta,b\n2026-01-01\t2\tc\n",
        ),
    ] {
        let shop = shop_with(true, declared);
        let outcome = Bench::new(text).load(&shop).await.unwrap();
        assert_eq!(outcome.progress.rejected, 0, "{text}");
        assert_eq!(shop.numbers(), [1, 2], "{text}");
    }
}

#[tokio::test]
async fn a_column_that_is_there_twice_or_has_no_name_matters_only_to_the_field_that_reads_it() {
    let shop = shop_with(true, Delimiter::Byte(b','));
    let bench = Bench::new("n,day,n\n1,2026-01-01,2\n");
    let error = bench.load(&shop).await.unwrap_err();
    assert!(
        error.to_string().contains("the column 'n' is there twice"),
        "{error}"
    );
    let bench = Bench::new("x,n,day,x,\n9,1,2026-01-01,2,\n");
    bench.load(&shop).await.unwrap();
    assert_eq!(shop.numbers(), [1]);
}

#[tokio::test]
async fn a_stray_quote_costs_its_line_in_a_file_as_in_a_request() {
    let mut text = "n,day,text\n".to_owned();
    for n in 0..60 {
        let quote = if n == 10 { "\"" } else { "" };
        text.push_str(&format!("{n},2026-01-01,{quote}oops\n"));
    }
    let expected: Vec<i64> = (0..60).filter(|n| *n != 10).collect();
    let bench = Bench::new(&text);
    for chunk_bytes in [100, 1 << 20] {
        let mut options = IngestOptions {
            restart: true,
            ..bench.options()
        };
        options.read.chunk_bytes = chunk_bytes;
        let shop = Shop::new();
        let outcome = bench.load_with(&shop, &options).await.unwrap();
        assert_eq!(outcome.progress.rejected, 1);
        assert_eq!(shop.numbers(), expected);
        let rejected = bench.rejected();
        assert_eq!(
            (rejected[0]["line"].as_u64(), rejected[0]["raw"].as_str()),
            (Some(12), Some("10,2026-01-01,\"oops"))
        );
    }
    let posted = Shop::new();
    let csv = crate::decode::Format::Csv(CsvOptions::default());
    let decoded = posted.decoder.decode(&csv, text.as_bytes()).unwrap();
    assert_eq!((decoded.batch.num_rows(), decoded.rejected), (59, 1));
    assert_eq!(decoded.rejections[0].line, 12);
    assert_eq!(
        decoded.rejections[0].reason,
        "a quote that is opened here is never closed"
    );
}
