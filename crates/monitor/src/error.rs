//! What can go wrong in this crate.

/// Errors of monitors, the catalogue and channels.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The catalogue could not be read or written.
    #[error("catalogue: {0}")]
    Catalogue(#[from] rusqlite::Error),
    /// The catalogue was written by a newer version of this program.
    #[error("catalogue: schema version {found} is newer than {known}, which this version knows")]
    NewerSchema {
        /// Version found in the file.
        found: u32,
        /// Newest version this program knows.
        known: u32,
    },
    /// A row of the catalogue does not make sense.
    #[error("catalogue: {what} is damaged: {reason}")]
    Damaged {
        /// Which row and column.
        what: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// There is no incident of that id.
    #[error("there is no incident `{0}`")]
    UnknownIncident(String),
    /// The incident's state does not allow this.
    #[error("incident `{id}` is {state}, so it cannot be {wish}")]
    WrongState {
        /// The incident.
        id: String,
        /// Its state.
        state: &'static str,
        /// What was asked for, as a participle.
        wish: &'static str,
    },
    /// Two monitors or two channels of one name, or a monitor that notifies an unknown channel.
    #[error("{item}: {fault}")]
    Definition {
        /// `monitor <name>` or `channel <name>`.
        item: String,
        /// What is wrong.
        fault: crate::definition::DefinitionFault,
    },
    /// The figures of a monitor could not be had.
    #[error("{0}")]
    Figures(String),
    /// A back-test could not be made.
    #[error("{0}")]
    Backtest(String),
    /// The HTTP client of the channels could not be built.
    #[error("webhook client: {0}")]
    Client(String),
}

impl MonitorError {
    /// Whether the disk has no room for what was to be written.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let Self::Catalogue(rusqlite::Error::SqliteFailure(failure, _)) = self else {
            return false;
        };
        failure.code == rusqlite::ErrorCode::DiskFull
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_faults() {
        let failed =
            |code| MonitorError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!(failed(ffi::SQLITE_FULL).is_disk_full());
        assert!(!failed(ffi::SQLITE_IOERR).is_disk_full());
        assert!(!MonitorError::Figures("full".to_owned()).is_disk_full());
    }
}
