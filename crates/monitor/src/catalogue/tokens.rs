//! Access tokens: who may do what. Only their hashes are kept.

use rusqlite::{OptionalExtension, Row, params};

use super::{Catalogue, damaged};
use crate::MonitorError;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenRole {
    /// Sends events.
    Ingest,
    /// Looks at everything.
    Read,
    /// Looks, and does what people on call do.
    Operate,
    /// May do everything.
    Admin,
}

impl TokenRole {
    /// All of them, those that may less before the others.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Operate, Self::Admin];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A token to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Its name, which no other has that is not revoked.
    pub name: String,
    /// What it is for.
    pub role: TokenRole,
    /// The hash of the token.
    pub hash: [u8; 32],
    /// From when on it is not taken, in microseconds since the epoch.
    pub expires_at_us: Option<i64>,
}

/// A token that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptToken {
    /// Its number, which is never given twice.
    pub id: i64,
    /// What was made.
    pub token: NewToken,
    /// When it was made, in microseconds since the epoch.
    pub created_at_us: i64,
    /// When it was used last, about, in microseconds since the epoch.
    pub last_used_at_us: Option<i64>,
    /// When it was revoked, in microseconds since the epoch.
    pub revoked_at_us: Option<i64>,
}

impl KeptToken {
    /// Whether it is over at a time, in microseconds since the epoch.
    #[must_use]
    pub fn is_expired(&self, now_us: i64) -> bool {
        self.token.expires_at_us.is_some_and(|at| at <= now_us)
    }
}

/// What became of the wish to keep a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenCreation {
    /// It is kept.
    Created,
    /// There is one of that name.
    Taken,
    /// There are too many already.
    Full,
}

const SELECT: &str = "select id, name, role, hash, created_at_us, expires_at_us, last_used_at_us, revoked_at_us from tokens";

impl Catalogue {
    /// All tokens, by name, those that were revoked too: whoever still sends one is told so.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn tokens(&self) -> Result<Vec<KeptToken>, MonitorError> {
        self.read(|db| {
            let sql = format!("{SELECT} order by name, id");
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(kept(row)?);
            }
            Ok(found)
        })
    }

    /// Keeps a token. With `tokens_max` of others that are not revoked there is no room for it, and no more than as many
    /// revoked ones are remembered.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn create_token(
        &self,
        new: &NewToken,
        tokens_max: usize,
        now_us: i64,
    ) -> Result<TokenCreation, MonitorError> {
        self.write(|db| {
            let taken = db
                .prepare_cached("select 1 from tokens where name = ?1 and revoked_at_us is null")?
                .query_row([&new.name], |_| Ok(()))
                .optional()?;
            if taken.is_some() {
                return Ok(TokenCreation::Taken);
            }
            let sql = "select count(*) from tokens where revoked_at_us is null";
            let count: i64 = db.query_row(sql, [], |row| row.get(0))?;
            if usize::try_from(count).unwrap_or(usize::MAX) >= tokens_max {
                return Ok(TokenCreation::Full);
            }
            db.execute(
                "delete from tokens where revoked_at_us is not null and id not in
                 (select id from tokens where revoked_at_us is not null
                  order by revoked_at_us desc, id desc limit ?1)",
                [i64::try_from(tokens_max).unwrap_or(i64::MAX)],
            )?;
            db.execute(
                "insert into tokens (name, role, hash, created_at_us, expires_at_us)
                 values (?1, ?2, ?3, ?4, ?5)",
                params![
                    new.name,
                    new.role.name(),
                    new.hash,
                    now_us,
                    new.expires_at_us
                ],
            )?;
            Ok(TokenCreation::Created)
        })
    }

    /// Revokes the token of that name; false if there is none.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn revoke_token(&self, name: &str, now_us: i64) -> Result<bool, MonitorError> {
        self.write(|db| {
            let sql =
                "update tokens set revoked_at_us = ?2 where name = ?1 and revoked_at_us is null";
            Ok(db.execute(sql, params![name, now_us])? > 0)
        })
    }

    /// Notes when tokens were used last, each by its number.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn tokens_used(&self, used: &[(i64, i64)]) -> Result<(), MonitorError> {
        self.write(|db| {
            let sql = "update tokens set last_used_at_us = ?2 where id = ?1";
            let mut statement = db.prepare_cached(sql)?;
            for (id, at_us) in used {
                statement.execute([id, at_us])?;
            }
            Ok(())
        })
    }
}

