//! E-mail channels.

use std::net::IpAddr;

use lettre::message::Mailbox;

use super::{DefinitionFault, Secret};

/// Most addresses that one e-mail channel writes to.
const RECIPIENTS_MAX: usize = 20;

/// How the way to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpTls {
    /// Begins in the open and turns to TLS before anything is said; never without it.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// None at all, which only a server on this machine is spoken to with.
    None,
}

impl SmtpTls {
    /// The protection of that name: `starttls`, `implicit` or `none`.
    ///
    /// # Errors
    /// A fault that names the three.
    pub fn parse(text: &str) -> Result<Self, DefinitionFault> {
        match text {
            "starttls" => Ok(Self::StartTls),
            "implicit" => Ok(Self::Implicit),
            "none" => Ok(Self::None),
            other => Err(DefinitionFault::new(
                "tls",
                format!("unknown protection `{other}`; use starttls, implicit or none"),
            )),
        }
    }

    /// The port of a server that is not told another.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// A mail server, and who is written to through it.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailDefinition {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub tls: SmtpTls,
    /// Who logs in, if anybody does.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<Secret>,
    /// Who writes: `Tillwatch <tillwatch@example.com>`.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
    /// Whether the server may be on this machine or its private network.
    pub allow_private: bool,
}

impl EmailDefinition {
    pub(super) fn validate(&self, faults: &mut Vec<DefinitionFault>) {
        let mut fault = |field: &str, reason: String| {
            faults.push(DefinitionFault::new(field, reason));
        };
        let ip = self.host.parse::<IpAddr>().ok();
        if self.host.is_empty() || url::Host::parse(&self.host).is_err() && ip.is_none() {
            // What stands there may come from the environment, and is not repeated.
            fault("host", "this is no name or address of a server".to_owned());
        } else if let Some(ip) = ip
            && !self.allow_private
            && !tillwatch_event::address::is_public(ip)
        {
            fault(
                "host",
                format!("{ip} is not a public address; `allow_private: true` would allow it"),
            );
        }
        let is_local = self.host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
        if self.tls == SmtpTls::None && !is_local {
            let reason = "`none` is for a server on this machine; use starttls or implicit";
            fault("tls", reason.to_owned());
        }
        if self.port == 0 {
            fault("port", "must be a port from 1 to 65535".to_owned());
        }
        if self.user.is_some() != self.password.is_some() {
            fault("user", "`user` and `password` stand together".to_owned());
        }
        if let Err(reason) = mailbox(&self.from) {
            fault("from", reason);
        }
        if self.to.is_empty() {
            fault("to", "an e-mail needs somebody to go to".to_owned());
        } else if self.to.len() > RECIPIENTS_MAX {
            let reason = format!("names more than {RECIPIENTS_MAX} addresses; use a mailing list");
            fault("to", reason);
        }
        for (index, address) in self.to.iter().enumerate() {
            if let Err(reason) = mailbox(address) {
                fault(&format!("to.{index}"), reason);
            }
        }
    }
}

/// An address with or without a name.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, String> {
    // What stands there may come from the environment, and is not repeated.
    text.parse().map_err(|_| {
        "this is no address; write ada@example.com or Ada <ada@example.com>".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{ChannelDefinition, ChannelKind};

    fn email() -> EmailDefinition {
        EmailDefinition {
            host: "mail.example.com".into(),
            port: 587,
            tls: SmtpTls::StartTls,
            user: Some("till".into()),
            password: Some(Secret::issued("hunter2")),
            from: "Tillwatch <tillwatch@example.com>".into(),
            to: vec!["ada@example.com".into(), "Bo <bo@example.com>".into()],
            allow_private: false,
        }
    }

    fn faults(email: EmailDefinition) -> Vec<String> {
        let channel = ChannelDefinition::new("mail", ChannelKind::Email(email));
        channel.validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_server_that_cannot_be_spoken_to_safely_is_refused_with_the_reason() {
        assert!(faults(email()).is_empty());
        let found = faults(EmailDefinition {
            host: "10.0.0.1".into(),
            tls: SmtpTls::None,
            user: None,
            from: "tillwatch".into(),
            to: vec!["ada@example.com\r\nBcc: eve@example.com".into()],
            ..email()
        });
        assert_eq!(found.len(), 5, "{found:#?}");
        assert_eq!(
            found[..4],
            [
                "host: 10.0.0.1 is not a public address; `allow_private: true` would allow it",
                "tls: `none` is for a server on this machine; use starttls or implicit",
                "user: `user` and `password` stand together",
                "from: this is no address; write ada@example.com or Ada <ada@example.com>",
            ]
        );
        assert!(found[4].starts_with("to.0: "), "{found:#?}");
        let plain = EmailDefinition {
            host: "127.0.0.1".into(),
            tls: SmtpTls::None,
            allow_private: true,
            ..email()
        };
        assert!(faults(plain).is_empty());
    }

    #[test]
    fn recipients_are_one_to_twenty() {
        let to = |count: usize| EmailDefinition {
            to: vec!["ada@example.com".into(); count],
            ..email()
        };
        assert_eq!(faults(to(0)), ["to: an e-mail needs somebody to go to"]);
        assert!(faults(to(20)).is_empty());
        let reason = "to: names more than 20 addresses; use a mailing list";
        assert_eq!(faults(to(21)), [reason]);
    }
}
