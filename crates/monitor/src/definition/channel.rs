//! Channels: where an incident is announced.

use std::fmt;
use std::time::Duration;

use super::{DefinitionFault, EmailDefinition, MessageTemplates, QuietHours, Secret};

/// Names of the kinds of channel, as written under `kind`.
pub const CHANNELS: [&str; 7] = [
    "webhook",
    "slack",
    "email",
    "pagerduty",
    "alertmanager",
    "feishu",
    "dingtalk",
];

/// Where PagerDuty takes events, unless an account is in the EU.
pub const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// Longest time that the first message of a group waits for others.
const GROUP_WAIT_MAX: Duration = Duration::from_secs(10 * 60);
/// Shortest and longest pause after which an open incident is told again.
const REPEAT_EVERY: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(7 * 24 * 3600)];

/// A named place where incidents are announced.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelDefinition {
    /// Name, unique among channels; monitors name it under `notify`.
    pub name: String,
    /// What kind of place.
    pub kind: ChannelKind,
    /// The language of what people read.
    pub language: Language,
    /// How long the first message waits for others that then go out as one; zero for no time.
    pub group_wait: Duration,
    /// After how long an incident that is open, and that nobody has acknowledged, is told again.
    pub repeat_every: Option<Duration>,
    /// When it hears only of what is urgent.
    pub quiet_hours: Option<QuietHours>,
    /// What it says in other words than the standard ones.
    pub message: MessageTemplates,
}

/// The language of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The language of that code: `en` or `zh`.
    ///
    /// # Errors
    /// A fault that names the two.
    pub fn parse(text: &str) -> Result<Self, DefinitionFault> {
        match text {
            "en" => Ok(Self::English),
            "zh" => Ok(Self::Chinese),
            other => Err(DefinitionFault::new(
                "language",
                format!("unknown language `{other}`; use en or zh"),
            )),
        }
    }
}

/// The kinds of channel there are.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    /// A signed HTTP POST of every transition as JSON.
    Webhook(HookDefinition),
    /// An incoming webhook of Slack. Its URL is a secret.
    Slack(HookDefinition),
    /// E-mail over SMTP.
    Email(EmailDefinition),
    /// PagerDuty, by its Events API v2.
    PagerDuty(PagerDutyDefinition),
    /// Prometheus Alertmanager, by its API v2.
    Alertmanager(AlertmanagerDefinition),
    /// A custom bot of Feishu (Lark). Its URL is a secret.
    Feishu(HookDefinition),
    /// A custom robot of DingTalk. Its URL is a secret.
    DingTalk(HookDefinition),
}

impl ChannelKind {
    /// The name as written under `kind`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Slack(_) => "slack",
            Self::Email(_) => "email",
            Self::PagerDuty(_) => "pagerduty",
            Self::Alertmanager(_) => "alertmanager",
            Self::Feishu(_) => "feishu",
            Self::DingTalk(_) => "dingtalk",
        }
    }

    /// Whether one message can tell of several incidents. The others have a message, or a life, for
    /// each incident by their protocol.
    #[must_use]
    pub fn is_grouping(&self) -> bool {
        matches!(
            self,
            Self::Slack(_) | Self::Email(_) | Self::Feishu(_) | Self::DingTalk(_)
        )
    }
}

/// An address that takes messages by HTTP POST.
#[derive(Clone, PartialEq)]
pub struct HookDefinition {
    /// Where to post: `https://…`, or `http://…`.
    pub url: String,
    /// Key of the signature. `None` sends unsigned requests.
    pub secret: Option<Secret>,
    /// Whether the URL may lead to this machine or its private network.
    pub allow_private: bool,
}

/// An integration of PagerDuty.
#[derive(Clone, Debug, PartialEq)]
pub struct PagerDutyDefinition {
    /// Where events go.
    pub url: String,
    /// The integration's key.
    pub routing_key: Secret,
    /// Whether the URL may lead to this machine or its private network.
    pub allow_private: bool,
}

/// A Prometheus Alertmanager.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertmanagerDefinition {
    /// Its address, without `/api/v2/alerts`.
    pub url: String,
    /// User of HTTP basic authentication.
    pub user: Option<String>,
    /// Password of HTTP basic authentication.
    pub password: Option<Secret>,
    /// Whether the URL may lead to this machine or its private network.
    pub allow_private: bool,
}

