//! The definitions folder, as people read and change it over HTTP.

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::documents::{
    CalendarList, DefinitionChanged, DefinitionItem, DefinitionList, ProposalDocument,
};
use crate::problem::Problem;

/// Under which circumstances a definition is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Always.
    #[default]
    Always,
    /// If it is there.
    Present,
    /// If it is not there.
    Absent,
    /// If it is at one of these states, as told by its entity tags without their quotes.
    Tagged(Vec<String>),
}

impl Precondition {
    /// Whether it holds for what is at the state `now`, or is not there.
    #[must_use]
    pub fn holds(&self, now: Option<&str>) -> bool {
        match (self, now) {
            (Self::Always, _) | (Self::Present, Some(_)) | (Self::Absent, None) => true,
            (Self::Tagged(tags), Some(now)) => tags.iter().any(|tag| tag == now),
            _ => false,
        }
    }
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionPlace {
    /// A file, by its path in the folder.
    File(String),
    /// One definition.
    Item {
        /// Its section: `monitors`, `calendars` or `maintenance`.
        section: String,
        /// Its name.
        name: String,
    },
}

/// A change of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionChange {
    /// What is changed.
    pub place: DefinitionPlace,
    /// What it is to be; nothing to remove it.
    pub text: Option<String>,
    /// When.
    pub precondition: Precondition,
    /// Whether it is only checked.
    pub dry_run: bool,
}

/// A text with what tells it from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedText {
    /// The text.
    pub text: String,
    /// Its entity tag, without quotes.
    pub tag: String,
}

/// The beginning of a file that definitions are to be proposed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSample {
    /// Its bytes, still compressed if they were.
    pub bytes: Bytes,
    /// Whether these are all of it.
    pub whole: bool,
    /// The file's name.
    pub file_name: Option<String>,
    /// The stream's name.
    pub stream: Option<String>,
}

/// The definitions folder. Calls touch the disk, and are made off the async threads where they do not answer with a future.
pub trait Definitions: Send + Sync + 'static {
    /// The folder as it stands.
    ///
    /// # Errors
    /// A fault of ours.
    fn list(&self) -> Result<DefinitionList, Problem>;

    /// The text of a file, by its path in the folder.
    ///
    /// # Errors
    /// `unknown-definition`, or `conflict` where it cannot be shown.
    fn file(&self, file: &str) -> Result<TaggedText, Problem>;

    /// The text of a pack's file.
    ///
    /// # Errors
    /// `unknown-definition`.
    fn pack_file(&self, pack: &str, file: &str) -> Result<TaggedText, Problem>;

    /// One definition as it is written.
    ///
    /// # Errors
    /// `unknown-definition`, or `conflict` where it cannot be shown.
    fn item(&self, section: &str, name: &str) -> Result<DefinitionItem, Problem>;

    /// Changes the folder if all of it works afterwards, and waits a while until that is in force. Says whether there was
    /// nothing in that place before.
    ///
    /// # Errors
    /// `bad-definition` with all faults, `precondition-failed`, `unknown-definition`, `definitions-read-only`, `conflict`
    /// where it cannot be done safely, `journal-full`.
    fn change(
        &self,
        change: DefinitionChange,
    ) -> BoxFuture<'static, Result<(DefinitionChanged, bool), Problem>>;

    /// Calendars and maintenance windows of the definitions in force.
    ///
    /// # Errors
    /// A fault of ours.
    fn calendars(&self) -> Result<CalendarList, Problem>;

    /// Definitions that take the events of a file.
    ///
    /// # Errors
    /// `nothing-proposed`, `body-unreadable`.
    fn propose(&self, sample: &FileSample) -> Result<ProposalDocument, Problem>;
}
