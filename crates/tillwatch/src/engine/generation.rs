//! One set of definitions at work: from its plan to the services that answer by it.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use tillwatch_analyse::Analyst;
use tillwatch_collect::{Clock, Decoder, Downstream, Intake, IntakeError, SystemClock};
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_monitor::channel::{Courier, CourierOptions};
use tillwatch_monitor::watch::{Feed, Watch, WatchOptions};
use tillwatch_process::{Processor, RecoverRange};
use tillwatch_serve::Services;
use tillwatch_serve::adapters::{AnalystFigures, JournalCollector, WatchIncidents};
use tillwatch_serve::documents::{Board, Chart, Localized, Tile};
use tokio::runtime::Handle;

use super::figures::Figures;
use crate::definitions::shape::Title;
use crate::definitions::{Loaded, resolve::CsvShape};

/// Plans the definitions.
///
/// # Errors
/// They were checked before, so only what the check cannot see.
pub fn plan(loaded: &Loaded) -> Result<Processor> {
    let processor = Processor::new(
        loaded.streams.clone(),
        loaded.cubes.clone(),
        Arc::clone(&loaded.rates),
        loaded.limits.process.options(),
    )?;
    Ok(processor)
}

/// Puts a processor for other definitions in the place of the running one.
///
/// Most of the journal is replayed beside the running one; only what came in the meantime is replayed
/// while it waits.
///
/// # Errors
/// The journal is damaged, or the intake is stopping; the running one stays.
pub fn swap(intake: &Intake, loaded: &Loaded) -> Result<Arc<Processor>> {
    let processor = Arc::new(plan(loaded)?);
    let reader = intake.reader();
    let most = processor.recover(&reader, RecoverRange::default(), &|_| ())?;
    let next = Arc::clone(&processor);
    intake
        .replace_downstream(move |reader, upto| {
            let rest = RecoverRange {
                after: most.last,
                before: Some(upto),
            };
            next.recover(reader, rest, &|_| ())
                .map_err(anyhow::Error::from)?;
            Ok::<_, SwapError>(next as Arc<dyn Downstream>)
        })
        .map_err(|SwapError(error)| error)?;
    Ok(processor)
}

/// Carries any error out of the intake's thread.
struct SwapError(anyhow::Error);

impl From<IntakeError> for SwapError {
    fn from(error: IntakeError) -> Self {
        Self(error.into())
    }
}

impl From<anyhow::Error> for SwapError {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

/// One set of definitions at work.
pub struct Generation {
    processor: Arc<Processor>,
    decoders: HashMap<String, Arc<Decoder>>,
    watch: Arc<Watch>,
    courier: Arc<Courier>,
    services: Services,
}

impl Generation {
    /// Builds what answers, from a processor that holds everything in the journal.
    ///
    /// # Errors
    /// A part refuses its definitions.
    pub fn new(
        loaded: &Loaded,
        processor: Arc<Processor>,
        intake: &Arc<Intake>,
        catalogue: &Arc<Catalogue>,
        feed: &Feed,
        runtime: Handle,
    ) -> Result<Self> {
        let analyst = Arc::new(Analyst::new(
            &processor,
            &intake.reader(),
            loaded.metrics.clone(),
            loaded.limits.query.limits(),
        )?);
        let mut decoders = HashMap::new();
        for stream in &loaded.streams {
            let name = stream.schema.name.clone();
            let decoder = Decoder::new(Arc::clone(&stream.schema), loaded.limits.decode)
                .map_err(|error| anyhow!("stream '{name}': {error}"))?
                .with_csv(csv_options(loaded.csv.get(&name)));
            let decoder = Arc::new(decoder);
            decoders.insert(name, decoder);
        }
        let figures = Arc::new(Figures::new(
            Arc::clone(&analyst),
            Arc::clone(&processor),
            runtime,
        ));
        let channels: Vec<String> = loaded
            .channels
            .iter()
            .map(|channel| channel.name.clone())
            .collect();
        let watch = Arc::new(Watch::start(
            loaded.monitors.clone(),
            &channels,
            Arc::clone(catalogue),
            figures,
            feed.clone(),
            WatchOptions::default(),
            SystemClock.now_us(),
        )?);
        let courier = Arc::new(Courier::new(
            &loaded.channels,
            Arc::clone(catalogue),
            feed.clone(),
            CourierOptions::default(),
        )?);
        let order: Vec<String> = loaded
            .metrics
            .iter()
            .map(|metric| metric.name.clone())
            .collect();
        let collector = JournalCollector::new(
            Arc::clone(intake),
            Arc::clone(&processor),
            decoders.values().cloned(),
            &loaded.limits.http,
        );
        let services = Services {
            collector: Arc::new(collector),
            figures: Arc::new(AnalystFigures::new(
                Arc::clone(&analyst),
                Arc::clone(&processor),
                &order,
            )),
            incidents: Arc::new(WatchIncidents::new(Arc::clone(&watch))),
            boards: boards(loaded).into(),
        };
        Ok(Self {
            processor,
            decoders,
            watch,
            courier,
            services,
        })
    }

