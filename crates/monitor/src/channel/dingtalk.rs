//! DingTalk: a custom robot that takes markdown.

use serde_json::{Value, json};

use super::escape::dingtalk;
use super::mac::base64_hmac;
use super::notice::Notice;
use super::template::{Target, Voice};
use super::words;
use crate::definition::Secret;

/// DingTalk takes messages of at most 20 000 bytes; so much of it is for the incidents.
const NOTICES_BYTES_MAX: usize = 14_000;
/// What one incident takes of it at most.
const NOTICE_BYTES_MAX: usize = 4_000;

/// The message.
pub(super) fn body(notices: &[Notice], voice: Voice<'_>) -> Value {
    let bytes_max = (NOTICES_BYTES_MAX / notices.len().max(1)).min(NOTICE_BYTES_MAX);
    let mut parts = Vec::new();
    for notice in notices {
        if let Some(text) = voice.own_text(notice, Target::DingTalk, bytes_max) {
            parts.push(text);
            continue;
        }
        let told = words::told(notice, voice.language);
        parts.push(format!("### {}", told.head));
        parts.push(dingtalk(&told.sentence, bytes_max * 3 / 4));
        let fact_bytes_max = bytes_max / 4 / told.facts.len().max(1);
        let facts = told.facts.iter();
        let facts =
            facts.map(|(name, value)| format!("- {name}: {}", dingtalk(value, fact_bytes_max)));
        parts.push(facts.collect::<Vec<_>>().join("\n"));
    }
    if let Some(link) = notices.first().and_then(Notice::link) {
        // A closing parenthesis would end the address.
        let link = link.as_str().replace('(', "%28").replace(')', "%29");
        parts.push(format!("[{}]({link})", words::open_board(voice.language)));
    }
    json!({
        "msgtype": "markdown",
        // The title is what notifications and the list of conversations show, as plain text.
        "markdown": {"title": voice.title(notices), "text": parts.join("\n\n")},
        "at": {"isAtAll": false},
    })
}

/// The robot's address with the signature of a moment, where it has a secret.
pub(super) fn signed_url(url: &url::Url, secret: &Secret, at_ms: i64) -> url::Url {
    let mut text = format!("{at_ms}\n").into_bytes();
    text.extend_from_slice(secret.expose());
    let sign = base64_hmac(secret.expose(), &text);
    let mut signed = url.clone();
    signed
        .query_pairs_mut()
        .append_pair("timestamp", &at_ms.to_string())
        .append_pair("sign", &sign);
    signed
}
