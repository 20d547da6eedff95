//! Slack: an incoming webhook that takes blocks.

use serde_json::{Value, json};

use super::escape::{plain, slack};
use super::notice::Notice;
use super::template::{Target, Voice};
use super::words;

/// Longest `plain_text` of a header block, in characters.
const HEADER_CHARS_MAX: usize = 150;
/// Longest text of a section block is 3000 characters.
const SECTION_BYTES_MAX: usize = 2900;
/// What the text of a notification needs at most.
const TEXT_BYTES_MAX: usize = 1500;

/// The message. `text` is what notifications show, and what clients read that show no blocks.
pub(super) fn body(notices: &[Notice], voice: Voice<'_>) -> Value {
    let title = voice.title(notices);
    let mut blocks = Vec::new();
    if notices.len() > 1 {
        blocks.push(json!({
            "type": "header",
            "text": {"type": "plain_text", "text": plain(&title, HEADER_CHARS_MAX), "emoji": false},
        }));
    }
    for notice in notices {
        if let Some(text) = voice.own_text(notice, Target::Slack, SECTION_BYTES_MAX) {
            let text = json!({"type": "mrkdwn", "text": text, "verbatim": true});
            blocks.push(json!({"type": "section", "text": text}));
            continue;
        }
        let told = words::told(notice, voice.language);
        let sentence = slack(&told.sentence, SECTION_BYTES_MAX - 100);
        blocks.push(json!({
            "type": "section",
            // Verbatim: names and addresses in values do not become links by themselves.
            "text": {
                "type": "mrkdwn",
                "text": format!("*{}*\n{sentence}", told.head),
                "verbatim": true,
            },
        }));
        let facts: Vec<String> = told
            .facts
            .iter()
            .map(|(name, value)| format!("{name}: {}", slack(value, TEXT_BYTES_MAX)))
            .collect();
        blocks.push(json!({
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": facts.join(" · "), "verbatim": true}],
        }));
    }
    if let Some(link) = notices.first().and_then(Notice::link) {
        // Within angle brackets a bar ends the address.
        let link = slack(link.as_str(), TEXT_BYTES_MAX).replace('|', "%7C");
        let link = link.replace('\u{2060}', "");
        let name = words::open_board(voice.language);
        blocks.push(json!({
            "type": "section",
            "text": {"type": "mrkdwn", "text": format!("<{link}|{name}>"), "verbatim": true},
        }));
    }
    json!({"text": slack(&title, TEXT_BYTES_MAX), "blocks": blocks})
}
