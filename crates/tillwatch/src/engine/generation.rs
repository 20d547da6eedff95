//! One set of definitions at work: from its plan to the services that answer by it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyhow::{Result, anyhow};
use indicatif::HumanCount;
use tillwatch_analyse::Analyst;
use tillwatch_collect::{Clock, Decoder, Downstream, Intake, IntakeError, SystemClock};
use tillwatch_journal::Offset;
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_monitor::channel::{ChannelState, Courier, CourierOptions};
use tillwatch_monitor::watch::{Feed, Watch, WatchOptions};
use tillwatch_process::{Keeping, Processor, RecoverRange, StreamStatus};
use tillwatch_serve::Services;
use tillwatch_serve::adapters::{
    AnalystFigures, BoardDefinitions, JournalCollector, KeptAnnotations, KeptBoards,
    MonitorDefinitions, PastMonitors, WatchIncidents,
};
use tillwatch_serve::documents::ChannelStatus;
use tokio::runtime::Handle;

use super::figures::Figures;
use crate::definitions::{Loaded, resolve::CsvShape};

/// Plans the definitions.
///
/// # Errors
/// They were checked before, so only what the check cannot see.
pub fn plan(loaded: &Loaded) -> Result<Processor> {
    let limits = &loaded.limits;
    let options = limits.history.options(limits.process_options());
    let processor = Processor::new(
        loaded.streams.clone(),
        loaded.cubes.clone(),
        Arc::clone(&loaded.rates),
        options,
    )?;
    Ok(processor)
}

/// A processor for other definitions that holds what the running one held when it was prepared.
pub struct Successor {
    processor: Arc<Processor>,
    last: Option<Offset>,
}

impl Successor {
    /// Takes up history and replays the rest of the journal beside the running processor, whose history
    /// nobody writes meanwhile. Cubes that are new are filled from the events.
    ///
    /// # Errors
    /// The journal or history is damaged, or holds events that the running definitions read and these do not.
    pub fn prepare(
        intake: &Intake,
        loaded: &Loaded,
        running: &Processor,
        keeping: Keeping,
    ) -> Result<Self> {
        let processor = Arc::new(plan(loaded)?);
        processor.attach(keeping, &|_| ())?;
        // No further than the running one: the journal may hold more, which is still on its way.
        let range = RecoverRange {
            before: Some(intake.applied_to()),
            ..RecoverRange::default()
        };
        let report = processor.recover(&intake.reader(), range, &|_| ())?;
        check_fit(&processor, running)?;
        Ok(Self {
            processor,
            last: report.last,
        })
    }

    /// What it will process by.
    #[must_use]
    pub fn processor(&self) -> &Arc<Processor> {
        &self.processor
    }

    /// Takes the place of the running processor, which waits while what came since is replayed.
    ///
    /// # Errors
    /// As [`Self::prepare`], or the intake is stopping; the running one stays.
    pub fn take_place(self, intake: &Intake, running: Arc<Processor>) -> Result<()> {
        intake
            .replace_downstream(move |reader, upto| {
                let rest = RecoverRange {
                    after: self.last,
                    before: Some(upto),
                    ..RecoverRange::default()
                };
                self.processor
                    .recover(reader, rest, &|_| ())
                    .map_err(anyhow::Error::from)?;
                check_fit(&self.processor, &running)?;
                Ok::<_, SwapError>(self.processor as Arc<dyn Downstream>)
            })
            .map_err(|SwapError(error)| error)
    }
}