/// Without the path, which is a secret where it holds a token.
impl fmt::Debug for HookDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = url::Url::parse(&self.url).ok();
        f.debug_struct("HookDefinition")
            .field("host", &url.as_ref().and_then(url::Url::host_str))
            .field("secret", &self.secret)
            .field("allow_private", &self.allow_private)
            .finish_non_exhaustive()
    }
}

impl ChannelDefinition {
    /// A channel with every optional setting at its default: English, no grouping, told once, no
    /// quiet hours.
    pub fn new(name: impl Into<String>, kind: ChannelKind) -> Self {
        Self {
            name: name.into(),
            kind,
            language: Language::default(),
            group_wait: Duration::ZERO,
            repeat_every: None,
            quiet_hours: None,
            message: MessageTemplates::default(),
        }
    }

    /// Everything that is wrong with this channel.
    #[must_use]
    pub fn validate(&self) -> Vec<DefinitionFault> {
        let mut faults = Vec::new();
        if self.name.is_empty() {
            faults.push(DefinitionFault::new("name", "a channel needs a name"));
        }
        match &self.kind {
            ChannelKind::Webhook(hook)
            | ChannelKind::Feishu(hook)
            | ChannelKind::DingTalk(hook) => {
                hook.validate(&mut faults);
            }
            ChannelKind::Slack(hook) => {
                hook.validate(&mut faults);
                if hook.secret.is_some() {
                    let reason = "Slack checks no signature; its URL is the secret";
                    faults.push(DefinitionFault::new("secret", reason));
                }
            }
            ChannelKind::Email(email) => email.validate(&mut faults),
            ChannelKind::PagerDuty(duty) => check_url(&duty.url, duty.allow_private, &mut faults),
            ChannelKind::Alertmanager(manager) => manager.validate(&mut faults),
        }
        self.validate_settings(&mut faults);
        faults
    }

    fn validate_settings(&self, faults: &mut Vec<DefinitionFault>) {
        let mut fault = |field: &str, reason: String| {
            faults.push(DefinitionFault::new(field, reason));
        };
        if !self.group_wait.is_zero() && !self.kind.is_grouping() {
            let kind = self.kind.name();
            let reason = format!("a channel of kind `{kind}` has a message for each incident");
            fault("group_wait", reason);
        } else if self.group_wait > GROUP_WAIT_MAX {
            fault("group_wait", "must not be longer than 10m".to_owned());
        }
        let [least, most] = REPEAT_EVERY;
        if self.repeat_every.is_some() && matches!(self.kind, ChannelKind::Alertmanager(_)) {
            let reason = "Alertmanager repeats by itself; set its `repeat_interval`";
            fault("repeat_every", reason.to_owned());
        } else if (self.repeat_every).is_some_and(|pause| pause < least || pause > most) {
            fault("repeat_every", "must be between 1m and 7d".to_owned());
        }
        if !self.message.is_empty() && matches!(self.kind, ChannelKind::Webhook(_)) {
            let reason = "a webhook's body is the documented JSON, which has no words of one's own";
            fault("message", reason.to_owned());
        }
        faults.extend(self.message.validate());
    }
}

impl HookDefinition {
    fn validate(&self, faults: &mut Vec<DefinitionFault>) {
        check_url(&self.url, self.allow_private, faults);
    }
}

impl AlertmanagerDefinition {
    fn validate(&self, faults: &mut Vec<DefinitionFault>) {
        check_url(&self.url, self.allow_private, faults);
        if self.user.is_some() != self.password.is_some() {
            let reason = "`user` and `password` stand together";
            faults.push(DefinitionFault::new("user", reason));
        }
    }
}

