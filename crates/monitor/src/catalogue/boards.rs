//! Boards that people saved.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Catalogue;
use crate::MonitorError;

/// A board in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardEntry {
    /// Its name.
    pub name: String,
    /// Its title, as JSON.
    pub title: String,
    /// Which version of all that were ever saved: one that is higher was saved later, also of a board that was
    /// removed and made anew.
    pub version: i64,
    /// When it was saved last, in microseconds since the epoch.
    pub changed_at_us: i64,
    /// Who saved it last, where that is known.
    pub by: Option<String>,
}

/// A board that somebody saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedBoard {
    /// What a list shows of it.
    pub entry: BoardEntry,
    /// What was written, as JSON.
    pub written: String,
}

/// What must be so for a board to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardCondition {
    /// Nothing.
    Always,
    /// There is none of that name.
    Absent,
    /// There is one of that name.
    Present,
    /// It is one of these versions.
    Version(Vec<i64>),
}

impl BoardCondition {
    fn holds(&self, now: Option<&BoardEntry>) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => now.is_none(),
            Self::Present => now.is_some(),
            Self::Version(versions) => now.is_some_and(|now| versions.contains(&now.version)),
        }
    }
}

/// What became of the wish to save a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardSave {
    /// It is saved.
    Saved {
        /// As the list shows it now.
        entry: BoardEntry,
        /// Whether there was none of that name before.
        is_new: bool,
    },
    /// The condition did not hold; with what there is instead.
    Otherwise(Option<BoardEntry>),
    /// There are too many already.
    Full,
}

/// What became of the wish to remove a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardRemoval {
    /// It is removed.
    Removed,
    /// There was none.
    Unknown,
    /// The condition did not hold; with what there is instead.
    Otherwise(Option<BoardEntry>),
}

const ENTRY: &str = "name, title, version, changed_at_us, by_whom";

impl Catalogue {
    /// All boards, by name.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn boards(&self) -> Result<Vec<BoardEntry>, MonitorError> {
        self.read(|db| {
            let sql = format!("select {ENTRY} from boards order by name");
            let mut statement = db.prepare_cached(&sql)?;
            let entries = statement.query_map([], entry)?;
            Ok(entries.collect::<Result<_, _>>()?)
        })
    }

    /// The board of that name.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn board(&self, name: &str) -> Result<Option<SavedBoard>, MonitorError> {
        self.read(|db| {
            let sql = format!("select {ENTRY}, board from boards where name = ?1");
            let mut statement = db.prepare_cached(&sql)?;
            let board = statement.query_row([name], |row| {
                Ok(SavedBoard {
                    entry: entry(row)?,
                    written: row.get(5)?,
                })
            });
            Ok(board.optional()?)
        })
    }

    /// Saves a board instead of the one of its name, if there is one. `title` and `written` are JSON, `by` is who saves it. With
    /// `boards_max` of others there is no room for a new one.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn save_board(
        &self,
        name: &str,
        (title, written): (&str, &str),
        by: Option<&str>,
        condition: &BoardCondition,
        boards_max: usize,
        now_us: i64,
    ) -> Result<BoardSave, MonitorError> {
        self.write(|db| {
            let before = find(db, name)?;
            if !condition.holds(before.as_ref()) {
                return Ok(BoardSave::Otherwise(before));
            }
            let is_new = before.is_none();
            if is_new {
                let count: i64 = db.query_row("select count(*) from boards", [], |r| r.get(0))?;
                if usize::try_from(count).unwrap_or(usize::MAX) >= boards_max {
                    return Ok(BoardSave::Full);
                }
            }
            // A new row has a new version, higher than any before.
            db.prepare_cached("delete from boards where name = ?1")?
                .execute([name])?;
            db.prepare_cached(
                "insert into boards (name, title, board, changed_at_us, by_whom) values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![name, title, written, now_us, by])?;
            let entry = BoardEntry {
                name: name.to_owned(),
                title: title.to_owned(),
                version: db.last_insert_rowid(),
                changed_at_us: now_us,
                by: by.map(str::to_owned),
            };
            Ok(BoardSave::Saved { entry, is_new })
        })
    }

    /// Removes the board of that name.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn remove_board(
        &self,
        name: &str,
        condition: &BoardCondition,
    ) -> Result<BoardRemoval, MonitorError> {
        self.write(|db| {
            let before = find(db, name)?;
            if !condition.holds(before.as_ref()) {
                return Ok(BoardRemoval::Otherwise(before));
            }
            let removed = db
                .prepare_cached("delete from boards where name = ?1")?
                .execute([name])?;
            Ok(match removed {
                0 => BoardRemoval::Unknown,
                _ => BoardRemoval::Removed,
            })
        })
    }
}

