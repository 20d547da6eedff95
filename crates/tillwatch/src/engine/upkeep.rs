//! What a running server does about what it keeps when it is asked to: back up, verify, maintain.

use std::path::PathBuf;
use std::sync::Arc;

use tillwatch_collect::Intake;
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_process::Keeping;
use tillwatch_serve::App;

use super::backup::Backups;
use super::keeper::Keeper;
use super::maintenance::Maintenances;
use super::verify::Verifications;
use crate::definitions::Loaded;

/// All that can be asked for.
pub struct Upkeep {
    backups: Arc<Backups>,
    verifications: Arc<Verifications>,
    maintenances: Arc<Maintenances>,
}

impl Upkeep {
    /// For the data folder `data`, with backups into the folder `backups`. From here on `app` asks it.
    #[must_use]
    pub fn new(
        app: &App,
        data: PathBuf,
        backups: Option<PathBuf>,
        catalogue: Arc<Catalogue>,
    ) -> Self {
        let upkeep = Self {
            backups: Arc::new(Backups::new(backups, data, catalogue)),
            verifications: Arc::default(),
            maintenances: Arc::default(),
        };
        app.set_backup(Arc::clone(&upkeep.backups) as Arc<_>);
        app.set_verification(Arc::clone(&upkeep.verifications) as Arc<_>);
        app.set_maintenance(Arc::clone(&upkeep.maintenances) as Arc<_>);
        upkeep
    }

    /// What runs, once it does.
    pub fn go_on(
        &self,
        keeper: &Arc<Keeper>,
        intake: &Arc<Intake>,
        keeping: Keeping,
        loaded: &Loaded,
    ) {
        self.backups.go_on(keeper, intake, loaded);
        self.maintenances.go_on(keeper.handle());
        let journal = intake.reader();
        self.verifications.go_on(keeper.handle(), journal, keeping);
    }

    /// Who verifies.
    #[cfg(test)]
    pub(super) fn verifications(&self) -> &Arc<Verifications> {
        &self.verifications
    }

    /// Ends what reads for long. Maintenance ends with the keeper, and a backup by itself.
    pub async fn stop(&self) {
        let verifications = Arc::clone(&self.verifications);
        let stopped = tokio::task::spawn_blocking(move || verifications.stop());
        if stopped.await.is_err() {
            tracing::error!("stopping a verification panicked");
        }
    }
}
