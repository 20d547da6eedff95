//! Definitions of detectors, from what is written of them.

use std::time::Duration;

use tillwatch_monitor::definition::{
    AutoDetect, CountDetect, DefinitionFault, Detect, RateDetect, SeasonalDetect, Sensitivity,
    SilenceDetect, ThresholdDetect,
};

use super::fault::Fault;
use super::folder::{Folder, Item};
use super::shape;

/// A monitor's detector.
///
/// # Errors
/// A word that stands for nothing. What is wrong with `over` is among `faults`.
pub fn detector(
    folder: &Folder,
    item: &Item<shape::Monitor>,
    faults: &mut Vec<Fault>,
) -> Result<Detect, DefinitionFault> {
    let over = over(folder, item, faults);
    match &item.value.detect {
        shape::Detect::Threshold(threshold) => {
            Ok(Detect::Threshold(threshold_detect(threshold, over)))
        }
        // A share is tested over trailing stretches anyway; this is the longest.
        shape::Detect::Rate(rate) => rate_detect(rate).map(|detect| {
            let window = over.unwrap_or(detect.window);
            Detect::Rate(RateDetect { window, ..detect })
        }),
        shape::Detect::Count(count) => count_detect(count).map(|detect| {
            let window = over.unwrap_or(detect.window);
            Detect::Count(CountDetect { window, ..detect })
        }),
        shape::Detect::Silence(silence) => silence_detect(silence).map(|detect| {
            let window = over.unwrap_or(detect.window);
            Detect::Silence(SilenceDetect { window, ..detect })
        }),
        shape::Detect::Seasonal(seasonal) => {
            seasonal_detect(seasonal, SeasonalDetect::default()).map(Detect::Seasonal)
        }
        shape::Detect::Change(change) => {
            seasonal_detect(change, SeasonalDetect::default()).map(Detect::Change)
        }
        shape::Detect::Forecast(forecast) => {
            seasonal_detect(forecast, SeasonalDetect::forecast()).map(Detect::Forecast)
        }
        shape::Detect::Auto(auto) => Ok(Detect::Auto(AutoDetect {
            sensitivity: sensitivity(auto.sensitivity.as_deref())?,
        })),
    }
}

/// The trailing window of a monitor, if it has one that can be judged.
fn over(folder: &Folder, item: &Item<shape::Monitor>, faults: &mut Vec<Fault>) -> Option<Duration> {
    let over = item.value.over?.0;
    let path = ["monitors", item.name.as_str(), "over"];
    let (window, least, name) = match &item.value.detect {
        shape::Detect::Threshold(threshold) => (threshold.window, 1, "threshold"),
        shape::Detect::Rate(rate) => (rate.window, 10, "rate"),
        shape::Detect::Count(count) => (count.window, 10, "count"),
        shape::Detect::Silence(silence) => (silence.window, 60, "silence"),
        shape::Detect::Seasonal(_) => (None, 10, "seasonal"),
        shape::Detect::Change(_) => (None, 10, "change"),
        shape::Detect::Forecast(_) => (None, 10, "forecast"),
        shape::Detect::Auto(_) => (None, 10, "auto"),
    };
    let mut fault = |message: String, instead: Option<String>| {
        faults.push(folder.fault(item.file, &path, message).suggest(instead));
    };
    let instead = match item.value.detect {
        shape::Detect::Auto(_) => Some("leave `over` out, or name the detector"),
        shape::Detect::Seasonal(_) | shape::Detect::Change(_) | shape::Detect::Forecast(_) => {
            Some("leave `over` out; `window` says how much is judged at once")
        }
        _ => None,
    };
    if let Some(instead) = instead {
        fault(
            format!("`{name}` judges no trailing window"),
            Some(instead.to_owned()),
        );
        return None;
    }
    if window.is_some() {
        fault(
            format!("`over` stands for `window`, which `{name}` has as well"),
            Some("leave one of them out".to_owned()),
        );
        return None;
    }
    if over < Duration::from_secs(least) || over > Duration::from_secs(86_400) {
        fault(format!("must be between {least}s and 24h"), None);
        return None;
    }
    let metric = (folder.metrics.iter()).find(|metric| metric.name == item.value.metric);
    let cube =
        metric.and_then(|metric| (folder.cubes.iter()).find(|cube| cube.name == metric.value.of));
    // A metric or cube that is missing has a fault of its own.
    let bucket = cube.map_or(Duration::ZERO, |cube| cube.value.bucket.0);
    if bucket.is_zero() || over.as_nanos() % bucket.as_nanos() == 0 {
        return Some(over);
    }
    let buckets = u32::try_from(over.as_nanos() / bucket.as_nanos()).unwrap_or(u32::MAX - 1);
    let whole = |count: u32| format!("{}s", bucket.saturating_mul(count).as_secs_f64());
    let instead = match buckets {
        0 => format!("use {}", whole(1)),
        _ => format!("use {} or {}", whole(buckets), whole(buckets + 1)),
    };
    fault(
        format!("is no multiple of the cube's bucket of {}", whole(1)),
        Some(instead),
    );
    None
}

fn threshold_detect(written: &shape::Threshold, over: Option<Duration>) -> ThresholdDetect {
    let default = ThresholdDetect::default();
    ThresholdDetect {
        above: written.above,
        below: written.below,
        min_samples: written.min_samples.unwrap_or(default.min_samples),
        window: written.window.map_or(default.window, |text| text.0),
        over,
        resolve_margin: written.resolve_margin.unwrap_or(default.resolve_margin),
    }
}

fn rate_detect(written: &shape::Rate) -> Result<RateDetect, DefinitionFault> {
    let default = RateDetect::default();
    Ok(RateDetect {
        sensitivity: sensitivity(written.sensitivity.as_deref())?,
        min_samples: written.min_samples.unwrap_or(default.min_samples),
        window: written.window.map_or(default.window, |text| text.0),
        history: written.history.map_or(default.history, |text| text.0),
        min_change: written.min_change.unwrap_or(default.min_change),
    })
}

fn count_detect(written: &shape::Count) -> Result<CountDetect, DefinitionFault> {
    let default = CountDetect::default();
    Ok(CountDetect {
        sensitivity: sensitivity(written.sensitivity.as_deref())?,
        min_samples: written.min_samples.unwrap_or(default.min_samples),
        window: written.window.map_or(default.window, |text| text.0),
        history: written.history.map_or(default.history, |text| text.0),
        min_change: written.min_change.unwrap_or(default.min_change),
    })
}

fn silence_detect(written: &shape::Silence) -> Result<SilenceDetect, DefinitionFault> {
    let default = SilenceDetect::default();
    Ok(SilenceDetect {
        sensitivity: sensitivity(written.sensitivity.as_deref())?,
        window: written.window.map_or(default.window, |text| text.0),
        history: written.history.map_or(default.history, |text| text.0),
    })
}

fn seasonal_detect(
    written: &shape::Seasonal,
    default: SeasonalDetect,
) -> Result<SeasonalDetect, DefinitionFault> {
    Ok(SeasonalDetect {
        sensitivity: sensitivity(written.sensitivity.as_deref())?,
        window: written.window.map_or(default.window, |text| text.0),
        history: written.history.map_or(default.history, |text| text.0),
        min_change: written.min_change.unwrap_or(default.min_change),
    })
}

fn sensitivity(written: Option<&str>) -> Result<Sensitivity, DefinitionFault> {
    written.map_or(Ok(Sensitivity::default()), Sensitivity::parse)
}
