use super::*;

#[test]
fn a_card_number_is_masked_however_it_is_separated_and_whatever_it_is_glued_to() {
    for between in [
        " ", "-", ".", "/", "_", "  ", "\t", "\n", "\r\n", ", ", ". ", ",", " - ", "\u{a0}",
        "\u{2011}", "\u{200b}", "\u{202f}", "\u{2013}", "\u{ad}", "|", "\", \"",
    ] {
        for (text, masked) in [
            ("4111~1111~1111~1111", "4111~11**~****~1111"),
            ("3782~822463~10005", "3782~82****~*0005"),
            ("3056~930902~5904", "3056~93****~5904"),
            ("6205~5000~0000~0000~004", "6205~50**~****~***0~004"),
            (
                "no. 4111~1111~1111~1111, 12/29",
                "no. 4111~11**~****~1111, 12/29",
            ),
            ("12~4111~1111~1111~1111~123", "12~4111~11**~****~1111~123"),
        ] {
            let (text, masked) = (text.replace('~', between), masked.replace('~', between));
            assert_eq!(mask(&text), masked, "{text:?}");
        }
    }
    for (text, masked) in [
        ("4111-1111 1111\u{a0}1111", "4111-11** ****\u{a0}1111"),
        ("４１１１１１１１１１１１１１１１", "411111******1111"),
        (
            "卡号４１１１ １１１１ １１１１ １１１１。",
            "卡号4111 11** **** 1111。",
        ),
        ("٤١١١١١١١١١١١١١١١", "411111******1111"),
        ("04111111111111111", "0411111******1111"),
        ("0000378282246310005", "0000378282*****0005"),
        ("41111111111111111225", "411111******11111225"),
        ("41111111111111112512", "411111******11112512"),
        ("3782822463100051225", "378282*****00051225"),
        ("ab4111111111111111", "ab411111******1111"),
        ("card_ed4111111111111111", "card_ed411111******1111"),
        ("4111111111111111beef", "411111******1111beef"),
        ("v1.4111111111111111", "v1.411111******1111"),
        ("1.2.4111111111111111", "1.2.411111******1111"),
        ("4111111111111111/1225", "411111******1111/1225"),
        (
            "4111111111111111,5555555555554444",
            "411111******1111,555555******4444",
        ),
    ] {
        assert_eq!(mask(text), masked, "{text}");
    }
    assert_eq!(
        mask_json(
            r#"{"n":41111111111111111225,"t":"４１１１１１１１１１１１１１１１","d":"4111\u00a01111\u00a01111\u00a01111"}"#
        ),
        "{\"n\":\"411111******11111225\",\"t\":\"411111******1111\",\"d\":\"4111\u{a0}11**\u{a0}****\u{a0}1111\"}"
    );
    assert_eq!(
        mask_json("\"４１１１１１１１１１１１１１１１\""),
        "\"411111******1111\""
    );
}

#[test]
fn lists_amounts_times_and_ids_are_no_card_numbers() {
    for text in [
        // Without their neighbours four of these groups would be a card number.
        "1999, 4111, 1111, 1111, 1111",
        "4111, 1111, 1111, 1111, 2000",
        "2001\n4111\n1111\n1111\n1111\n2002",
        "411.111.111.111.111.1",
        "1.234.567.890.123,45",
        "4111.111111111111",
        "411111/1111111111",
        "2026/11/22 14:03:00.123456",
        "192.168.100.200, 192.168.100.201",
        "4111111111111111111111111",
        "41111111111111119999",
        "41111111111111111360",
        "12.4111111111111111",
        "-0.5555555555554444",
        "(1.4111111111111111)",
        "a4222222222222bc",
        "65f0c1d2411111111111111a",
        "１２３４５",
        "٠٫٤١١١",
    ] {
        assert!(
            matches!(mask(text), Cow::Borrowed(_)),
            "{text:?} -> {}",
            mask(text)
        );
    }
}

