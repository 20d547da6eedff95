//! Which relations of a `from` carry the partial states of which cubes.

use std::collections::{BTreeSet, HashMap};

use datafusion::sql::sqlparser::ast::{Ident, ObjectName, TableAlias};

/// The cubes whose partial states a relation hands on.
pub(super) type Lineage = BTreeSet<String>;

/// Common table expressions in sight, by name in lower case.
pub(super) type Env = HashMap<String, Lineage>;

/// One relation of a `from`.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// How its columns are qualified; none for a subquery without a name.
    pub(super) qualifier: Option<Ident>,
    /// What it carries.
    pub(super) cubes: Lineage,
}

/// The relations an expression of one `select` can refer to.
#[derive(Debug, Default, Clone)]
pub(super) struct Scope {
    pub(super) relations: Vec<Relation>,
}

impl Scope {
    /// Relations that carry partial states of any cube.
    pub(super) fn carriers(&self) -> impl Iterator<Item = &Relation> {
        self.relations
            .iter()
            .filter(|relation| !relation.cubes.is_empty())
    }

    /// All cubes in sight.
    pub(super) fn cubes(&self) -> Lineage {
        self.relations
            .iter()
            .flat_map(|relation| relation.cubes.iter().cloned())
            .collect()
    }
}

/// The text of an identifier as the planner compares it.
pub(super) fn normal(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// The last part of a table's name, and whether it is the only one.
pub(super) fn table_name(name: &ObjectName) -> Option<(&Ident, bool)> {
    let (last, head) = name.0.split_last()?;
    last.as_ident().map(|ident| (ident, head.is_empty()))
}

/// What a relation's columns are qualified with.
pub(super) fn qualifier(alias: Option<&TableAlias>, name: Option<&Ident>) -> Option<Ident> {
    alias
        .map(|alias| alias.name.clone())
        .or_else(|| name.cloned())
}
