//! What roles may do, and who calls.

use tillwatch_monitor::catalogue::TokenRole;
use tokio_util::sync::CancellationToken;

use crate::problem::{Problem, Slug};

/// Something that a call needs to be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Look at figures, events, incidents and the state of the server.
    Read,
    /// Send events.
    Ingest,
    /// What people on call do: incidents, silences, boards, the quarantine.
    Operate,
    /// Write definitions.
    Define,
    /// Back up, verify and maintain.
    Administer,
}

impl Right {
    /// All of them, in the order that callers are told them.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Ingest,
        Self::Operate,
        Self::Define,
        Self::Administer,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ingest => "ingest",
            Self::Operate => "operate",
            Self::Define => "define",
            Self::Administer => "administer",
        }
    }

    /// Whether a role has it.
    #[must_use]
    pub fn is_of(self, role: TokenRole) -> bool {
        match role {
            TokenRole::Ingest => self == Self::Ingest,
            TokenRole::Read => self == Self::Read,
            TokenRole::Operate => matches!(self, Self::Read | Self::Ingest | Self::Operate),
            TokenRole::Admin => true,
        }
    }

    /// The least role that has it.
    fn least_role(self) -> TokenRole {
        TokenRole::ALL
            .into_iter()
            .find(|role| self.is_of(*role))
            .unwrap_or(TokenRole::Admin)
    }
}

/// Who calls: what is known of them by their token. Handlers find it among the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Whether the server asks for a token.
    pub(crate) required: bool,
    /// The token's name; one of the environment has none.
    pub(crate) name: Option<String>,
    pub(crate) role: TokenRole,
    /// When the token is over, in microseconds since the epoch.
    pub(crate) expires_at_us: Option<i64>,
    /// Cancelled when the token is revoked or over: what lasts for longer than a call ends then.
    pub(crate) over: CancellationToken,
}

impl Caller {
    /// Somebody whom nothing is known of and who may do everything: the server asks for no token, or the token is one of
    /// the environment.
    pub(crate) fn trusted(required: bool) -> Self {
        Self {
            required,
            name: None,
            role: TokenRole::Admin,
            expires_at_us: None,
            over: CancellationToken::new(),
        }
    }

    /// Whether they may do what a call does.
    pub(crate) fn check(&self, right: Right) -> Result<(), Problem> {
        if right.is_of(self.role) {
            return Ok(());
        }
        let (has, needs) = (self.role.name(), right.least_role().name());
        let detail = format!(
            "This call needs a token of the role '{needs}' (or one that may more), and this token has the role '{has}'."
        );
        Err(Problem::new(Slug::RoleInsufficient, detail)
            .with("role", has)
            .with("role_needed", needs))
    }

    /// Who does something: whom the call names, or the token.
    pub(crate) fn acting(&self, named: Option<String>) -> Option<String> {
        named
            .filter(|name| !name.trim().is_empty())
            .or_else(|| self.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_it_is_for_and_no_more() {
        let may = |role| {
            let rights = Right::ALL.into_iter().filter(|right| right.is_of(role));
            rights.map(Right::name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(may(TokenRole::Ingest), "ingest");
        assert_eq!(may(TokenRole::Read), "read");
        assert_eq!(may(TokenRole::Operate), "read ingest operate");
        assert_eq!(
            may(TokenRole::Admin),
            "read ingest operate define administer"
        );
    }

    #[test]
    fn a_refusal_names_the_role_that_is_needed_and_the_one_there_is() {
        let caller = Caller {
            role: TokenRole::Read,
            ..Caller::trusted(true)
        };
        caller.check(Right::Read).unwrap();
        let refused = caller.check(Right::Operate).unwrap_err();
        assert_eq!(refused.slug(), Slug::RoleInsufficient);
        let detail = refused.detail();
        assert!(
            detail.contains("'operate'") && detail.contains("'read'"),
            "{detail}"
        );
        for (right, role) in [(Right::Ingest, "ingest"), (Right::Define, "admin")] {
            let refused = caller.check(right).unwrap_err();
            assert!(refused.detail().contains(&format!("'{role}'")));
        }
    }

    #[test]
    fn the_token_has_acted_where_the_call_names_nobody() {
        let caller = Caller {
            name: Some("ci".to_owned()),
            ..Caller::trusted(true)
        };
        let acting = |named: Option<&str>| caller.acting(named.map(str::to_owned));
        assert_eq!(acting(Some("ada")).as_deref(), Some("ada"));
        assert_eq!(acting(Some(" ")).as_deref(), Some("ci"));
        assert_eq!(acting(None).as_deref(), Some("ci"));
        assert_eq!(Caller::trusted(false).acting(None), None);
    }
}
