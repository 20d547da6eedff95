//! Channels, routes and maintenance windows, from what is written of them.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use tillwatch_monitor::definition::{
    AlertmanagerDefinition, CHANNELS, ChannelDefinition, ChannelKind, DefinitionFault,
    EmailDefinition, HookDefinition, Language, MaintenanceDefinition, MaintenanceTime,
    MessageTemplates, Once, PAGERDUTY_URL, PagerDutyDefinition, QuietHours, RouteDefinition,
    Secret, Selector, Severity, SmtpTls, Weekly, is_time_of_day,
};
use tillwatch_monitor::watch::AUDIT;

use super::fault::Fault;
use super::folder::{Folder, Item, nearest_name};
use super::resolve::{Environment, from_environment, push_field_fault};
use super::shape;

/// Keys that channels of every kind take.
const EVERY: [&str; 4] = ["kind", "language", "quiet_hours", "allow_private"];

/// The keys that a kind takes besides [`EVERY`]; the first ones, as many as told, must be there.
fn keys(kind: &str) -> (usize, &'static [&'static str]) {
    match kind {
        "webhook" => (1, &["url", "secret", "repeat_every"]),
        "slack" => (1, &["url", "message", "group_wait", "repeat_every"]),
        "pagerduty" => (1, &["routing_key", "url", "message", "repeat_every"]),
        "alertmanager" => (1, &["url", "user", "password", "message"]),
        "email" => (
            3,
            &[
                "host",
                "from",
                "to",
                "port",
                "tls",
                "user",
                "password",
                "message",
                "group_wait",
                "repeat_every",
            ],
        ),
        _ => (
            1,
            &["url", "secret", "message", "group_wait", "repeat_every"],
        ),
    }
}

/// Why a channel could not be made.
enum Refusal {
    /// It is inactive: this variable is not set.
    Inactive(String),
    /// It is at fault.
    Fault(DefinitionFault),
}

impl From<DefinitionFault> for Refusal {
    fn from(fault: DefinitionFault) -> Self {
        Self::Fault(fault)
    }
}

