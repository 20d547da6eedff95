//! E-mail over SMTP.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tillwatch_event::address::is_public;

use super::attempt::Attempt;
use super::escape::{html, plain};
use super::guard::{self, Unreachable};
use super::notice::Notice;
use super::template::{Target, Voice};
use super::words;
use crate::MonitorError;
use crate::definition::{ChannelDefinition, EmailDefinition, SmtpTls, mailbox};

/// An e-mail goes to each recipient by itself, and a server may let each wait for a while.
const WHOLE_TIMEOUTS: u32 = 6;
/// What is told of a server's reason, in characters.
const REASON_CHARS_MAX: usize = 200;
/// Messages whose recipients are remembered.
const TAKEN_MAX: usize = 256;
/// Longest text about one incident in words of one's own, in bytes.
const NOTICE_BYTES_MAX: usize = 8_000;
/// The answer of servers that took a message at an earlier attempt.
const TAKEN_BEFORE: u16 = 250;
/// Answers that say that we may not log in, which can be mended.
const AUTHENTICATION: [u16; 4] = [530, 534, 535, 538];

/// A mail server that is ready to take messages.
pub(super) struct Email {
    definition: EmailDefinition,
    from: Mailbox,
    to: Vec<Mailbox>,
    /// `None` for no TLS; `Err` where this machine has no certificates of authorities.
    tls: Result<Option<TlsParameters>, String>,
    timeout: Duration,
    taken: Mutex<Taken>,
}

/// By a message's key, which recipients took it while others have to be tried again: those are not sent it twice. Another
/// start, or other definitions, know nothing of it, as delivery is at least once.
type Taken = VecDeque<(String, Vec<usize>)>;

/// What became of one recipient's message.
enum Sent {
    Taken(u16),
    Later(String),
    Never(String),
}

impl Email {
    /// Prepares the addresses and what TLS needs.
    pub fn new(
        channel: &ChannelDefinition,
        definition: &EmailDefinition,
        timeout: Duration,
    ) -> Result<Self, MonitorError> {
        let fault = |reason: String| MonitorError::Definition {
            item: format!("channel `{}`", channel.name),
            fault: crate::definition::DefinitionFault::new("to", reason),
        };
        let to = definition.to.iter().map(|text| mailbox(text));
        Ok(Self {
            from: mailbox(&definition.from).map_err(fault)?,
            to: to.collect::<Result<_, _>>().map_err(fault)?,
            tls: match definition.tls {
                SmtpTls::None => Ok(None),
                SmtpTls::StartTls | SmtpTls::Implicit => tls(&definition.host).map(Some),
            },
            definition: definition.clone(),
            timeout,
            taken: Mutex::default(),
        })
    }

    /// A panic elsewhere leaves what was remembered, which is consistent.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which recipients took the message of this key at an earlier attempt.
    fn took(&self, key: &str) -> Vec<usize> {
        let taken = self.taken();
        let known = taken.iter().find(|(one, _)| one == key);
        known.map(|(_, to)| to.clone()).unwrap_or_default()
    }

    /// Told at once, as an attempt may be cut off by its time.
    fn takes(&self, key: &str, recipient: usize) {
        let mut taken = self.taken();
        if let Some((_, to)) = taken.iter_mut().find(|(one, _)| one == key) {
            to.push(recipient);
            return;
        }
        if taken.len() >= TAKEN_MAX {
            taken.pop_front();
        }
        taken.push_back((key.to_owned(), vec![recipient]));
    }

    /// Sends one message to everybody.
    pub async fn send(
        &self,
        notices: &[Notice],
        key: &str,
        voice: Voice<'_>,
        now_us: i64,
    ) -> Attempt {
        let raw = match self.message(notices, key, voice, now_us) {
            Ok(raw) => raw,
            Err(reason) => return Attempt::Never(reason),
        };
        match tokio::time::timeout(self.timeout * WHOLE_TIMEOUTS, self.deliver(key, &raw)).await {
            Ok(attempt) => attempt,
            Err(_) => Attempt::later("timed out"),
        }
    }

