//! Templates of messages: what a channel says in other words than the standard ones.

use super::DefinitionFault;
use crate::channel::template;

/// Longest template, in bytes.
const TEMPLATE_BYTES_MAX: usize = 8 * 1024;

/// Templates in the language of Jinja. What is not set has the standard words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageTemplates {
    /// One line: a subject, a heading, a notification.
    pub title: Option<String>,
    /// What is told of one incident.
    pub text: Option<String>,
}

impl MessageTemplates {
    /// Whether nothing is said in other words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.title.is_none() && self.text.is_none()
    }

    /// Everything that is wrong with them, at fields below `message`.
    #[must_use]
    pub fn validate(&self) -> Vec<DefinitionFault> {
        let mut faults = Vec::new();
        for (name, template) in [("title", &self.title), ("text", &self.text)] {
            let Some(template) = template else { continue };
            let reason = if template.len() > TEMPLATE_BYTES_MAX {
                Some(format!(
                    "must not be longer than {TEMPLATE_BYTES_MAX} bytes"
                ))
            } else {
                template::fault(template)
            };
            faults.extend(
                reason.map(|reason| DefinitionFault::new(format!("message.{name}"), reason)),
            );
        }
        faults
    }
}