fn kept(row: &Row<'_>) -> Result<KeptToken, MonitorError> {
    let role: String = row.get(2)?;
    let role = TokenRole::from_name(&role);
    Ok(KeptToken {
        id: row.get(0)?,
        token: NewToken {
            name: row.get(1)?,
            role: role.ok_or_else(|| damaged("role of a token", "there is none of that name"))?,
            hash: row.get(3)?,
            expires_at_us: row.get(5)?,
        },
        created_at_us: row.get(4)?,
        last_used_at_us: row.get(6)?,
        revoked_at_us: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str, role: TokenRole, hash: u8) -> NewToken {
        NewToken {
            name: name.to_owned(),
            role,
            hash: [hash; 32],
            expires_at_us: None,
        }
    }

    #[test]
    fn a_token_is_kept_used_and_revoked_and_another_process_sees_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.sqlite");
        let server = Catalogue::open(&path).unwrap();
        let command = Catalogue::open(&path).unwrap();
        let made = NewToken {
            expires_at_us: Some(100),
            ..new("ci", TokenRole::Ingest, 1)
        };
        let created = command.create_token(&made, 5, 7).unwrap();
        assert_eq!(created, TokenCreation::Created);
        let found = server.tokens().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0].token, found[0].created_at_us), (&made, 7));
        assert!(!found[0].is_expired(99) && found[0].is_expired(100));
        server.tokens_used(&[(found[0].id, 50), (999, 50)]).unwrap();
        assert_eq!(command.tokens().unwrap()[0].last_used_at_us, Some(50));
        assert!(command.revoke_token("ci", 60).unwrap());
        assert!(!command.revoke_token("ci", 61).unwrap());
        assert_eq!(server.tokens().unwrap()[0].revoked_at_us, Some(60));
    }

    #[test]
    fn a_name_is_free_again_once_its_token_is_revoked() {
        let catalogue = Catalogue::in_memory().unwrap();
        let create = |hash| {
            let new = new("ann", TokenRole::Admin, hash);
            catalogue.create_token(&new, 5, 1).unwrap()
        };
        assert_eq!(create(1), TokenCreation::Created);
        assert_eq!(create(2), TokenCreation::Taken);
        catalogue.revoke_token("ann", 2).unwrap();
        assert_eq!(create(2), TokenCreation::Created);
        assert_eq!(catalogue.tokens().unwrap().len(), 2);
    }

    #[test]
    fn only_so_many_are_kept_and_as_many_revoked_ones_remembered() {
        let catalogue = Catalogue::in_memory().unwrap();
        for (number, name) in (0_u8..).zip(["a", "b", "c", "d", "e"]) {
            let created = catalogue.create_token(&new(name, TokenRole::Read, number), 2, 1);
            assert_eq!(created.unwrap(), TokenCreation::Created);
            catalogue.revoke_token(name, i64::from(number)).unwrap();
        }
        for (name, expected) in [
            ("f", TokenCreation::Created),
            ("g", TokenCreation::Created),
            ("h", TokenCreation::Full),
        ] {
            let hash = name.as_bytes()[0];
            let created = catalogue.create_token(&new(name, TokenRole::Read, hash), 2, 9);
            assert_eq!(created.unwrap(), expected, "{name}");
        }
        let names: Vec<_> = catalogue.tokens().unwrap();
        let names: Vec<_> = names.iter().map(|kept| kept.token.name.as_str()).collect();
        assert_eq!(names, ["d", "e", "f", "g"]);
    }
}