    /// To each recipient in a transaction of its own: an address that is refused keeps nobody else
    /// from being told.
    async fn deliver(&self, key: &str, raw: &[u8]) -> Attempt {
        let tls = match &self.tls {
            Ok(tls) => tls.clone(),
            Err(reason) => return Attempt::later(reason.clone()),
        };
        let ip = match self.address().await {
            Ok(ip) => ip,
            Err(Unreachable::Refused(refused)) => return Attempt::Never(refused.to_string()),
            Err(Unreachable::Unresolved(reason)) => return Attempt::later(reason),
        };
        let transport = self.transport(ip, tls);
        let before = self.took(key);
        let (mut taken, mut later, mut never) = (None, None, Vec::new());
        if !before.is_empty() {
            taken = Some(TAKEN_BEFORE);
        }
        for (at, to) in self.to.iter().enumerate() {
            if before.contains(&at) {
                continue;
            }
            match self.deliver_to(&transport, to, raw).await {
                Sent::Taken(code) => {
                    taken = Some(code);
                    self.takes(key, at);
                }
                Sent::Later(reason) => later = later.or(Some(reason)),
                Sent::Never(reason) => never.push(format!("{}: {reason}", to.email)),
            }
        }
        let attempt = match (later, taken, never.is_empty()) {
            (Some(reason), ..) => return Attempt::later(reason),
            (None, Some(code), true) => Attempt::Delivered(code),
            (None, Some(_), false) => Attempt::Partly(never.join("; ")),
            (None, None, _) => Attempt::Never(never.join("; ")),
        };
        self.taken().retain(|(one, _)| one != key);
        attempt
    }

    async fn deliver_to(
        &self,
        transport: &AsyncSmtpTransport<Tokio1Executor>,
        to: &Mailbox,
        raw: &[u8],
    ) -> Sent {
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.email.clone()]);
        let envelope = match envelope {
            Ok(envelope) => envelope,
            Err(error) => return Sent::Never(error.to_string()),
        };
        match transport.send_raw(&envelope, raw).await {
            Ok(answer) => Sent::Taken(answer.code().to_string().parse().unwrap_or(250)),
            Err(error) => {
                let code = error.status().map(|code| code.to_string());
                let code = code.and_then(|code| code.parse::<u16>().ok());
                let reason = reason(&error);
                let is_login = code.is_some_and(|code| AUTHENTICATION.contains(&code));
                if error.is_permanent() && !is_login {
                    Sent::Never(reason)
                } else {
                    Sent::Later(reason)
                }
            }
        }
    }

    /// The address to connect to. It is resolved and checked here, and the connection is made to it
    /// and not to the name, which may lead elsewhere a moment later.
    async fn address(&self) -> Result<IpAddr, Unreachable> {
        let EmailDefinition {
            host,
            allow_private,
            tls,
            ..
        } = &self.definition;
        let allows = |ip: IpAddr| match tls {
            SmtpTls::None => ip.is_loopback() && *allow_private,
            _ => *allow_private || is_public(ip),
        };
        let addresses = guard::addresses(host, allows).await?;
        // A host with both families mostly is reachable by the older one.
        let v4 = addresses.iter().find(|ip| ip.is_ipv4());
        let found = v4.or(addresses.first()).copied();
        found.ok_or_else(|| Unreachable::Refused(guard::Refused(host.clone())))
    }

    fn transport(
        &self,
        ip: IpAddr,
        tls: Option<TlsParameters>,
    ) -> AsyncSmtpTransport<Tokio1Executor> {
        let tls = match (self.definition.tls, tls) {
            (SmtpTls::StartTls, Some(tls)) => Tls::Required(tls),
            (SmtpTls::Implicit, Some(tls)) => Tls::Wrapper(tls),
            (_, _) => Tls::None,
        };
        let domain = self.from.email.domain().to_owned();
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(ip.to_string())
            .port(self.definition.port)
            .tls(tls)
            .timeout(Some(self.timeout))
            .hello_name(ClientId::Domain(domain));
        match (&self.definition.user, &self.definition.password) {
            (Some(user), Some(password)) => builder
                .credentials(Credentials::new(user.clone(), password.expose_text()))
                .build(),
            _ => builder.build(),
        }
    }

    /// The whole message, headers and both bodies.
    fn message(
        &self,
        notices: &[Notice],
        key: &str,
        voice: Voice<'_>,
        now_us: i64,
    ) -> Result<Vec<u8>, String> {
        let domain = self.from.email.domain();
        // The same at every attempt, so that mailboxes recognise repetitions.
        let id = format!("<{}@{domain}>", key.replace(':', "."));
        let micros = u64::try_from(now_us).unwrap_or_default();
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(Some(id))
            .subject(voice.title(notices));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        if let [notice] = notices {
            // All messages about one incident make one thread.
            builder = builder.references(format!("<{}@{domain}>", notice.incident.id));
        }
        // Nobody's absence is to answer.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        builder = builder.raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        let parts = MultiPart::alternative_plain_html(
            plain_body(notices, voice),
            html_body(notices, voice),
        );
        let message = builder.multipart(parts);
        let message = message.map_err(|error| format!("the e-mail cannot be written: {error}"))?;
        Ok(message.formatted())
    }
}

