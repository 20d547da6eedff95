//! Annotations: what people did or heard of that may be why a figure moved, such as a deployment.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Catalogue, from_json, to_json};
use crate::MonitorError;
use crate::figure::Slice;

/// An annotation as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotation {
    /// What it is of: a word such as `deployment`.
    pub kind: String,
    /// When it began, in microseconds since the epoch.
    pub at_us: i64,
    /// When it ended, in microseconds since the epoch; `None` for what takes no time.
    pub until_us: Option<i64>,
    /// One line.
    pub title: String,
    /// More, for who wants to know.
    pub text: Option<String>,
    /// Who wrote it.
    pub by: Option<String>,
    /// Where more is to be read.
    pub url: Option<String>,
    /// What of the traffic it concerns; the whole for all.
    pub slice: Slice,
}

/// An annotation that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptAnnotation {
    /// Its number, which no other ever has.
    pub id: i64,
    /// When it was written, in microseconds since the epoch.
    pub created_at_us: i64,
    /// What was written.
    pub annotation: Annotation,
}

/// Which annotations are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationFilter {
    /// Those that were not over at this time, in microseconds since the epoch.
    pub from_us: i64,
    /// Those that had begun before this time.
    pub to_us: i64,
    /// Those of this kind; of all where there is none.
    pub kind: Option<String>,
    /// At most so many, the latest.
    pub limit: usize,
}

const ALL: &str =
    "id, created_at_us, kind, at_us, until_us, title, text, by_whom, url, slice, request_key";

impl Catalogue {
    /// Keeps an annotation. Where one was written with the same `key` before, that is what there is, and nothing is
    /// added; the second value says so by `false`. Of more than `kept_max` those that began first are forgotten.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn annotate(
        &self,
        annotation: &Annotation,
        key: Option<&str>,
        kept_max: usize,
        now_us: i64,
    ) -> Result<(KeptAnnotation, bool), MonitorError> {
        self.write(|db| {
            if let Some(key) = key {
                let sql = format!("select {ALL} from annotations where request_key = ?1");
                let mut statement = db.prepare_cached(&sql)?;
                let found = statement.query_row([key], |row| Ok(kept(row)));
                if let Some(found) = found.optional()?.transpose()? {
                    return Ok((found, false));
                }
            }
            db.prepare_cached(
                "insert into annotations
                     (created_at_us, kind, at_us, until_us, title, text, by_whom, url, slice, request_key)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                now_us,
                annotation.kind,
                annotation.at_us,
                annotation.until_us,
                annotation.title,
                annotation.text,
                annotation.by,
                annotation.url,
                to_json("slice", &annotation.slice)?,
                key,
            ])?;
            let id = db.last_insert_rowid();
            forget(db, id, kept_max)?;
            let annotation = annotation.clone();
            let kept = KeptAnnotation {
                id,
                created_at_us: now_us,
                annotation,
            };
            Ok((kept, true))
        })
    }

    /// The latest annotations that have something in common with a stretch of time, the first of them first.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn annotations(
        &self,
        filter: &AnnotationFilter,
    ) -> Result<Vec<KeptAnnotation>, MonitorError> {
        self.read(|db| {
            let sql = format!(
                "select {ALL} from annotations
                 where at_us < ?2 and coalesce(until_us, at_us) >= ?1 and (?3 is null or kind = ?3)
                 order by at_us desc, id desc limit ?4"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
            let mut rows =
                statement.query(params![filter.from_us, filter.to_us, filter.kind, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(kept(row)?);
            }
            found.reverse();
            Ok(found)
        })
    }

    /// Takes an annotation away; false if there is none of that number.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn remove_annotation(&self, id: i64) -> Result<bool, MonitorError> {
        self.write(|db| Ok(db.execute("delete from annotations where id = ?1", [id])? > 0))
    }
}

