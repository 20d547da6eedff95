use super::*;
use proptest::prelude::*;

fn plain() -> TimeReader {
    TimeReader::new(None).unwrap()
}

fn with(pattern: Option<&str>, zone: Option<&str>) -> TimeReader {
    let format = TimeFormat {
        pattern: pattern.map(str::to_owned),
        zone: zone.map(str::to_owned),
    };
    TimeReader::new(Some(&format)).unwrap()
}

#[test]
fn a_table_of_times_reads_to_microseconds() {
    for (text, micros) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-22T14:03:00Z", 1_795_356_180_000_000),
        ("2026-11-22T15:03:00+01:00", 1_795_356_180_000_000),
        ("2026-11-22t06:03:00.5-0800", 1_795_356_180_500_000),
        ("2026-11-22 14:03:00.1234567Z", 1_795_356_180_123_456),
        ("2026-11-22T14:03Z", 1_795_356_180_000_000),
        ("2026-11-22T14:03:00", 1_795_356_180_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_799_000_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ("1795356180", 1_795_356_180_000_000),
        ("1795356180123", 1_795_356_180_123_000),
        ("1795356180123456", 1_795_356_180_123_456),
        ("1795356180.5", 1_795_356_180_500_000),
        ("1795356180123.25", 1_795_356_180_123_250),
        ("-1", -1_000_000),
        ("0", 0),
    ] {
        assert_eq!(plain().timestamp(text), Ok(micros), "{text}");
    }
}

#[test]
fn a_table_of_bad_times_is_refused_with_its_reason() {
    for (text, error) in [
        ("", TimeError::Syntax),
        ("yesterday", TimeError::Syntax),
        ("2026-11-22", TimeError::Syntax),
        ("2026-11-22T14:03:00+1:00", TimeError::Syntax),
        ("2026-11-22T14:03:00.Z", TimeError::Syntax),
        ("2026-11-22T14:03:00Z ", TimeError::Syntax),
        ("22-11-2026T14:03:00Z", TimeError::Syntax),
        ("2026-11-22T14:03:00+24:00", TimeError::Syntax),
        ("2026-02-30T00:00:00Z", TimeError::NoSuchTime),
        ("2026-13-01T00:00:00Z", TimeError::NoSuchTime),
        ("2026-01-01T24:00:00Z", TimeError::NoSuchTime),
        ("2023-02-29T00:00:00Z", TimeError::NoSuchTime),
        ("0000-01-01T00:00:00Z", TimeError::NoSuchTime),
        ("1795356180123456789", TimeError::EpochRange),
        ("1,5", TimeError::Syntax),
        ("1e9", TimeError::Syntax),
        ("-", TimeError::Syntax),
    ] {
        assert_eq!(plain().timestamp(text), Err(error), "{text}");
    }
}

#[test]
fn an_offset_does_not_lead_out_of_the_years() {
    for text in [
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T23:59:59.999999-00:01",
        "0001-01-01T00:00:00+05:00",
        "0001-01-01T00:00:00.5+00:01",
        "-62135596801",
        "-99999999999999",
    ] {
        let got = plain().timestamp(text);
        assert_eq!(got, Err(TimeError::YearRange), "{text}");
    }
    for (text, micros) in [
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("9999-12-31T18:59:59-05:00", 253_402_300_799_000_000),
        ("0001-01-01T05:00:00+05:00", -62_135_596_800_000_000),
        ("-62135596800", -62_135_596_800_000_000),
    ] {
        assert_eq!(plain().timestamp(text), Ok(micros), "{text}");
    }
    let berlin = with(None, Some("Europe/Berlin"));
    let early = berlin.timestamp("0001-01-01T00:00:00");
    assert_eq!(early, Err(TimeError::YearRange));
    let offset = with(Some("%Y-%m-%d %H:%M:%S %z"), None);
    let early = offset.timestamp("0001-01-01 00:00:00 +0500");
    assert_eq!(early, Err(TimeError::YearRange));
}

#[test]
fn a_declared_pattern_and_zone_are_used() {
    let berlin = with(Some("%d.%m.%Y %H:%M"), Some("Europe/Berlin"));
    assert_eq!(
        berlin.timestamp("22.11.2026 15:03"),
        Ok(1_795_356_180_000_000)
    );
    assert_eq!(
        berlin.timestamp("22.07.2026 16:03"),
        Ok(1_784_728_980_000_000)
    );
    assert!(matches!(
        berlin.timestamp("2026-11-22"),
        Err(TimeError::Pattern { .. })
    ));
    let naive = with(None, Some("Europe/Berlin"));
    assert_eq!(
        naive.timestamp("2026-11-22T15:03:00"),
        Ok(1_795_356_180_000_000)
    );
    assert_eq!(
        naive.timestamp("2026-11-22T14:03:00Z"),
        Ok(1_795_356_180_000_000)
    );
    let day = with(Some("%d-%b-%y"), None);
    assert_eq!(day.timestamp("02-Jun-06"), Ok(1_149_206_400_000_000));
    let offset = with(Some("%Y/%m/%d %H:%M:%S %z"), None);
    assert_eq!(
        offset.timestamp("2026/11/22 15:03:00 +0100"),
        Ok(1_795_356_180_000_000)
    );
}

#[test]
fn a_time_in_the_gap_or_fold_of_a_clock_change_takes_the_offset_before_it() {
    let berlin = with(None, Some("Europe/Berlin"));
    assert_eq!(
        berlin.timestamp("2026-03-29T02:30:00"),
        plain().timestamp("2026-03-29T01:30:00Z")
    );
    assert_eq!(
        berlin.timestamp("2026-10-25T02:30:00"),
        plain().timestamp("2026-10-25T00:30:00Z")
    );
}