    /// What processes.
    #[must_use]
    pub fn processor(&self) -> &Arc<Processor> {
        &self.processor
    }

    /// The decoder of a stream.
    #[must_use]
    pub fn decoder(&self, stream: &str) -> Option<Arc<Decoder>> {
        self.decoders.get(stream).cloned()
    }

    /// What judges.
    #[must_use]
    pub fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    /// What announces.
    #[must_use]
    pub fn courier(&self) -> Arc<Courier> {
        Arc::clone(&self.courier)
    }

    /// What the server answers by.
    #[must_use]
    pub fn services(&self) -> Services {
        self.services.clone()
    }
}

/// The CSV options of a stream as `collect` takes them.
#[must_use]
pub fn csv_options(csv: Option<&CsvShape>) -> tillwatch_collect::CsvOptions {
    use tillwatch_collect::decode::Delimiter;
    let mut options = tillwatch_collect::CsvOptions::default();
    if let Some(csv) = csv {
        options.header = csv.header;
        options.delimiter = csv.delimiter.map_or(Delimiter::Whitespace, Delimiter::Byte);
    }
    options
}

fn boards(loaded: &Loaded) -> Vec<Board> {
    let titled = |title: Option<&Title>, metric: &str| match title {
        Some(title) => Localized {
            en: title.en.clone(),
            zh: title.zh.clone(),
        },
        None => Localized {
            en: spoken(metric),
            zh: None,
        },
    };
    loaded
        .boards
        .iter()
        .map(|item| Board {
            name: item.name.clone(),
            title: titled(Some(&item.value.title), &item.name),
            tiles: item
                .value
                .tiles
                .iter()
                .map(|tile| Tile {
                    metric: tile.metric.clone(),
                    title: titled(tile.title.as_ref(), &tile.metric),
                    filter: tile.filter.clone().into_iter().collect(),
                    good: tile.good.clone(),
                })
                .collect(),
            charts: item
                .value
                .charts
                .iter()
                .map(|chart| Chart {
                    metric: chart.metric.clone(),
                    by: chart.by.clone(),
                    title: titled(chart.title.as_ref(), &chart.metric),
                    window: chart
                        .window
                        .map(|window| window.0.as_secs())
                        .map(seconds_text),
                })
                .collect(),
            incidents: item.value.incidents,
        })
        .collect()
}

/// `payment_volume` as people say it: `Payment volume`.
fn spoken(name: &str) -> String {
    let mut text = name.replace('_', " ");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// Seconds as a duration text with the largest unit that fits.
fn seconds_text(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    units
        .iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit))
        .map_or_else(
            || format!("{seconds}s"),
            |(unit, name)| format!("{}{name}", seconds / unit),
        )
}