/// `None` if it is at fault; otherwise the channel, or the variable that leaves it inactive.
pub fn channel(
    folder: &Folder,
    item: &Item<shape::Channel>,
    environment: Environment<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Result<ChannelDefinition, String>> {
    let base = ["channels", item.name.as_str()];
    let written = &item.value;
    if !CHANNELS.contains(&written.kind.as_str()) {
        let message = format!("there is no channel of kind '{}'", written.kind);
        let hint = nearest_name(&written.kind, CHANNELS)
            .or_else(|| Some(format!("it is one of {}", CHANNELS.join(", "))));
        let path = [base[0], base[1], "kind"];
        faults.push(folder.fault(item.file, &path, message).suggest(hint));
        return None;
    }
    let before = faults.len();
    known_keys(folder, item, faults);
    if faults.len() > before {
        return None;
    }
    let message = written.message.as_ref();
    let message = message.map_or_else(MessageTemplates::default, |message| MessageTemplates {
        title: message.title.clone(),
        text: message.text.clone(),
    });
    // Also those of a channel that is inactive here are read where it is not.
    for fault in message.validate() {
        push_field_fault(folder, item.file, &base, &fault, faults);
    }
    if faults.len() > before {
        return None;
    }
    let kind = match kind(written, environment) {
        Ok(kind) => kind,
        Err(Refusal::Inactive(variable)) => return Some(Err(variable)),
        Err(Refusal::Fault(fault)) => {
            push_field_fault(folder, item.file, &base, &fault, faults);
            return None;
        }
    };
    let mut channel = ChannelDefinition::new(&item.name, kind);
    let mut refuse = |fault: DefinitionFault| {
        push_field_fault(folder, item.file, &base, &fault, faults);
    };
    if let Some(text) = &written.language {
        match Language::parse(text) {
            Ok(language) => channel.language = language,
            Err(fault) => refuse(fault),
        }
    }
    if let Some(quiet) = &written.quiet_hours {
        match quiet_hours(quiet) {
            Ok(hours) => channel.quiet_hours = Some(hours),
            Err(found) => found.into_iter().for_each(&mut refuse),
        }
    }
    channel.group_wait = written.group_wait.map_or(channel.group_wait, |text| text.0);
    channel.repeat_every = written.repeat_every.map(|text| text.0);
    channel.message = message;
    channel.validate().into_iter().for_each(refuse);
    (faults.len() == before).then_some(Ok(channel))
}

/// Refuses keys that the kind does not take, and the lack of those that it needs.
fn known_keys(folder: &Folder, item: &Item<shape::Channel>, faults: &mut Vec<Fault>) {
    let base = ["channels", item.name.as_str()];
    let kind = item.value.kind.as_str();
    let (needed, takes) = keys(kind);
    let tree = folder.files.get(item.file).map(|source| &source.tree);
    let written = tree.and_then(|tree| tree.find(&base));
    let written: Vec<&str> = written
        .into_iter()
        .flat_map(|node| node.entries())
        .filter_map(|(key, _)| key.text())
        .collect();
    // One that the program itself makes stands in no file.
    if written.is_empty() {
        return;
    }
    for key in takes.iter().take(needed) {
        if !written.contains(key) {
            let message = format!("the key '{key}' is missing, which kind `{kind}` needs");
            faults.push(folder.fault_at_key(item.file, &base, message));
        }
    }
    for key in written {
        if !takes.contains(&key) && !EVERY.contains(&key) {
            let path = [base[0], base[1], key];
            let message = format!("a channel of kind `{kind}` has no key '{key}'");
            let hint = format!("it takes {} and {}", takes.join(", "), EVERY.join(", "));
            faults.push(
                folder
                    .fault_at_key(item.file, &path, message)
                    .suggest(Some(hint)),
            );
        }
    }
}

fn kind(written: &shape::Channel, environment: Environment<'_>) -> Result<ChannelKind, Refusal> {
    let allow_private = written.allow_private;
    // A missing one has been told.
    let value = |text: &str| from_environment(text, environment).map_err(Refusal::Inactive);
    let optional = |text: &Option<String>| text.as_deref().map(value).transpose();
    let url = || value(written.url.as_deref().unwrap_or_default());
    let issued = |field: &str, text: &Option<String>| {
        let secret = text.as_deref();
        secret
            .map(|text| Secret::resolve_issued(field, text, environment))
            .transpose()
    };
    let hook = || -> Result<HookDefinition, Refusal> {
        let text = written.url.as_deref().unwrap_or_default();
        if !text.starts_with("env:") {
            let reason =
                "holds a token, so it must be `env:NAME`, the name of an environment variable";
            return Err(DefinitionFault::new("url", reason).into());
        }
        Ok(HookDefinition {
            url: url()?,
            secret: issued("secret", &written.secret)?,
            allow_private,
        })
    };
    Ok(match written.kind.as_str() {
        "webhook" => {
            let url = url()?;
            let secret = written.secret.as_deref();
            let secret = secret
                .map(|text| Secret::resolve(text, environment))
                .transpose()?;
            ChannelKind::Webhook(HookDefinition {
                url,
                secret,
                allow_private,
            })
        }
        "slack" => ChannelKind::Slack(hook()?),
        "feishu" => ChannelKind::Feishu(hook()?),
        "dingtalk" => ChannelKind::DingTalk(hook()?),
        "pagerduty" => {
            let key = written.routing_key.as_deref().unwrap_or_default();
            // Without its key there is nobody to tell, as without an address.
            if key.starts_with("env:") {
                value(key)?;
            }
            let url = optional(&written.url)?;
            ChannelKind::PagerDuty(PagerDutyDefinition {
                url: url.unwrap_or_else(|| PAGERDUTY_URL.to_owned()),
                routing_key: Secret::resolve_issued("routing_key", key, environment)?,
                allow_private,
            })
        }
        "alertmanager" => ChannelKind::Alertmanager(AlertmanagerDefinition {
            url: url()?,
            user: optional(&written.user)?,
            password: issued("password", &written.password)?,
            allow_private,
        }),
        _ => {
            let tls = written.tls.as_deref().map(SmtpTls::parse).transpose()?;
            let tls = tls.unwrap_or_default();
            let to = written.to.iter().map(|text| value(text));
            ChannelKind::Email(EmailDefinition {
                host: value(written.host.as_deref().unwrap_or_default())?,
                port: written.port.unwrap_or_else(|| tls.port()),
                tls,
                user: optional(&written.user)?,
                password: issued("password", &written.password)?,
                from: value(written.from.as_deref().unwrap_or_default())?,
                to: to.collect::<Result<_, _>>()?,
                allow_private,
            })
        }
    })
}

fn quiet_hours(written: &shape::QuietHours) -> Result<QuietHours, Vec<DefinitionFault>> {
    let within = |fault: DefinitionFault| {
        DefinitionFault::new(format!("quiet_hours.{}", fault.field), fault.reason)
    };
    let shape::QuietHours {
        days,
        from,
        to,
        zone,
        below,
    } = written;
    let when = Weekly::parse(days, from, to, zone.as_deref());
    let below = severity("below", below.as_deref());
    match (when, below) {
        (Ok(when), Ok(below)) => Ok(QuietHours {
            when,
            below: below.unwrap_or(Severity::Critical),
        }),
        (when, below) => {
            let found = when
                .err()
                .unwrap_or_default()
                .into_iter()
                .chain(below.err());
            Err(found.map(within).collect())
        }
    }
}

/// The severity at a field, where there is one.
fn severity(field: &str, text: Option<&str>) -> Result<Option<Severity>, DefinitionFault> {
    text.map(Severity::parse)
        .transpose()
        .map_err(|fault| DefinitionFault::new(field, fault.reason))
}

/// What a route or a maintenance window picks, as written.
struct Picks<'a> {
    severity: &'a Option<String>,
    monitors: &'a [String],
    metrics: &'a [String],
    filter: &'a IndexMap<String, shape::Values>,
}