/// Refuses a URL that cannot be posted to.
fn check_url(url: &str, allow_private: bool, faults: &mut Vec<DefinitionFault>) {
    let mut fault = |reason: String| faults.push(DefinitionFault::new("url", reason));
    let url = match url::Url::parse(url) {
        Ok(url) => url,
        Err(error) => return fault(format!("not a URL: {error}")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return fault(format!(
            "scheme `{}` cannot be posted to; use https",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return fault("must not hold a user name or password; use `secret`".to_owned());
    }
    if !allow_private
        && let Some(ip) = literal_address(&url)
        && !tillwatch_event::address::is_public(ip)
    {
        fault(format!(
            "{ip} is not a public address; `allow_private: true` would allow it"
        ));
    }
}

/// The address in a URL whose host is an IP address, not a name.
pub(crate) fn literal_address(url: &url::Url) -> Option<std::net::IpAddr> {
    match url.host()? {
        url::Host::Ipv4(ip) => Some(ip.into()),
        url::Host::Ipv6(ip) => Some(ip.into()),
        url::Host::Domain(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(url: &str, allow_private: bool) -> HookDefinition {
        HookDefinition {
            url: url.into(),
            secret: None,
            allow_private,
        }
    }

    fn faults(channel: &ChannelDefinition) -> Vec<String> {
        channel.validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn webhook_urls_that_cannot_work_are_refused_with_the_reason() {
        let webhook = |url: &str, allow_private| {
            let kind = ChannelKind::Webhook(hook(url, allow_private));
            faults(&ChannelDefinition::new("on_call", kind))
        };
        assert!(webhook("https://hooks.example.com/a", false).is_empty());
        assert!(webhook("http://127.0.0.1:9000/a", true).is_empty());
        for (url, reason) in [
            (
                "hooks.example.com",
                "url: not a URL: relative URL without a base",
            ),
            (
                "ftp://example.com/",
                "url: scheme `ftp` cannot be posted to; use https",
            ),
            (
                "https://u:p@example.com/",
                "url: must not hold a user name or password; use `secret`",
            ),
            (
                "http://169.254.169.254/latest",
                "url: 169.254.169.254 is not a public address; `allow_private: true` would allow it",
            ),
            (
                "http://[::1]/",
                "url: ::1 is not a public address; `allow_private: true` would allow it",
            ),
        ] {
            assert_eq!(webhook(url, false), [reason]);
        }
    }

    #[test]
    fn settings_that_a_kind_cannot_keep_are_refused_and_limits_hold() {
        let url = "https://example.com/hook";
        let mut slack = ChannelDefinition::new("team", ChannelKind::Slack(hook(url, false)));
        slack.group_wait = Duration::from_secs(600);
        slack.repeat_every = Some(Duration::from_secs(60));
        assert!(faults(&slack).is_empty());
        slack.group_wait = Duration::from_secs(601);
        slack.repeat_every = Some(Duration::from_secs(59));
        assert_eq!(
            faults(&slack),
            [
                "group_wait: must not be longer than 10m",
                "repeat_every: must be between 1m and 7d",
            ]
        );
        slack.group_wait = Duration::ZERO;
        slack.repeat_every = Some(Duration::from_secs(7 * 24 * 3600 + 1));
        assert_eq!(faults(&slack).len(), 1);
        let manager = AlertmanagerDefinition {
            url: url.into(),
            user: Some("tillwatch".into()),
            password: None,
            allow_private: false,
        };
        let mut manager = ChannelDefinition::new("am", ChannelKind::Alertmanager(manager));
        manager.group_wait = Duration::from_secs(1);
        manager.repeat_every = Some(Duration::from_secs(3600));
        assert_eq!(
            faults(&manager),
            [
                "user: `user` and `password` stand together",
                "group_wait: a channel of kind `alertmanager` has a message for each incident",
                "repeat_every: Alertmanager repeats by itself; set its `repeat_interval`",
            ]
        );
        let signed = HookDefinition {
            secret: Some(Secret::issued("x")),
            ..hook(url, false)
        };
        let signed = ChannelDefinition::new("team", ChannelKind::Slack(signed));
        let reason = "secret: Slack checks no signature; its URL is the secret";
        assert_eq!(faults(&signed), [reason]);
    }

    #[test]
    fn a_url_with_a_token_does_not_show_it_in_debug_output() {
        let url = "https://hooks.slack.com/services/T0/B0/t0ken?access_token=t0ken";
        let text = format!("{:?}", ChannelKind::Slack(hook(url, false)));
        assert!(text.contains("hooks.slack.com"), "{text}");
        assert!(!text.contains("t0ken"), "{text}");
    }

    #[test]
    fn every_kind_is_listed_under_its_name() {
        for kind in [
            ChannelKind::Webhook(hook("", false)),
            ChannelKind::Slack(hook("", false)),
            ChannelKind::Feishu(hook("", false)),
            ChannelKind::DingTalk(hook("", false)),
        ] {
            assert!(CHANNELS.contains(&kind.name()));
        }
    }
}
