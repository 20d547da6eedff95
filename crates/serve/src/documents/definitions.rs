//! The definitions folder as it is shown and changed, calendars, and definitions proposed for a file.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::WrittenBoard;

/// What a file of definitions holds: the names in each of its sections. One without names, as `limits`, has none here.
pub type Holdings = BTreeMap<String, Vec<String>>;

/// The definitions folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct DefinitionList {
    /// Whether its files can be changed here.
    pub writable: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What tells these files from others: 16 hexadecimal digits.
    pub digest: String,
    /// Whether these files are in force.
    pub in_force: bool,
    /// The folder's own files, by path.
    pub files: Vec<DefinitionFile>,
    /// The packs that they name.
    pub packs: Vec<DefinitionPack>,
    /// What is wrong with the folder as it stands; none when it works.
    pub faults: Vec<DefinitionFault>,
}

/// A file of the folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct DefinitionFile {
    /// Its path in the folder, with slashes.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// When it was changed last, RFC 3339.
    pub changed_at: Option<String>,
    /// What `If-Match` takes, in quotes; none when it cannot be read.
    pub etag: Option<String>,
    /// Why it cannot be read or changed here, if it cannot.
    pub reason: Option<String>,
    /// What it holds.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    pub holds: Holdings,
}

/// A pack that the folder names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct DefinitionPack {
    /// Its name.
    pub name: String,
    /// Its files.
    pub files: Vec<String>,
    /// What it holds.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    pub holds: Holdings,
}

/// One thing that is wrong with a folder of definitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DefinitionFault {
    /// The file, by its path in the folder; of a pack's, `pack:payments/…`; `sent` for a definition that is to be put into a file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub suggestion: Option<String>,
}

/// What came of a change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct DefinitionChanged {
    /// The file that was written or removed.
    pub file: String,
    /// The line of the definition in it, of a change to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What `If-Match` takes now for what was changed; none when it is gone.
    pub etag: Option<String>,
    /// What tells the folder's files from others.
    pub digest: String,
    /// Whether the change is in force.
    pub in_force: bool,
    /// Why not yet.
    pub reason: Option<String>,
    /// What would be wrong; always empty, as what is wrong is a problem document.
    pub faults: Vec<DefinitionFault>,
}

/// One definition as it is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct DefinitionItem {
    /// `monitors`, `calendars` or `maintenance`.
    pub section: String,
    /// Its name.
    pub name: String,
    /// The file of the folder it stands in.
    pub file: Option<String>,
    /// The pack it comes from.
    pub pack: Option<String>,
    /// The line of its name.
    pub line: u64,
    /// Its keys as they are written, comments included, without the indentation of its file.
    pub yaml: String,
    /// What `If-Match` takes, in quotes.
    pub etag: String,
    /// Whether it can be changed here.
    pub editable: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// Calendars and maintenance windows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct CalendarList {
    /// Calendars.
    pub calendars: Vec<CalendarDocument>,
    /// Maintenance windows.
    pub maintenance: Vec<MaintenanceDocument>,
}

/// A clock, and days that are unlike the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct CalendarDocument {
    /// Its name.
    pub name: String,
    /// The IANA name of its zone.
    pub zone: String,
    /// Days, in order.
    pub days: Vec<CalendarDay>,
    /// The monitors that go by it.
    pub used_by: Vec<String>,
}

/// A day that is unlike the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct CalendarDay {
    /// `YYYY-MM-DD`.
    pub day: String,
    /// The day of the week that it is like, `mon` to `sun`, or `none`.
    pub like: String,
}

/// A time in which nobody is told of incidents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct MaintenanceDocument {
    /// Its name.
    pub name: String,
    /// Begin as written: `HH:MM`, or a day and a time for a window that is once.
    pub from: String,
    /// End as written.
    pub to: String,
    /// The IANA name of the clock's zone.
    pub zone: String,
    /// The days it begins on, `mon` to `sun`; none when it is once, or on every day.
    pub days: Option<Vec<String>>,
    /// Whether it is once.
    pub once: bool,
    /// Only incidents at least this urgent.
    pub severity: Option<String>,
    /// Only incidents of these monitors; of all when there are none.
    pub monitors: Vec<String>,
    /// Only incidents of these metrics; of all when there are none.
    pub metrics: Vec<String>,
    /// Only incidents of slices with one of these values, by dimension; `null` is the dimension without a value.
    #[serde(rename = "where")]
    #[schema(value_type = BTreeMap<String, Vec<Option<String>>>)]
    pub filter: BTreeMap<String, Vec<Option<String>>>,
    /// Whether it lasts now.
    pub active: bool,
    /// When it begins next, or began if it lasts now, RFC 3339; none when it is over for good.
    pub next_from: Option<String>,
    /// When that ends.
    pub next_to: Option<String>,
}

/// Definitions that take the events of a file.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProposalDocument {
    /// The stream's name.
    pub stream: String,
    /// What the file is, in words.
    pub format: String,
    /// Lines looked at.
    pub lines: u64,
    /// Of these, how many the stream would reject.
    pub rejected: u64,
    /// The first of them, with their reasons.
    pub rejections: Vec<String>,
    /// Whether all of the file was looked at.
    pub whole: bool,
    /// A file of definitions: a stream, a cube and metrics, with comments that say why.
    pub yaml: String,
    /// The stream's fields.
    pub fields: Vec<ProposedField>,
    /// The field that tells events apart.
    pub id: Option<String>,
    /// The field that says when an event happened.
    pub time: String,
    /// What was not loaded, and why.
    pub left_out: Vec<String>,
    /// A board of the metrics, as `PUT /v1/boards/{name}` takes it once the definitions are in force.
    pub board: Option<ProposedBoard>,
}

/// A board that is proposed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProposedBoard {
    /// A name for it.
    pub name: String,
    /// The board.
    #[schema(value_type = WrittenBoard)]
    pub board: serde_json::Map<String, serde_json::Value>,
}

/// A field of a proposed stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProposedField {
    /// Its name.
    pub name: String,
    /// The column or key it is read from, when that has another name.
    pub from: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether events may lack it.
    pub optional: bool,
    /// Some values, card numbers masked.
    pub examples: Vec<String>,
}