fn find(db: &Connection, name: &str) -> Result<Option<BoardEntry>, MonitorError> {
    let sql = format!("select {ENTRY} from boards where name = ?1");
    let mut statement = db.prepare_cached(&sql)?;
    Ok(statement.query_row([name], entry).optional()?)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<BoardEntry> {
    Ok(BoardEntry {
        name: row.get(0)?,
        title: row.get(1)?,
        version: row.get(2)?,
        changed_at_us: row.get(3)?,
        by: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 3;

    fn save(catalogue: &Catalogue, name: &str, condition: &BoardCondition) -> BoardSave {
        let text = (r#"{"en":"T"}"#, r#"{"title":{"en":"T"}}"#);
        let saved = catalogue.save_board(name, text, Some("ann"), condition, MOST, 7);
        saved.unwrap()
    }

    fn version(save: BoardSave) -> i64 {
        match save {
            BoardSave::Saved { entry, .. } => entry.version,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_board_is_saved_read_replaced_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.sqlite");
        let catalogue = Catalogue::open(&path).unwrap();
        let first = save(&catalogue, "b", &BoardCondition::Always);
        let BoardSave::Saved { entry, is_new } = first else {
            panic!("{first:?}");
        };
        assert!(is_new);
        assert_eq!((entry.name.as_str(), entry.changed_at_us), ("b", 7));
        assert_eq!(entry.by.as_deref(), Some("ann"));
        let written = ("{}", "{\"x\":\"\u{0}' -- \\\"\"}");
        let again = catalogue.save_board("b", written, None, &BoardCondition::Always, MOST, 9);
        let BoardSave::Saved {
            entry: second,
            is_new,
        } = again.unwrap()
        else {
            panic!("it is not saved");
        };
        assert!(!is_new && second.version > entry.version && second.by.is_none());
        save(&catalogue, "a", &BoardCondition::Always);
        drop(catalogue);
        let catalogue = Catalogue::open(&path).unwrap();
        let names: Vec<_> = catalogue.boards().unwrap();
        let names: Vec<_> = names.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let found = catalogue.board("b").unwrap().unwrap();
        assert_eq!((found.entry, found.written.as_str()), (second, written.1));
        let always = BoardCondition::Always;
        assert_eq!(
            catalogue.remove_board("b", &always).unwrap(),
            BoardRemoval::Removed
        );
        assert_eq!(
            catalogue.remove_board("b", &always).unwrap(),
            BoardRemoval::Unknown
        );
        assert_eq!(catalogue.board("b").unwrap(), None);
    }

    #[test]
    fn a_condition_that_does_not_hold_changes_nothing() {
        let catalogue = Catalogue::in_memory().unwrap();
        let (absent, present) = (BoardCondition::Absent, BoardCondition::Present);
        assert_eq!(save(&catalogue, "b", &present), BoardSave::Otherwise(None));
        let first = version(save(&catalogue, "b", &absent));
        let refused = save(&catalogue, "b", &absent);
        let BoardSave::Otherwise(Some(now)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(now.version, first);
        let is_first = BoardCondition::Version(vec![first, 99]);
        let second = version(save(&catalogue, "b", &is_first));
        assert!(matches!(
            save(&catalogue, "b", &is_first),
            BoardSave::Otherwise(Some(_))
        ));
        let removal = catalogue.remove_board("b", &is_first).unwrap();
        assert!(matches!(removal, BoardRemoval::Otherwise(Some(now)) if now.version == second));
        // Who knows a board that was removed does not take the next of its name for it.
        let is_second = BoardCondition::Version(vec![second]);
        assert_eq!(
            catalogue.remove_board("b", &is_second).unwrap(),
            BoardRemoval::Removed
        );
        let third = version(save(&catalogue, "b", &absent));
        assert!(third > second);
        assert!(matches!(
            save(&catalogue, "b", &is_second),
            BoardSave::Otherwise(Some(_))
        ));
    }

    #[test]
    fn only_so_many_are_kept_and_each_can_still_be_changed() {
        let catalogue = Catalogue::in_memory().unwrap();
        for name in ["a", "b", "c"] {
            save(&catalogue, name, &BoardCondition::Always);
        }
        assert_eq!(
            save(&catalogue, "d", &BoardCondition::Always),
            BoardSave::Full
        );
        version(save(&catalogue, "c", &BoardCondition::Always));
        catalogue
            .remove_board("a", &BoardCondition::Always)
            .unwrap();
        version(save(&catalogue, "d", &BoardCondition::Always));
    }

    #[test]
    fn a_copy_has_the_boards_and_goes_on_with_higher_versions() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::in_memory().unwrap();
        let first = version(save(&catalogue, "b", &BoardCondition::Always));
        let last = version(save(&catalogue, "c", &BoardCondition::Always));
        catalogue
            .remove_board("c", &BoardCondition::Always)
            .unwrap();
        let path = folder.path().join("copy.sqlite");
        catalogue.copy_to(&path).unwrap();
        let copy = Catalogue::open(&path).unwrap();
        assert_eq!(copy.board("b").unwrap().unwrap().entry.version, first);
        assert!(version(save(&copy, "c", &BoardCondition::Always)) > last);
    }
}
