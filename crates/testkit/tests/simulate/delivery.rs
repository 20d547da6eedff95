use std::collections::BTreeMap;

use tillwatch_testkit::simulate::{Delivery, SimulateError, Simulator, SimulatorConfig};

use crate::{HOUR_US, MONDAY_US, at_us, events, events_of, perfect, text};

fn delivered(delivery: Delivery) -> Simulator {
    Simulator::new(
        SimulatorConfig {
            events_per_day: 400_000,
            delivery,
            ..SimulatorConfig::default()
        },
        3,
    )
    .unwrap()
}

#[test]
fn a_perfect_delivery_is_in_order_and_without_repeats() {
    for (stream, events) in events(
        &perfect(400_000, 3),
        MONDAY_US + 9 * HOUR_US,
        MONDAY_US + 11 * HOUR_US,
    ) {
        assert!(events.is_sorted_by_key(at_us), "{stream}");
    }
}

#[test]
fn duplicates_come_at_their_rate_and_are_the_same_event() {
    let simulator = delivered(Delivery {
        duplicate_share: 0.05,
        ..Delivery::perfect()
    });
    let mut seen: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    let (mut all, mut again) = (0_u32, 0_u32);
    for event in events(&simulator, MONDAY_US, MONDAY_US + 3 * HOUR_US)
        .into_values()
        .flatten()
    {
        all += 1;
        if let Some(first) = seen.insert(text(&event, "event_id").to_owned(), event.clone()) {
            assert_eq!(first, event);
            again += 1;
        }
    }
    let share = f64::from(again) / f64::from(all - again);
    assert!((0.045..0.055).contains(&share), "{share}");
}

#[test]
fn out_of_order_and_late_events_come_at_their_rates_and_none_is_lost() {
    let window = (MONDAY_US + 9 * HOUR_US, MONDAY_US + 12 * HOUR_US);
    let simulator = delivered(Delivery {
        out_of_order_share: 0.1,
        out_of_order_s_max: 30,
        late_share: 0.01,
        late_s_max: 3600,
        ..Delivery::perfect()
    });
    let attempts = events_of(&simulator, "payments", window.0, window.1);
    let mut newest = 0;
    let (mut overtaken, mut late) = (0_u32, 0_u32);
    for event in &attempts {
        overtaken += u32::from(at_us(event) < newest);
        late += u32::from(at_us(event) < newest - 60_000_000);
        newest = newest.max(at_us(event));
    }
    let all = f64::from(u32::try_from(attempts.len()).unwrap());
    assert!(
        (0.06..0.13).contains(&(f64::from(overtaken) / all)),
        "{overtaken} of {all}"
    );
    assert!(
        (0.005..0.02).contains(&(f64::from(late) / all)),
        "{late} of {all}"
    );

    // What happened in the middle hour has all arrived by the end of the window.
    let middle = |events: &[serde_json::Value]| -> Vec<String> {
        let inside = |e: &&serde_json::Value| {
            (window.0 + HOUR_US..window.0 + 2 * HOUR_US).contains(&at_us(e))
        };
        let mut ids: Vec<String> = events
            .iter()
            .filter(inside)
            .map(|e| text(e, "event_id").to_owned())
            .collect();
        ids.sort_unstable();
        ids
    };
    let in_order = events_of(&perfect(400_000, 3), "payments", window.0, window.1);
    assert_eq!(middle(&attempts), middle(&in_order));
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let refused = |config: SimulatorConfig| Simulator::new(config, 1).unwrap_err();
    let usual = SimulatorConfig::default;
    assert_eq!(
        refused(SimulatorConfig {
            events_per_day: 0,
            ..usual()
        }),
        SimulateError::EventsPerDay(0)
    );
    let beyond = SimulateError::Share {
        name: "online_share",
        value: 1.5,
    };
    assert_eq!(
        refused(SimulatorConfig {
            online_share: 1.5,
            ..usual()
        }),
        beyond
    );
    let delivery = Delivery {
        late_s_max: 90_000,
        ..Delivery::perfect()
    };
    let beyond = SimulateError::Delay {
        name: "late_s_max",
        seconds: 90_000,
    };
    assert_eq!(
        refused(SimulatorConfig {
            delivery,
            ..usual()
        }),
        beyond
    );
    let delivery = Delivery {
        duplicate_share: f64::NAN,
        ..Delivery::perfect()
    };
    assert!(matches!(
        refused(SimulatorConfig {
            delivery,
            ..usual()
        }),
        SimulateError::Share {
            name: "duplicate_share",
            ..
        }
    ));
}