/// Refuses definitions by which acknowledged events would vanish from the figures.
fn check_fit(next: &Processor, running: &Processor) -> Result<()> {
    let faults: Vec<String> = next
        .streams()
        .iter()
        .filter_map(|stream| {
            let before = running
                .stream(stream.name())
                .map_or(0, |stream| stream.status().failed);
            let status = stream.status();
            (status.failed > before).then(|| unfit(&status))
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(anyhow!("{}", faults.join("; ")))
    }
}

/// What is said of a stream whose older events cannot be read by its definition.
#[must_use]
pub fn unfit(status: &StreamStatus) -> String {
    format!(
        "stream '{}': {} events in the journal cannot be counted: {}",
        status.name,
        HumanCount(status.failed),
        status.failed_reason.as_deref().unwrap_or("unknown reason"),
    )
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

/// Everything one set of definitions needs except what judges: it changes nothing until it is started.
pub struct Parts {
    loaded: Arc<Loaded>,
    processor: Arc<Processor>,
    decoders: HashMap<String, Arc<Decoder>>,
    figures: Arc<Figures>,
    courier: Arc<Courier>,
    collector: Arc<JournalCollector>,
    answers: Arc<AnalystFigures>,
    incidents: Incidents,
}

/// What all generations of a running server tell of incidents by.
pub struct Incidents {
    /// Where they are kept.
    pub catalogue: Arc<Catalogue>,
    /// Who is told of their changes.
    pub feed: Feed,
    /// Settings of what judges.
    pub options: WatchOptions,
    /// How many back-tests are running.
    pub backtests: Arc<AtomicUsize>,
}

impl Parts {
    /// Builds the parts around a processor.
    ///
    /// # Errors
    /// A part refuses its definitions.
    pub fn new(
        loaded: Arc<Loaded>,
        processor: Arc<Processor>,
        intake: &Arc<Intake>,
        incidents: Incidents,
        runtime: Handle,
    ) -> Result<Self> {
        let analyst = Arc::new(Analyst::sharing(
            &processor,
            &intake.reader(),
            loaded.metrics.clone(),
            loaded.limits.query.limits(),
            intake.memory(),
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
        let courier = Arc::new(Courier::new(
            &loaded.announce.channels,
            Arc::clone(&incidents.catalogue),
            incidents.feed.clone(),
            CourierOptions::default(),
        )?);
        let order: Vec<String> = loaded
            .metrics
            .iter()
            .map(|metric| metric.name.clone())
            .collect();
        let collector = Arc::new(JournalCollector::new(
            Arc::clone(intake),
            Arc::clone(&processor),
            decoders.values().cloned(),
            &loaded.limits.http,
        ));
        let answers = Arc::new(AnalystFigures::new(
            Arc::clone(&analyst),
            Arc::clone(&processor),
            &order,
        ));
        let figures = Arc::new(Figures::new(analyst, Arc::clone(&processor), runtime));
        Ok(Self {
            loaded,
            processor,
            decoders,
            figures,
            courier,
            collector,
            answers,
            incidents,
        })
    }
}

/// One set of definitions at work.
pub struct Generation {
    parts: Arc<Parts>,
    watch: Arc<Watch>,
    services: Services,
}

impl Generation {
    /// Takes up the incidents of the catalogue; those of monitors that are gone or changed are
    /// closed. Nobody else may judge from here on.
    ///
    /// # Errors
    /// The catalogue cannot be read or written.
    pub fn start(parts: Arc<Parts>) -> Result<Self> {
        let loaded = &parts.loaded;
        let watch = Arc::new(Watch::start(
            loaded.monitors.clone(),
            loaded.announce.clone(),
            Arc::clone(&parts.incidents.catalogue),
            Arc::clone(&parts.figures) as Arc<_>,
            parts.incidents.feed.clone(),
            parts.incidents.options.clone(),
            SystemClock.now_us(),
        )?);
        let backtests = PastMonitors::new(
            Arc::clone(loaded) as Arc<dyn MonitorDefinitions>,
            Arc::clone(&parts.figures) as Arc<_>,
            Arc::clone(&parts.incidents.catalogue),
            loaded.limits.monitor.backtests(),
            Arc::clone(&parts.incidents.backtests),
        );
        let boards = KeptBoards::new(
            Arc::clone(loaded) as Arc<dyn BoardDefinitions>,
            Arc::clone(&parts.incidents.catalogue),
            &loaded.limits.http,
        );
        let annotations =
            KeptAnnotations::new(Arc::clone(&parts.incidents.catalogue), &loaded.limits.http);
        let services = Services {
            collector: Arc::clone(&parts.collector) as Arc<_>,
            figures: Arc::clone(&parts.answers) as Arc<_>,
            incidents: Arc::new(WatchIncidents::new(Arc::clone(&watch))),
            backtests: Arc::new(backtests),
            annotations: Arc::new(annotations),
            boards: Arc::new(boards),
        };
        Ok(Self {
            parts,
            watch,
            services,
        })
    }

    /// The same definitions, taking up the incidents of the catalogue anew.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn again(&self) -> Result<Self> {
        Self::start(Arc::clone(&self.parts))
    }

    /// The same, shared.
    #[must_use]
    pub fn definitions(&self) -> &Arc<Loaded> {
        &self.parts.loaded
    }

    /// The definitions.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.parts.loaded
    }

    /// What processes.
    #[must_use]
    pub fn processor(&self) -> &Arc<Processor> {
        &self.parts.processor
    }

    /// The decoder of a stream.
    #[must_use]
    pub fn decoder(&self, stream: &str) -> Option<Arc<Decoder>> {
        self.parts.decoders.get(stream).cloned()
    }

    /// What judges.
    #[must_use]
    pub fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    /// What announces.
    #[must_use]
    pub fn courier(&self) -> Arc<Courier> {
        Arc::clone(&self.parts.courier)
    }

    /// What the server answers by.
    #[must_use]
    pub fn services(&self) -> Services {
        self.services.clone()
    }
}

/// The channels as the status shows them.
#[must_use]
pub fn channels(courier: &Courier) -> Vec<ChannelStatus> {
    let time = |at_us: Option<i64>| tillwatch_event::time::rfc3339(at_us?);
    let status = |state: ChannelState| ChannelStatus {
        name: state.name,
        kind: state.kind.to_owned(),
        pending: state.delivery.pending,
        last_delivered_at: time(state.delivery.delivered_at_us),
        last_failed_at: time(state.delivery.failed_at_us),
        error: state.delivery.error,
    };
    courier.states().into_iter().map(status).collect()
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
