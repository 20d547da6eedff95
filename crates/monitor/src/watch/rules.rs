//! Who is told of what, and when: channels, routes and maintenance windows.

use std::time::Duration;

use crate::channel::alertmanager::RESEND_US;
use crate::definition::{
    ChannelDefinition, ChannelKind, MaintenanceDefinition, RouteDefinition, Severity, Subject,
};
use crate::incident::IncidentState;

/// What decides who is told of an incident.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnnounceRules {
    /// All channels.
    pub channels: Vec<ChannelDefinition>,
    /// Which incidents go where besides what their monitors say.
    pub routes: Vec<RouteDefinition>,
    /// When nobody is told.
    pub maintenance: Vec<MaintenanceDefinition>,
}

impl AnnounceRules {
    /// The names of all channels.
    #[must_use]
    pub fn channel_names(&self) -> Vec<String> {
        let names = self.channels.iter().map(|channel| channel.name.clone());
        names.collect()
    }

    pub(super) fn has_channel(&self, name: &str) -> bool {
        self.channel(name).is_some()
    }

    fn channel(&self, name: &str) -> Option<&ChannelDefinition> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// Adds the channels that routes lead an incident to.
    pub(super) fn add_routed(&self, subject: &Subject<'_>, to: &mut Vec<String>) {
        for route in self.routes.iter().filter(|r| r.selector.picks(subject)) {
            for channel in &route.channels {
                if !to.contains(channel) {
                    to.push(channel.clone());
                }
            }
        }
    }

    /// The maintenance window that keeps an incident from being told for the longest time, and its
    /// end.
    pub(super) fn maintenance(&self, subject: &Subject<'_>, now_us: i64) -> Option<(&str, i64)> {
        let open = self.maintenance.iter().filter_map(|window| {
            let until_us = window.until_us(subject, now_us)?;
            Some((window.name.as_str(), until_us))
        });
        open.max_by_key(|(_, until_us)| *until_us)
    }

    /// Whether a channel is not to be told of incidents this urgent now.
    pub(super) fn is_quiet(&self, channel: &str, severity: Severity, now_us: i64) -> bool {
        let quiet = self.channel(channel).and_then(|c| c.quiet_hours.as_ref());
        quiet.is_some_and(|quiet| severity < quiet.below && quiet.when.until_us(now_us).is_some())
    }

    /// After how long a channel is told again of an incident, in microseconds.
    pub(super) fn repeats_after_us(&self, channel: &str, state: IncidentState) -> Option<i64> {
        if state != IncidentState::Open {
            return None;
        }
        let pause: Duration = self.channel(channel)?.repeat_every?;
        i64::try_from(pause.as_micros()).ok()
    }

    /// After how long an incident that lives is sent again to keep it alive at the receiver, in
    /// microseconds. Nobody is told anew by it, so that nothing holds it back.
    pub(super) fn resends_after_us(&self, channel: &str, state: IncidentState) -> Option<i64> {
        let kind = &self.channel(channel)?.kind;
        let lives = state != IncidentState::Resolved;
        (lives && matches!(kind, ChannelKind::Alertmanager(_))).then_some(RESEND_US)
    }
}