proptest! {
    #[test]
    fn every_card_printed_in_groups_is_masked_with_anything_between(
        scheme in 0..SCHEMES.len(),
        seed in any::<u64>(),
        before in "[a-zA-Z ]{0,8}[ :,(\\[=\"]|",
        after in "[ ,.)\\]\"][a-zA-Z ]{0,8}|",
        between in prop::sample::select(vec![
            ".", "/", "_", "  ", "\t", "\n", "\u{a0}", "\u{2011}", "\u{200b}", ", ", ". ", "|", " - ", "*",
        ]),
        wide in any::<bool>(),
    ) {
        let (prefix, length) = SCHEMES[scheme];
        let number = card(prefix, length, seed);
        let printed = match length {
            14 | 15 => vec![&number[..4], &number[4..10], &number[10..]],
            _ => (0..length).step_by(4).map(|at| &number[at..(at + 4).min(length)]).collect(),
        };
        let mut grouped = printed.join(between);
        if wide {
            grouped = grouped.chars().map(|c| match c.to_digit(10) {
                Some(value) => char::from_u32(0xff10 + value).unwrap(),
                None => c,
            }).collect();
        }
        let text = format!("{before}{grouped}{after}");
        let digits: String = mask(&text).chars().filter(char::is_ascii_digit).collect();
        prop_assert_eq!(digits, format!("{}{}", &number[..6], &number[length - 4..]), "{:?}", text);
    }

    #[test]
    fn every_common_card_is_masked_behind_letters_or_zeros_and_before_a_date(
        scheme in prop::sample::select(vec![
            ("4", 16), ("51", 16), ("2221", 16), ("2200", 16), ("37", 15), ("6011", 16), ("62", 16), ("62", 19),
            ("3528", 16), ("36", 14), ("8600", 16), ("9860", 16), ("9792", 16),
        ]),
        seed in any::<u64>(),
        before in "[a-f]{1,3}|[g-z]{1,8}|[a-z]{1,5}_|0{1,4}|",
        month in 1..=12,
        year in 22..=35,
        date in 0..3,
    ) {
        let number = card(scheme.0, scheme.1, seed);
        let date = match date {
            0 => format!("{month:02}{year}"),
            1 => format!("{year}{month:02}"),
            _ => String::new(),
        };
        let text = format!("{before}{number}{date}");
        // Words as long as hexadecimal ids, with letters, are taken for such.
        let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit()) && before.contains(|c| c >= 'a');
        prop_assume!(!is_hex || text.len() != 16 && text.len() < 24);
        // Behind zeros alone nineteen digits are taken for an id.
        prop_assume!(scheme.1 < 19 || !before.starts_with('0') || !date.is_empty());
        let masked = mask(&text).into_owned();
        prop_assert!(!masked.contains(&number), "{} -> {}", text, masked);
        let middle = &masked[before.len() + 6..before.len() + number.len() - 4];
        prop_assert!(middle.bytes().all(|b| b == b'*'), "{} -> {}", text, masked);
    }
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn text(&mut self, length: usize, alphabet: &[u8]) -> String {
        (0..length)
            .map(|_| {
                let at = self.below(alphabet.len() as u64);
                char::from(alphabet[usize::try_from(at).unwrap()])
            })
            .collect()
    }
}

type Make = Box<dyn Fn(&mut Random) -> String>;

#[test]
fn random_ids_and_numbers_are_hardly_ever_masked() {
    const HEX: &[u8] = b"0123456789abcdef";
    const DIGITS: &[u8] = b"0123456789";
    let mut random = Random(42);
    let hex = |length: usize| move |random: &mut Random| random.text(length, HEX);
    let kinds: Vec<(&str, usize, Make)> = vec![
        (
            "UUID",
            0,
            Box::new(|random| {
                let parts = [8, 4, 4, 4, 12].map(|length| random.text(length, HEX));
                parts.join("-")
            }),
        ),
        ("16 hexadecimal", 10, Box::new(hex(16))),
        ("20 hexadecimal", 30, Box::new(hex(20))),
        ("24 hexadecimal", 0, Box::new(hex(24))),
        ("32 hexadecimal", 0, Box::new(hex(32))),
        ("64 hexadecimal", 0, Box::new(hex(64))),
        ("20 digits", 100, Box::new(|random| random.text(20, DIGITS))),
        (
            "amount",
            0,
            Box::new(|random| {
                let whole = usize::try_from(random.below(9)).unwrap();
                format!(
                    "{}.{}",
                    random.text(whole + 1, DIGITS),
                    random.text(2, DIGITS)
                )
            }),
        ),
        (
            "fraction",
            0,
            Box::new(|random| format!("0.{}", random.text(17, DIGITS))),
        ),
        (
            "decimal",
            0,
            Box::new(|random| {
                let whole = usize::try_from(random.below(4)).unwrap();
                format!(
                    "{}.{}",
                    random.text(whole + 1, DIGITS),
                    random.text(16, DIGITS)
                )
            }),
        ),
        (
            "thousands",
            0,
            Box::new(|random| {
                let parts = [1, 3, 3, 3, 3].map(|length| random.text(length, DIGITS));
                parts.join(".")
            }),
        ),
        (
            "phone",
            0,
            Box::new(|random| {
                let parts = [3, 3, 4].map(|length| random.text(length, DIGITS));
                format!("+1 ({}) {}-{}", parts[0], parts[1], parts[2])
            }),
        ),
        (
            "phones",
            0,
            Box::new(|random| {
                format!(
                    "+49{}, +49{}",
                    random.text(9, DIGITS),
                    random.text(9, DIGITS)
                )
            }),
        ),
        (
            "addresses",
            0,
            Box::new(|random| {
                let parts: Vec<String> = (0..8).map(|_| random.below(256).to_string()).collect();
                format!("{} {}", parts[..4].join("."), parts[4..].join("."))
            }),
        ),
        (
            "epoch",
            0,
            Box::new(|random| format!("1{}", random.text(15, DIGITS))),
        ),
        (
            "time",
            0,
            Box::new(|random| {
                let mut two = |bound| format!("{:02}", random.below(bound));
                let day = format!("20{}-{}-{}", two(60), two(13), two(29));
                format!(
                    "{day} {}:{}:{}.123456 {day}T{}:00:00.000Z",
                    two(24),
                    two(60),
                    two(60),
                    two(24)
                )
            }),
        ),
    ];
    // Out of 100 000 each.
    for (kind, most, make) in kinds {
        let masked: Vec<String> = (0..100_000)
            .map(|_| make(&mut random))
            .filter(|text| matches!(mask(text), Cow::Owned(_)))
            .collect();
        let some = masked.iter().take(3).collect::<Vec<_>>();
        assert!(masked.len() <= most, "{kind}: {} {some:?}", masked.len());
    }
}