/// A route; `None` if it is at fault.
pub fn route(
    folder: &Folder,
    item: &Item<shape::Route>,
    faults: &mut Vec<Fault>,
) -> Option<RouteDefinition> {
    let base = ["routes", item.name.as_str()];
    let before = faults.len();
    let written = &item.value;
    let picks = Picks {
        severity: &written.severity,
        monitors: &written.monitors,
        metrics: &written.metrics,
        filter: &written.filter,
    };
    let selector = selector(folder, item.file, &base, &picks, faults);
    let channels = folder.channels.iter().map(|channel| channel.name.as_str());
    let what = ("channels", "channel", channels.collect::<Vec<_>>());
    names(folder, item.file, &base, &written.channels, what, faults);
    let route = RouteDefinition {
        name: item.name.clone(),
        selector,
        channels: written.channels.clone(),
    };
    for fault in route.validate() {
        push_field_fault(folder, item.file, &base, &fault, faults);
    }
    (faults.len() == before).then_some(route)
}

/// A maintenance window; `None` if it is at fault.
pub fn maintenance(
    folder: &Folder,
    item: &Item<shape::Maintenance>,
    faults: &mut Vec<Fault>,
) -> Option<MaintenanceDefinition> {
    let base = ["maintenance", item.name.as_str()];
    let before = faults.len();
    let written = &item.value;
    let picks = Picks {
        severity: &written.severity,
        monitors: &written.monitors,
        metrics: &written.metrics,
        filter: &written.filter,
    };
    let selector = selector(folder, item.file, &base, &picks, faults);
    let (from, to, zone) = (&written.from, &written.to, written.zone.as_deref());
    let time = if is_time_of_day(from) && is_time_of_day(to) {
        Weekly::parse(&written.days, from, to, zone).map(MaintenanceTime::Weekly)
    } else if written.days.is_empty() {
        Once::parse(from, to, zone).map(MaintenanceTime::Once)
    } else {
        let reason = "are of a window of every week, whose `from` and `to` are HH:MM";
        Err(vec![DefinitionFault::new("days", reason)])
    };
    let time = match time {
        Ok(time) => time,
        Err(found) => {
            for fault in &found {
                push_field_fault(folder, item.file, &base, fault, faults);
            }
            return None;
        }
    };
    let window = MaintenanceDefinition {
        name: item.name.clone(),
        selector,
        time,
    };
    for fault in window.validate() {
        push_field_fault(folder, item.file, &base, &fault, faults);
    }
    (faults.len() == before).then_some(window)
}