/// Forgets what began first, beyond so many, and never the one that was just written.
fn forget(db: &Connection, written: i64, kept_max: usize) -> Result<(), MonitorError> {
    let count: i64 = db.query_row("select count(*) from annotations", [], |row| row.get(0))?;
    let beyond = count.saturating_sub(i64::try_from(kept_max).unwrap_or(i64::MAX));
    if beyond > 0 {
        db.execute(
            "delete from annotations where id in
                 (select id from annotations where id <> ?1 order by at_us, id limit ?2)",
            [written, beyond],
        )?;
    }
    Ok(())
}

fn kept(row: &Row<'_>) -> Result<KeptAnnotation, MonitorError> {
    let slice: String = row.get(9)?;
    Ok(KeptAnnotation {
        id: row.get(0)?,
        created_at_us: row.get(1)?,
        annotation: Annotation {
            kind: row.get(2)?,
            at_us: row.get(3)?,
            until_us: row.get(4)?,
            title: row.get(5)?,
            text: row.get(6)?,
            by: row.get(7)?,
            url: row.get(8)?,
            slice: from_json("slice", &slice)?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_us: i64, until_us: Option<i64>, title: &str) -> Annotation {
        Annotation {
            kind: "deployment".to_owned(),
            at_us,
            until_us,
            title: title.to_owned(),
            slice: Slice::from_iter([("psp", Some("adyen"))]),
            ..Annotation::default()
        }
    }

    fn titles(catalogue: &Catalogue, from_us: i64, to_us: i64, limit: usize) -> Vec<String> {
        let filter = AnnotationFilter {
            from_us,
            to_us,
            kind: None,
            limit,
        };
        let found = catalogue.annotations(&filter).unwrap();
        found.into_iter().map(|one| one.annotation.title).collect()
    }

    #[test]
    fn those_of_a_stretch_are_found_also_where_they_only_reach_into_it() {
        let catalogue = Catalogue::in_memory().unwrap();
        for one in [
            at(10, None, "before"),
            at(5, Some(20), "reaches in"),
            at(20, None, "first"),
            at(29, Some(90), "reaches out"),
            at(30, None, "after"),
        ] {
            catalogue.annotate(&one, None, 9, 1).unwrap();
        }
        let inside = ["reaches in", "first", "reaches out"];
        assert_eq!(titles(&catalogue, 20, 30, 9), inside);
        assert_eq!(titles(&catalogue, 20, 30, 2), ["first", "reaches out"]);
        let of = |kind: &str| AnnotationFilter {
            from_us: 0,
            to_us: 99,
            kind: Some(kind.to_owned()),
            limit: 9,
        };
        assert_eq!(catalogue.annotations(&of("deployment")).unwrap().len(), 5);
        assert_eq!(catalogue.annotations(&of("campaign")).unwrap(), []);
    }

    #[test]
    fn what_is_sent_again_under_its_key_is_kept_once_and_a_number_is_never_given_twice() {
        let catalogue = Catalogue::in_memory().unwrap();
        let one = at(10, None, "release 7");
        let (first, is_new) = catalogue.annotate(&one, Some("k"), 9, 1).unwrap();
        assert!(is_new);
        let other = at(11, None, "release 7, again");
        let again = catalogue.annotate(&other, Some("k"), 9, 2).unwrap();
        assert_eq!(again, (first.clone(), false));
        assert!(catalogue.remove_annotation(first.id).unwrap());
        assert!(!catalogue.remove_annotation(first.id).unwrap());
        let (second, is_new) = catalogue.annotate(&one, Some("k"), 9, 3).unwrap();
        assert!(is_new && second.id > first.id);
        assert_eq!(second.annotation, one);
    }

    #[test]
    fn of_too_many_those_that_began_first_are_forgotten_and_never_the_new_one() {
        let catalogue = Catalogue::in_memory().unwrap();
        for (at_us, title) in [(30, "c"), (10, "a"), (20, "b")] {
            catalogue
                .annotate(&at(at_us, None, title), None, 3, 1)
                .unwrap();
        }
        assert_eq!(titles(&catalogue, 0, 99, 9), ["a", "b", "c"]);
        catalogue.annotate(&at(5, None, "old"), None, 3, 1).unwrap();
        assert_eq!(titles(&catalogue, 0, 99, 9), ["old", "b", "c"]);
    }
}
