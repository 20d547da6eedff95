//! Feishu (Lark): a custom bot that takes cards.

use serde_json::{Value, json};

use super::escape::feishu;
use super::mac::base64_hmac;
use super::notice::Notice;
use super::template::{Target, Voice};
use super::words;
use crate::definition::{Secret, Severity};

/// Feishu takes requests of at most 20 KB; so much of it is for the incidents.
const NOTICES_BYTES_MAX: usize = 14_000;
/// What one incident takes of it at most.
const NOTICE_BYTES_MAX: usize = 4_000;

/// The message: a card with a coloured head, signed where the bot has a secret.
pub(super) fn body(
    notices: &[Notice],
    voice: Voice<'_>,
    secret: Option<&Secret>,
    at_s: i64,
) -> Value {
    let bytes_max = (NOTICES_BYTES_MAX / notices.len().max(1)).min(NOTICE_BYTES_MAX);
    let mut elements = Vec::new();
    for notice in notices {
        if let Some(text) = voice.own_text(notice, Target::Feishu, bytes_max) {
            let text = json!({"tag": "lark_md", "content": text});
            elements.push(json!({"tag": "div", "text": text}));
            continue;
        }
        let told = words::told(notice, voice.language);
        let mut lines = vec![
            format!("**{}**", told.head),
            feishu(&told.sentence, bytes_max * 3 / 4),
        ];
        let fact_bytes_max = bytes_max / 4 / told.facts.len().max(1);
        let facts = told.facts.iter();
        lines.extend(
            facts.map(|(name, value)| format!("{name}: {}", feishu(value, fact_bytes_max))),
        );
        let text = json!({"tag": "lark_md", "content": lines.join("\n")});
        elements.push(json!({"tag": "div", "text": text}));
    }
    if let Some(link) = notices.first().and_then(Notice::link) {
        let name = json!({"tag": "plain_text", "content": words::open_board(voice.language)});
        let button =
            json!({"tag": "button", "type": "primary", "text": name, "url": link.as_str()});
        elements.push(json!({"tag": "action", "actions": [button]}));
    }
    let mut message = json!({
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": true},
            "header": {
                "title": {"tag": "plain_text", "content": voice.title(notices)},
                "template": colour(notices),
            },
            "elements": elements,
        },
    });
    if let (Some(secret), Value::Object(fields)) = (secret, &mut message) {
        fields.insert("timestamp".to_owned(), json!(at_s.to_string()));
        fields.insert("sign".to_owned(), json!(sign(secret, at_s)));
    }
    message
}

/// Time and secret are the key, and nothing is signed with it: so Feishu defines it.
fn sign(secret: &Secret, at_s: i64) -> String {
    let mut key = format!("{at_s}\n").into_bytes();
    key.extend_from_slice(secret.expose());
    base64_hmac(&key, b"")
}

fn colour(notices: &[Notice]) -> &'static str {
    if notices.iter().all(Notice::is_over) {
        return "green";
    }
    let open = notices.iter().filter(|notice| !notice.is_over());
    match open.map(|notice| notice.incident.severity).max() {
        Some(Severity::Critical) => "red",
        Some(Severity::Warning) => "orange",
        _ => "blue",
    }
}