fn selector(
    folder: &Folder,
    file: usize,
    base: &[&str; 2],
    picks: &Picks<'_>,
    faults: &mut Vec<Fault>,
) -> Selector {
    let least = severity("severity", picks.severity.as_deref());
    if let Err(fault) = &least {
        push_field_fault(folder, file, base, fault, faults);
    }
    let monitors = folder.monitors.iter().map(|monitor| monitor.name.as_str());
    let known = monitors.chain([AUDIT]).collect();
    let what = ("monitors", "monitor", known);
    names(folder, file, base, picks.monitors, what, faults);
    let metrics = folder.metrics.iter().map(|metric| metric.name.as_str());
    let what = ("metrics", "metric", metrics.collect());
    names(folder, file, base, picks.metrics, what, faults);
    dimensions(folder, file, base, picks, faults);
    Selector {
        severity: least.ok().flatten(),
        monitors: picks.monitors.to_vec(),
        metrics: picks.metrics.to_vec(),
        slices: picks
            .filter
            .iter()
            .map(|(dimension, values)| (dimension.clone(), values.all()))
            .collect(),
    }
}

/// Checks that every name of a list is that of an item. `what` is the section, what one of it is
/// called and the names there are; the list stands under the section's name.
fn names(
    folder: &Folder,
    file: usize,
    base: &[&str; 2],
    list: &[String],
    (section, one, known): (&str, &str, Vec<&str>),
    faults: &mut Vec<Fault>,
) {
    for (index, name) in list.iter().enumerate() {
        if known.contains(&name.as_str()) || folder.is_unread(section, name) {
            continue;
        }
        let index = index.to_string();
        let path = [base[0], base[1], section, &index];
        let hint = nearest_name(name, known.iter().copied());
        let message = format!("there is no {one} '{name}'");
        faults.push(folder.fault(file, &path, message).suggest(hint));
    }
}

/// An incident's slice has dimensions that its monitor splits by, and no others.
fn dimensions(
    folder: &Folder,
    file: usize,
    base: &[&str; 2],
    picks: &Picks<'_>,
    faults: &mut Vec<Fault>,
) {
    let named = |list: &[String], name: &String| list.is_empty() || list.contains(name);
    let picked = folder.monitors.iter().filter(|monitor| {
        named(picks.monitors, &monitor.name) && named(picks.metrics, &monitor.value.metric)
    });
    let picked: Vec<_> = picked.collect();
    // What keeps it from picking any has been told.
    if picked.is_empty() && !(picks.monitors.is_empty() && picks.metrics.is_empty()) {
        return;
    }
    let known: BTreeSet<&str> = picked
        .iter()
        .flat_map(|monitor| monitor.value.by.iter().map(String::as_str))
        .collect();
    for dimension in picks.filter.keys() {
        if known.contains(dimension.as_str()) {
            continue;
        }
        let path = [base[0], base[1], "where", dimension.as_str()];
        let message = format!("no monitor that it picks splits by '{dimension}'");
        let split = known.iter().copied().collect::<Vec<_>>().join(", ");
        let hint = nearest_name(dimension, known.iter().copied())
            .or_else(|| (!split.is_empty()).then(|| format!("they split by {split}")));
        faults.push(folder.fault_at_key(file, &path, message).suggest(hint));
    }
}