#[test]
fn days_and_local_times_as_numbers_are_taken_in_the_zone_and_within_the_years() {
    let (utc, berlin) = (plain(), with(None, Some("Europe/Berlin")));
    for text in [
        "2026-11-22T15:03:00",
        "2026-07-22T16:03:00.000001",
        "2026-03-29T02:30:00",
        "2026-10-25T02:30:00",
        "1900-01-01T00:00:00",
    ] {
        let local_us = utc.timestamp(text).unwrap();
        assert_eq!(utc.instant_of_local(local_us), Ok(local_us), "{text}");
        assert_eq!(
            berlin.instant_of_local(local_us),
            berlin.timestamp(text),
            "{text}"
        );
    }
    assert_eq!(
        berlin.start_of_day(20_000),
        berlin.timestamp("2024-10-04T00:00:00")
    );
    for (text, day) in [("0001-01-01", -719_162), ("9999-12-31", 2_932_896)] {
        assert_eq!(utc.date(text), Ok(day));
        assert_eq!(check_day(i64::from(day)), Ok(day));
        let at = utc.timestamp(&format!("{text}T00:00:00Z"));
        assert_eq!(utc.start_of_day(i64::from(day)), at);
    }
    for day in [-719_163, 2_932_897, i64::from(i32::MIN), i64::MAX, i64::MIN] {
        assert_eq!(utc.start_of_day(day), Err(TimeError::YearRange), "{day}");
    }
    for at_us in [i64::MIN, i64::MAX, 253_402_300_800_000_000] {
        assert_eq!(check_instant(at_us), Err(TimeError::YearRange));
        assert_eq!(berlin.instant_of_local(at_us), Err(TimeError::YearRange));
    }
}

#[test]
fn dates_read_by_default_and_by_pattern() {
    assert_eq!(plain().date("1970-01-02"), Ok(1));
    assert_eq!(plain().date("2026-02-29"), Err(TimeError::NoSuchTime));
    assert_eq!(plain().date("2026-2-1"), Err(TimeError::DateSyntax));
    assert_eq!(
        plain().date("2026-02-01T00:00:00Z"),
        Err(TimeError::DateSyntax)
    );
    let packed = with(Some("%Y%m%d"), None);
    assert_eq!(packed.date("20210101"), Ok(18_628));
    assert_eq!(packed.date("20210230"), Err(TimeError::NoSuchTime));
    let month = with(Some("%d-%b-%y"), None);
    assert_eq!(month.date("02-Jun-06"), Ok(13_301));
    assert!(matches!(
        month.date("Date Not Captured"),
        Err(TimeError::Pattern { .. })
    ));
}

#[test]
fn a_pattern_or_zone_that_cannot_work_is_refused_when_it_is_declared() {
    let format = |pattern: &str, zone: Option<&str>| TimeFormat {
        pattern: Some(pattern.to_owned()),
        zone: zone.map(str::to_owned),
    };
    for (pattern, zone) in [
        ("%Q-%d", None),
        ("%H:%M", None),
        ("%d.%m.%Y", Some("Europe/Berlim")),
    ] {
        assert!(
            TimeReader::new(Some(&format(pattern, zone))).is_err(),
            "{pattern}"
        );
    }
}

proptest! {
    #[test]
    fn rfc_3339_agrees_with_jiff(micros in -62_135_596_800_000_000_i64..=253_402_207_200_000_000, offset in -1439_i32..=1439) {
        let zone = TimeZone::fixed(jiff::tz::Offset::from_seconds(offset * 60).unwrap());
        let zoned = jiff::Timestamp::from_microsecond(micros).unwrap().to_zoned(zone);
        prop_assume!((1..=9999).contains(&zoned.year()));
        let text = strtime::format("%Y-%m-%dT%H:%M:%S.%6f%:z", &zoned).unwrap();
        prop_assert_eq!(plain().timestamp(&text), Ok(micros), "{}", text);
    }

    #[test]
    fn every_day_agrees_with_jiff(day in 0_i32..3_652_059) {
        let date = jiff::civil::date(1, 1, 1) + jiff::Span::new().days(day);
        let expected = (date - jiff::civil::date(1970, 1, 1)).get_days();
        prop_assert_eq!(plain().date(&date.to_string()), Ok(expected));
    }

    #[test]
    fn random_text_never_panics(text in "\\PC{0,40}|[0-9TZ:+. -]{0,40}") {
        let _ = plain().timestamp(&text);
        let _ = plain().date(&text);
    }
}

#[test]
fn every_instant_of_the_years_1_to_9999_has_a_text_and_reads_back() {
    let reader = TimeReader::new(None).unwrap();
    for (at_us, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_700_000_000_120_000, "2023-11-14T22:13:20.12Z"),
        (253_402_207_200_999_999, "9999-12-30T22:00:00.999999Z"),
        (253_402_300_799_000_000, "9999-12-31T23:59:59Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
    ] {
        assert_eq!(rfc3339(at_us).as_deref(), Some(text));
        assert_eq!(reader.timestamp(text), Ok(at_us));
    }
    for outside in [
        253_402_300_800_000_000,
        -62_135_596_800_000_001,
        i64::MAX,
        i64::MIN,
    ] {
        assert_eq!(rfc3339(outside), None);
    }
}
