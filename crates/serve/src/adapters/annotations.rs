//! Annotations in the catalogue.

use std::sync::Arc;

use tillwatch_monitor::catalogue::{self, AnnotationFilter, Catalogue, KeptAnnotation};
use tillwatch_monitor::figure::Slice;

use crate::adapters::explanation::values;
use crate::adapters::faults;
use crate::documents::{Annotation, AnnotationKind};
use crate::limits::Limits;
use crate::ports::{AnnotationQuery, Annotations, NewAnnotation};
use crate::problem::Problem;
use crate::request::time::{now_us, rfc3339};

/// The annotations of a catalogue.
pub struct KeptAnnotations {
    catalogue: Arc<Catalogue>,
    kept_max: usize,
}

impl KeptAnnotations {
    /// Over this catalogue.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>, limits: &Limits) -> Self {
        Self {
            catalogue,
            kept_max: limits.annotations_kept_max,
        }
    }
}

impl Annotations for KeptAnnotations {
    fn list(&self, query: &AnnotationQuery) -> Result<Vec<Annotation>, Problem> {
        let filter = AnnotationFilter {
            from_us: query.from_us,
            to_us: query.to_us,
            kind: query.kind.map(|kind| kind.name().to_owned()),
            limit: query.limit,
        };
        let found = self.catalogue.annotations(&filter);
        let found = found.map_err(|fault| faults::monitor(&fault))?;
        Ok(found.iter().map(document).collect())
    }

    fn add(&self, new: NewAnnotation, key: Option<&str>) -> Result<(Annotation, bool), Problem> {
        let annotation = catalogue::Annotation {
            kind: new.kind.name().to_owned(),
            at_us: new.at_us,
            until_us: new.until_us,
            title: new.title,
            text: new.text,
            by: new.by,
            url: new.url,
            slice: Slice::from_iter(new.slice),
        };
        let kept = self
            .catalogue
            .annotate(&annotation, key, self.kept_max, now_us());
        let (kept, is_new) = kept.map_err(|fault| faults::monitor(&fault))?;
        Ok((document(&kept), is_new))
    }

    fn remove(&self, id: i64) -> Result<bool, Problem> {
        let removed = self.catalogue.remove_annotation(id);
        removed.map_err(|fault| faults::monitor(&fault))
    }
}

fn document(kept: &KeptAnnotation) -> Annotation {
    let one = &kept.annotation;
    Annotation {
        id: kept.id,
        // A later version may know more kinds than this one.
        kind: AnnotationKind::from_name(&one.kind).unwrap_or_default(),
        at: rfc3339(one.at_us),
        until: one.until_us.map(rfc3339),
        title: one.title.clone(),
        text: one.text.clone(),
        by: one.by.clone(),
        url: one.url.clone(),
        slice: values(&one.slice),
        created_at: rfc3339(kept.created_at_us),
    }
}
