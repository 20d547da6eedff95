//! Carries the messages of one channel, each kind in its own protocol.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::attempt::Attempt;
use super::email::Email;
use super::endpoint::{Endpoint, Request};
use super::notice::Notice;
use super::template::Voice;
use super::{alertmanager, dingtalk, feishu, pagerduty, signature, slack};
use crate::MonitorError;
use crate::catalogue::Message;
use crate::definition::{
    AlertmanagerDefinition, ChannelDefinition, ChannelKind, Language, MessageTemplates,
    PagerDutyDefinition, Secret,
};

/// A channel that is ready to carry messages.
pub(super) struct Sender {
    language: Language,
    templates: MessageTemplates,
    way: Way,
}

/// How messages get there.
enum Way {
    Webhook(Endpoint, Option<Secret>),
    Slack(Endpoint),
    PagerDuty(Endpoint, PagerDutyDefinition),
    Alertmanager(Endpoint, AlertmanagerDefinition),
    Feishu(Endpoint, Option<Secret>),
    DingTalk(Endpoint, Option<Secret>),
    Email(Box<Email>),
}

impl Sender {
    /// Prepares what the channel is reached with.
    pub fn new(channel: &ChannelDefinition, timeout: Duration) -> Result<Self, MonitorError> {
        if let Some(fault) = channel.validate().into_iter().next() {
            let item = format!("channel `{}`", channel.name);
            return Err(MonitorError::Definition { item, fault });
        }
        let endpoint = |url: &str, allow_private| Endpoint::new(url, allow_private, timeout);
        let way = match &channel.kind {
            ChannelKind::Webhook(hook) => Way::Webhook(
                endpoint(&hook.url, hook.allow_private)?,
                hook.secret.clone(),
            ),
            ChannelKind::Slack(hook) => Way::Slack(endpoint(&hook.url, hook.allow_private)?),
            ChannelKind::Feishu(hook) => Way::Feishu(
                endpoint(&hook.url, hook.allow_private)?,
                hook.secret.clone(),
            ),
            ChannelKind::DingTalk(hook) => Way::DingTalk(
                endpoint(&hook.url, hook.allow_private)?,
                hook.secret.clone(),
            ),
            ChannelKind::PagerDuty(duty) => {
                Way::PagerDuty(endpoint(&duty.url, duty.allow_private)?, duty.clone())
            }
            ChannelKind::Alertmanager(manager) => Way::Alertmanager(
                endpoint(&manager.url, manager.allow_private)?,
                manager.clone(),
            ),
            ChannelKind::Email(email) => Way::Email(Box::new(Email::new(channel, email, timeout)?)),
        };
        Ok(Self {
            language: channel.language,
            templates: channel.message.clone(),
            way,
        })
    }

    /// Sends messages once, as one. Only kinds that group are given several.
    pub async fn send(&self, messages: &[Message], now_us: i64) -> Attempt {
        let Some(first) = messages.first() else {
            return Attempt::Never("there is no message".to_owned());
        };
        let key = first.idempotency_key();
        // A webhook's body is what stands in the outbox, whatever version wrote it.
        if let Way::Webhook(endpoint, secret) = &self.way {
            let mut request = plain_request(key, first.body.clone());
            if let Some(secret) = secret {
                let at_s = now_us.div_euclid(1_000_000);
                let signed = signature::sign(secret, at_s, first.body.as_bytes());
                request.headers.push((signature::HEADER, signed));
            }
            return match endpoint.post(request, now_us).await {
                Ok(answer) => answer.attempt,
                Err(attempt) => attempt,
            };
        }
        let notices: Result<Vec<Notice>, String> = messages.iter().map(Notice::read).collect();
        match notices {
            Ok(notices) => self
                .tell(&notices, key, now_us)
                .await
                .unwrap_or_else(|attempt| attempt),
            Err(reason) => Attempt::Never(reason),
        }
    }

    async fn tell(&self, notices: &[Notice], key: String, now_us: i64) -> Result<Attempt, Attempt> {
        let unread = || Attempt::Never("there is no message".to_owned());
        let first = notices.first().ok_or_else(unread)?;
        let voice = Voice {
            language: self.language,
            templates: &self.templates,
        };
        match &self.way {
            Way::Webhook(..) => Err(unread()),
            Way::Slack(endpoint) => {
                let body = slack::body(notices, voice).to_string();
                let answer = endpoint.post(request(key, body), now_us).await?;
                Ok(answer.unless_refused())
            }
            Way::PagerDuty(endpoint, duty) => {
                let body = pagerduty::body(first, duty, voice).to_string();
                let answer = endpoint.post(request(key, body), now_us).await?;
                Ok(answer.unless_refused())
            }
            Way::Alertmanager(endpoint, manager) => {
                let body = alertmanager::body(first, voice, now_us).to_string();
                let mut request = request(key, body);
                request.url = Some(alertmanager::alerts_url(&endpoint.url));
                if let (Some(user), Some(password)) = (&manager.user, &manager.password) {
                    let pair = format!("{user}:{}", password.expose_text());
                    let value = format!("Basic {}", STANDARD.encode(pair));
                    request.headers.push(("Authorization", value));
                }
                let answer = endpoint.post(request, now_us).await?;
                Ok(answer.unless_refused())
            }
            Way::Feishu(endpoint, secret) => {
                let at_s = now_us.div_euclid(1_000_000);
                let body = feishu::body(notices, voice, secret.as_ref(), at_s).to_string();
                let answer = endpoint.post(request(key, body), now_us).await?;
                Ok(answer.by_code(["code", "StatusCode"], "msg"))
            }
            Way::DingTalk(endpoint, secret) => {
                let body = dingtalk::body(notices, voice).to_string();
                let mut request = request(key, body);
                let at_ms = now_us.div_euclid(1000);
                request.url = (secret.as_ref())
                    .map(|secret| dingtalk::signed_url(&endpoint.url, secret, at_ms));
                let answer = endpoint.post(request, now_us).await?;
                Ok(answer.by_code(["errcode", "code"], "errmsg"))
            }
            Way::Email(email) => Ok(email.send(notices, &key, voice, now_us).await),
        }
    }
}

fn plain_request(key: String, body: String) -> Request {
    Request {
        url: None,
        key,
        headers: Vec::new(),
        body,
        reads_answer: false,
    }
}

fn request(key: String, body: String) -> Request {
    Request {
        reads_answer: true,
        ..plain_request(key, body)
    }
}
