//! Where forecasts are computed and kept.
//!
//! They are computed by one thread, one after the other, so that however many are asked for, all of
//! them take one core at most and leave the threads of boards and monitors alone. A forecast holds
//! until another step is complete; events that come late to its history are taken up soon, but not
//! with each of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tillwatch_event::MemoryBudget;
use tokio::time::timeout;

use super::Forecast;
use super::learn::learn;
use super::question::{Plan, Question};
use crate::engine::{Cube, Engine};
use crate::error::AnalyseError;
use crate::limits::QueryLimits;
use crate::pool::WorkerPool;
use crate::reuse::{Reuse, ReuseStatus};
use crate::source::{Changing, CubeSource};

/// After so long it is looked again whether history has changed.
const GLANCE: Duration = Duration::from_secs(10);

/// The thread that forecasts, and the forecasts that are kept.
#[derive(Debug)]
pub(crate) struct Forecasts {
    pool: WorkerPool,
    kept: Reuse<Question, Forecast>,
    /// By cube: when its version was last looked at, and what it was.
    glances: Mutex<HashMap<String, (Instant, u64)>>,
}

impl Forecasts {
    pub(crate) fn new(limits: &QueryLimits, memory: &MemoryBudget) -> Result<Self, AnalyseError> {
        Ok(Self {
            pool: WorkerPool::start("tillwatch-forecasts", 1, 1, limits.waiting_max)?,
            kept: Reuse::new(limits.forecast_cache_bytes_max, memory),
            glances: Mutex::default(),
        })
    }

    /// How often forecasts were computed, and how often that was not needed.
    pub(crate) fn status(&self) -> ReuseStatus {
        self.kept.status()
    }

    fn glance<'a>(&self, cube: &'a Cube) -> Glance<'a> {
        let mut glances = self.glances.lock().unwrap_or_else(PoisonError::into_inner);
        let cube = cube.source.as_ref();
        let now = Instant::now();
        let (seen_at, version) = glances
            .entry(cube.name().to_owned())
            .or_insert_with(|| (now, cube.version()));
        if now.duration_since(*seen_at) >= GLANCE {
            (*seen_at, *version) = (now, cube.version());
        }
        Glance {
            cube,
            version: *version,
        }
    }
}

/// The forecast that a question asks for.
pub(crate) async fn forecast(
    engine: &Arc<Engine>,
    plan: &Plan<'_>,
) -> Result<Arc<Forecast>, AnalyseError> {
    let desk = &engine.forecasts;
    let deadline = engine.limits.deadline;
    let glance = desk.glance(plan.cube);
    let compute = || {
        let (engine, question) = (Arc::clone(engine), plan.question.clone());
        let work = async move { learn(&engine, &question).await };
        desk.pool.run(deadline, work)
    };
    let answer = desk.kept.answer(&plan.question, &glance, compute);
    // The time of those who wait for another's computation is bounded as well.
    timeout(deadline, answer)
        .await
        .unwrap_or_else(|_| Err(AnalyseError::late(deadline)))
}

/// A cube as it was when it was last looked at. Whether older buckets were joined makes no difference
/// to figures of whole steps.
struct Glance<'a> {
    cube: &'a dyn CubeSource,
    version: u64,
}

impl Changing for Glance<'_> {
    fn version(&self) -> u64 {
        self.version
    }

    fn changed_since(&self, version: u64) -> Option<(i64, i64)> {
        // What was computed later than the last look has everything that was seen then.
        (version < self.version)
            .then(|| self.cube.changed_since(version))
            .flatten()
    }

    fn reshaped(&self) -> (u64, i64) {
        (0, i64::MIN)
    }
}
