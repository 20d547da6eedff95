//! Calendars and maintenance windows as they are shown.

use tillwatch_event::time::rfc3339;
use tillwatch_monitor::definition::MaintenanceTime;
use tillwatch_serve::documents::{
    CalendarDay, CalendarDocument, CalendarList, MaintenanceDocument,
};

use crate::definitions::Loaded;
use crate::definitions::folder::Item;
use crate::definitions::shape;

/// Those of a set of definitions, at a time in microseconds since the epoch.
pub(super) fn list(loaded: &Loaded, now_us: i64) -> CalendarList {
    let calendars = loaded.proposals.calendars().iter();
    let windows = loaded.maintenance.iter();
    CalendarList {
        calendars: calendars.map(|item| calendar(loaded, item)).collect(),
        maintenance: windows.map(|item| window(loaded, item, now_us)).collect(),
    }
}

fn zone(written: Option<&String>) -> String {
    written.map_or_else(|| "UTC".to_owned(), Clone::clone)
}

fn calendar(loaded: &Loaded, item: &Item<shape::Calendar>) -> CalendarDocument {
    let mut days: Vec<CalendarDay> = (item.value.days.iter())
        .map(|(day, like)| CalendarDay {
            day: day.clone(),
            like: like.clone(),
        })
        .collect();
    days.sort_by(|a, b| a.day.cmp(&b.day));
    let users = loaded.monitors.iter();
    let users = users.filter(|monitor| monitor.calendar.name == item.name);
    CalendarDocument {
        name: item.name.clone(),
        zone: zone(item.value.zone.as_ref()),
        days,
        used_by: users.map(|monitor| monitor.name.clone()).collect(),
    }
}

fn window(loaded: &Loaded, item: &Item<shape::Maintenance>, now_us: i64) -> MaintenanceDocument {
    let written = &item.value;
    let mut windows = loaded.announce.maintenance.iter();
    let time = windows.find(|window| window.name == item.name);
    let time = time.map(|window| &window.time);
    let next = match time {
        Some(MaintenanceTime::Weekly(weekly)) => weekly.next_us(now_us),
        Some(MaintenanceTime::Once(once)) => {
            (once.to_us > now_us).then_some((once.from_us, once.to_us))
        }
        None => None,
    };
    let filter = written.filter.iter();
    MaintenanceDocument {
        name: item.name.clone(),
        from: written.from.clone(),
        to: written.to.clone(),
        zone: zone(written.zone.as_ref()),
        days: (!written.days.is_empty()).then(|| written.days.clone()),
        once: matches!(time, Some(MaintenanceTime::Once(_))),
        severity: written.severity.clone(),
        monitors: written.monitors.clone(),
        metrics: written.metrics.clone(),
        filter: filter
            .map(|(name, values)| (name.clone(), values.all()))
            .collect(),
        active: next.is_some_and(|(from_us, _)| from_us <= now_us),
        next_from: next.and_then(|(from_us, _)| rfc3339(from_us)),
        next_to: next.and_then(|(_, to_us)| rfc3339(to_us)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::{Folder, finish};

    #[test]
    fn calendars_tell_who_goes_by_them_and_windows_when_they_are_next() {
        let text = "
streams:
  s: {time: at, fields: {at: timestamp, psp: string}}
cubes:
  c: {from: s, bucket: 1m, dimensions: [psp], measures: {n: count(*)}}
metrics:
  events: {of: c, expr: n}
calendars:
  berlin: {zone: Europe/Berlin, days: {\"2026-12-25\": sun, \"2026-11-27\": none}}
  unused: {}
monitors:
  few: {metric: events, by: [psp], detect: count, calendar: berlin}
maintenance:
  weekly: {days: [sun], from: \"02:00\", to: \"04:00\", zone: Europe/Berlin, monitors: [few], where: {psp: [a, null]}}
  once: {from: 2026-12-01 22:00, to: 2026-12-01 23:00}
  over: {from: 2026-11-01 22:00, to: 2026-11-01 23:00}
";
        let mut folder = Folder::default();
        folder.add("a.yaml".into(), text, true);
        let loaded = finish(folder, &|_| None).unwrap_or_else(|faults| panic!("{faults:#?}"));
        // A Sunday, at half past two in Berlin.
        let now = "2026-11-29T01:30:00Z".parse::<jiff::Timestamp>().unwrap();
        let found = list(&loaded, now.as_microsecond());
        let [berlin, unused] = found.calendars.as_slice() else {
            panic!("{found:#?}")
        };
        assert_eq!(
            (berlin.zone.as_str(), unused.zone.as_str()),
            ("Europe/Berlin", "UTC")
        );
        assert_eq!(
            (berlin.used_by.as_slice(), unused.used_by.len()),
            (&["few".to_owned()][..], 0)
        );
        let days: Vec<_> = berlin
            .days
            .iter()
            .map(|d| (d.day.as_str(), d.like.as_str()))
            .collect();
        assert_eq!(days, [("2026-11-27", "none"), ("2026-12-25", "sun")]);
        let [weekly, once, over] = found.maintenance.as_slice() else {
            panic!("{found:#?}")
        };
        assert!(weekly.active && !once.active && !over.active);
        assert_eq!(weekly.next_from.as_deref(), Some("2026-11-29T01:00:00Z"));
        assert_eq!(weekly.next_to.as_deref(), Some("2026-11-29T03:00:00Z"));
        assert_eq!(weekly.filter["psp"], [Some("a".to_owned()), None]);
        assert_eq!(
            (once.once, once.next_from.as_deref()),
            (true, Some("2026-12-01T22:00:00Z"))
        );
        assert_eq!(
            (over.next_from.as_deref(), over.next_to.as_deref()),
            (None, None)
        );
    }
}
