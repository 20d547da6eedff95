//! Annotations: what people did or heard of that may be why a figure moved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an annotation is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnnotationKind {
    /// New software is in use.
    Deployment,
    /// A setting is another: a route, a price, a rule.
    Change,
    /// A sale, a mailing, an advertisement.
    Campaign,
    /// Somebody else's trouble, as a provider tells of it.
    Outage,
    /// Anything else.
    #[default]
    Note,
}

impl AnnotationKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Deployment,
        Self::Change,
        Self::Campaign,
        Self::Outage,
        Self::Note,
    ];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Change => "change",
            Self::Campaign => "campaign",
            Self::Outage => "outage",
            Self::Note => "note",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An annotation as it is sent.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenAnnotation {
    /// One line, at most 200 characters, such as `checkout 4.12.0`.
    pub title: String,
    /// What it is of; `note` unless told.
    #[serde(default)]
    pub kind: AnnotationKind,
    /// When it began: RFC 3339, `now` or an offset such as `-5m`; now unless told.
    pub at: Option<String>,
    /// When it ended, as `at`; it took no time unless told.
    pub until: Option<String>,
    /// More, for who wants to know; at most 2 000 characters.
    pub text: Option<String>,
    /// Who writes it, at most 200 characters; the token's name unless told.
    pub by: Option<String>,
    /// Where more is to be read: an address that begins with `https://` or `http://`.
    pub url: Option<String>,
    /// What of the traffic it concerns, by dimension; all unless told.
    #[serde(default, rename = "where")]
    pub slice: BTreeMap<String, Option<String>>,
}

/// An annotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Annotation {
    /// Its number, by which it is removed.
    pub id: i64,
    /// What it is of.
    pub kind: AnnotationKind,
    /// When it began, RFC 3339.
    pub at: String,
    /// When it ended, RFC 3339; null for what took no time.
    pub until: Option<String>,
    /// One line.
    pub title: String,
    /// More.
    pub text: Option<String>,
    /// Who wrote it.
    pub by: Option<String>,
    /// Where more is to be read.
    pub url: Option<String>,
    /// What of the traffic it concerns, by dimension; empty for all.
    #[serde(rename = "where")]
    pub slice: BTreeMap<String, Option<String>>,
    /// When it was written, RFC 3339.
    pub created_at: String,
}

/// Annotations of a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnnotationList {
    /// The first of them first.
    pub annotations: Vec<Annotation>,
}