fn tls(host: &str) -> Result<TlsParameters, String> {
    // Of several in one process the first stays, and all are the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    TlsParameters::builder(host.to_owned())
        .build_rustls()
        .map_err(|error| format!("TLS cannot be spoken: {error}"))
}

/// What a server or the way to it says. Never with what was sent, which holds the password.
fn reason(error: &lettre::transport::smtp::Error) -> String {
    let what = match error.status() {
        Some(code) => format!("answered {code}"),
        None if error.is_timeout() => "timed out".to_owned(),
        None if error.is_tls() => "no TLS".to_owned(),
        None => "could not be spoken to".to_owned(),
    };
    match std::error::Error::source(error) {
        Some(source) => {
            let said = plain(&source.to_string(), REASON_CHARS_MAX);
            format!("{what}: {said}")
        }
        None => what,
    }
}

fn plain_body(notices: &[Notice], voice: Voice<'_>) -> String {
    let mut text = String::new();
    for notice in notices {
        if let Some(own) = voice.own_text(notice, Target::Plain, NOTICE_BYTES_MAX) {
            text.push_str(&format!("{own}\n\n"));
            continue;
        }
        let told = words::told(notice, voice.language);
        text.push_str(&format!("{}\n{}\n\n", told.head, told.sentence));
        for (name, value) in &told.facts {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push('\n');
    }
    if let Some(link) = notices.first().and_then(Notice::link) {
        text.push_str(&format!("{}: {link}\n", words::open_board(voice.language)));
    }
    text
}

fn html_body(notices: &[Notice], voice: Voice<'_>) -> String {
    let mut text = String::from("<!doctype html><html><body style=\"font-family: sans-serif\">\n");
    for notice in notices {
        if let Some(own) = voice.own_text(notice, Target::Plain, NOTICE_BYTES_MAX) {
            let own = html(&own);
            text.push_str(&format!("<p style=\"white-space: pre-line\">{own}</p>\n"));
            continue;
        }
        let told = words::told(notice, voice.language);
        let (head, sentence) = (html(&told.head), html(&told.sentence));
        text.push_str(&format!("<h3>{head}</h3>\n<p>{sentence}</p>\n<table>\n"));
        for (name, value) in &told.facts {
            let value = html(value);
            text.push_str(&format!("<tr><td>{name}</td><td>{value}</td></tr>\n"));
        }
        text.push_str("</table>\n");
    }
    if let Some(link) = notices.first().and_then(Notice::link) {
        let (link, name) = (html(link.as_str()), words::open_board(voice.language));
        text.push_str(&format!("<p><a href=\"{link}\">{name}</a></p>\n"));
    }
    text + "</body></html>\n"
}

#[cfg(test)]
mod tests {
    use super::super::notice::example;
    use super::*;
    use crate::definition::{ChannelKind, Language, MessageTemplates};

    fn email() -> Email {
        let definition = EmailDefinition {
            host: "localhost".into(),
            port: 25,
            tls: SmtpTls::None,
            user: None,
            password: None,
            from: "Tillwatch <tillwatch@example.com>".into(),
            to: vec!["ada@example.com".into(), "bo@example.com".into()],
            allow_private: true,
        };
        let channel = ChannelDefinition::new("mail", ChannelKind::Email(definition.clone()));
        Email::new(&channel, &definition, Duration::from_secs(1)).unwrap()
    }

    fn text(notices: &[Notice], language: Language) -> String {
        text_by(notices, language, &MessageTemplates::default())
    }

    fn text_by(notices: &[Notice], language: Language, templates: &MessageTemplates) -> String {
        let voice = Voice {
            language,
            templates,
        };
        let raw = email()
            .message(notices, "inc_1:2", voice, 1_795_356_300_000_000)
            .unwrap();
        String::from_utf8(raw).unwrap()
    }

    /// The lines before the first empty one.
    fn headers(text: &str) -> Vec<&str> {
        text.split("\r\n")
            .take_while(|line| !line.is_empty())
            .collect()
    }

    #[test]
    fn a_message_has_a_stable_id_and_a_thread_for_its_incident() {
        let text = text(&[example()], Language::English);
        let headers = headers(&text);
        for line in [
            "Message-ID: <inc_1.2@example.com>",
            "Auto-Submitted: auto-generated",
            "Date: Sun, 22 Nov 2026 14:05:00 +0000",
        ] {
            assert!(headers.contains(&line), "{line} in {headers:#?}");
        }
        assert!(text.contains("References: <inc_"), "{text}");
        assert!(text.contains("147 of 312 affected"), "{text}");
    }

    #[test]
    fn a_hostile_value_adds_no_header_and_no_markup() {
        let mut hostile = example();
        let value = "x\r\nBcc: eve@example.com\r\n\r\n<img src=x onerror=alert(1)>";
        hostile.incident.slice = crate::figure::Slice::from([("psp", value)]);
        let text = text(&[hostile], Language::English);
        assert!(
            headers(&text).iter().all(|line| !line.starts_with("Bcc")),
            "{text}"
        );
        let (_, html) = text.split_once("text/html").unwrap();
        assert!(!html.contains("<img"), "{html}");
    }

    #[test]
    fn words_of_ones_own_are_text_in_both_bodies_and_one_line_in_the_subject() {
        let mut hostile = example();
        let value = "x\r\nBcc: eve@example.com\r\n\r\n<img src=x onerror=alert(1)>";
        hostile.incident.slice = crate::figure::Slice::from([("psp", value)]);
        let templates = MessageTemplates {
            title: Some("Down:\nBcc: {{ dimensions.psp }}".to_owned()),
            text: Some("<b>{{ dimensions.psp }}</b>\nAsk {{ monitor }}.".to_owned()),
        };
        let text = text_by(&[hostile], Language::English, &templates);
        assert!(
            headers(&text).iter().all(|line| !line.starts_with("Bcc")),
            "{text}"
        );
        let (_, html) = text.split_once("text/html").unwrap();
        assert!(!html.contains("<img") && !html.contains("<b>"), "{html}");
        assert!(html.contains("&lt;b&gt;x"), "{html}");
    }

    #[test]
    fn a_subject_in_chinese_is_encoded() {
        let text = text(&[example()], Language::Chinese);
        let subject = headers(&text)
            .into_iter()
            .find(|line| line.starts_with("Subject: "))
            .unwrap();
        assert!(subject.starts_with("Subject: =?utf-8?b?"), "{subject}");
        assert!(text.is_ascii(), "{text}");
    }
}
