//! Slack, Feishu and DingTalk: what they are sent is what their protocols ask for, in every respect
//! that their documentation names, and what they answer is understood.

use base64::Engine;
use serde_json::Value;

use super::*;
use crate::definition::{Language, MessageTemplates};

/// A chat's channel `team` at the receiver.
fn chat(
    kind: fn(HookDefinition) -> ChannelKind,
    receiver: &Receiver,
    secret: Option<&str>,
) -> ChannelDefinition {
    let hook = HookDefinition {
        url: format!("{}?access_token=t0ken", receiver.url()),
        secret: secret.map(Secret::issued),
        allow_private: true,
    };
    ChannelDefinition::new("team", kind(hook))
}

/// HMAC-SHA256 by its definition (RFC 2104), so that what is checked is not what is checked with.
fn hmac_by_definition(key: &[u8], text: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text);
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize());
    base64::engine::general_purpose::STANDARD.encode(outer.finalize())
}

/// What Slack refuses: blocks of unknown type, texts that are empty or too long, too many blocks.
fn check_slack(message: &Value) {
    let blocks = message["blocks"].as_array().unwrap();
    assert!((1..=50).contains(&blocks.len()), "{} blocks", blocks.len());
    let text = message["text"].as_str().unwrap();
    assert!((1..=4000).contains(&text.len()), "{text}");
    let check_text = |text: &Value, kinds: &[&str], most: usize| {
        let kind = text["type"].as_str().unwrap();
        assert!(kinds.contains(&kind), "{text}");
        let length = text["text"].as_str().unwrap().chars().count();
        assert!((1..=most).contains(&length), "{length}: {text}");
        let allowed: &[&str] = match kind {
            "plain_text" => &["type", "text", "emoji"],
            _ => &["type", "text", "verbatim"],
        };
        let mut keys = text.as_object().unwrap().keys();
        assert!(keys.all(|key| allowed.contains(&key.as_str())), "{text}");
    };
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => check_text(&block["text"], &["plain_text"], 150),
            "section" => check_text(&block["text"], &["mrkdwn", "plain_text"], 3000),
            "context" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=10).contains(&elements.len()));
                for element in elements {
                    check_text(element, &["mrkdwn", "plain_text"], 3000);
                }
            }
            other => panic!("Slack has no block `{other}`"),
        }
    }
}

/// All texts of a JSON document, one after the other.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(texts).collect(),
        Value::Object(fields) => fields.values().map(texts).collect(),
        _ => String::new(),
    }
}

#[tokio::test]
async fn slack_gets_blocks_that_it_takes_whatever_a_slice_holds() {
    let receiver = Receiver::start(&[Reply::Say("200 OK", "ok")]);
    for (incident, language) in [
        (example(), Language::English),
        (hostile(), Language::English),
        (hostile(), Language::Chinese),
    ] {
        let catalogue = with_transitions(&[(incident, TimelineKind::Opened)]);
        let mut channel = chat(ChannelKind::Slack, &receiver, None);
        channel.language = language;
        let courier = courier_of(&catalogue, channel);
        assert_eq!(courier.deliver_due(NOW).await.unwrap(), DELIVERED);
    }
    let requests = receiver.requests();
    let messages: Vec<Value> = requests.iter().map(Received::json).collect();
    messages.iter().for_each(check_slack);
    let first = texts(&messages[0]);
    assert!(first.contains("*Critical · Opened*"), "{first}");
    assert!(first.contains("fell to 41 %, expected 88 %"), "{first}");
    assert!(
        first.contains("<https://till.example/|Open Tillwatch>"),
        "{first}"
    );
    for message in &messages[1..] {
        let all = texts(message).replace("<https://till.example/|", "");
        let all = all
            .replace("Open Tillwatch>", "")
            .replace("打开 Tillwatch>", "");
        assert!(!all.contains(['<', '>']), "{all}");
        assert!(all.contains("&lt;!channel&gt;"), "{all}");
        assert!(!all.contains(" *bold*"), "{all}");
        assert!(all.len() < 6000, "{} bytes", all.len());
    }
    assert!(texts(&messages[2]).contains("严重 · 触发"));
}

#[tokio::test]
async fn a_channel_speaks_in_words_of_ones_own_and_values_stay_text() {
    let replies = [
        (
            ChannelKind::Slack as fn(HookDefinition) -> ChannelKind,
            "ok",
        ),
        (
            ChannelKind::Feishu,
            "{\"code\":0,\"msg\":\"success\",\"data\":{}}",
        ),
        (ChannelKind::DingTalk, "{\"errcode\":0,\"errmsg\":\"ok\"}"),
    ];
    for (kind, reply) in replies {
        let receiver = Receiver::start(&[Reply::Say("200 OK", reply)]);
        let catalogue = with_transitions(&[(hostile(), TimelineKind::Opened)]);
        let mut channel = chat(kind, &receiver, None);
        channel.language = Language::Chinese;
        channel.message = MessageTemplates {
            title: Some("{{ severity }} {{ metric }}".to_owned()),
            text: Some("**PSP** {{ dimensions.psp }}: {{ value }} < {{ expected }}".to_owned()),
        };
        let courier = courier_of(&catalogue, channel);
        assert_eq!(courier.deliver_due(NOW).await.unwrap(), DELIVERED);
        let all = texts(&receiver.requests()[0].json());
        assert!(all.contains("**PSP** "), "{all}");
        assert!(all.contains("严重 authorization"), "{all}");
        assert!(
            !all.contains("<img") && !all.contains("<!channel>"),
            "{all}"
        );
        assert!(
            !all.contains("预期"),
            "the standard words are not sent too: {all}"
        );
    }
}

#[tokio::test]
async fn what_slack_calls_invalid_is_not_sent_again_and_a_busy_one_is() {
    let invalid = Reply::Say("400 Bad Request", "invalid_blocks");
    let receiver = Receiver::start(&[
        invalid,
        Reply::Answer("429 Too Many Requests", "Retry-After: 30\r\n"),
    ]);
    let catalogue = with_transitions(&[(example(), TimelineKind::Opened)]);
    let courier = courier_of(&catalogue, chat(ChannelKind::Slack, &receiver, None));
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), FAILED);
    let text = "team: answered 400 Bad Request: invalid_blocks".to_owned();
    assert_eq!(last_entry(&catalogue), (TimelineKind::DeliveryFailed, text));
    let states = catalogue.deliveries().unwrap();
    assert_eq!(states[0].channel, "team");
    assert_eq!((states[0].pending, states[0].failed_at_us), (0, Some(NOW)));
    assert!(states[0].error.as_ref().unwrap().contains("invalid_blocks"));
    let shown = courier.states();
    assert_eq!((shown[0].name.as_str(), shown[0].kind), ("team", "slack"));
    assert_eq!(shown[0].delivery, states[0]);
    let catalogue = with_transitions(&[(example(), TimelineKind::Opened)]);
    let courier = courier_of(&catalogue, chat(ChannelKind::Slack, &receiver, None));
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), RETRIED);
    assert_eq!(
        courier.deliver_due(NOW + 29 * SECOND).await.unwrap(),
        NOTHING
    );
    assert_eq!(catalogue.deliveries().unwrap()[0].pending, 1);
}

#[tokio::test]
async fn feishu_gets_a_signed_card_whatever_a_slice_holds() {
    let good = Reply::Say("200 OK", "{\"code\":0,\"msg\":\"success\",\"data\":{}}");
    let receiver = Receiver::start(&[good]);
    for incident in [example(), hostile()] {
        let catalogue = with_transitions(&[(incident, TimelineKind::Opened)]);
        let mut channel = chat(ChannelKind::Feishu, &receiver, Some("feishu-secret"));
        channel.language = Language::Chinese;
        let courier = courier_of(&catalogue, channel);
        assert_eq!(courier.deliver_due(NOW).await.unwrap(), DELIVERED);
    }
    for request in receiver.requests() {
        assert!(
            request.body.len() <= 20 * 1024,
            "{} bytes",
            request.body.len()
        );
        let message = request.json();
        let at = message["timestamp"].as_str().unwrap();
        assert_eq!(at, (NOW / SECOND).to_string());
        let key = format!("{at}\nfeishu-secret");
        assert_eq!(message["sign"], hmac_by_definition(key.as_bytes(), b""));
        assert_eq!(message["msg_type"], "interactive");
        let card = &message["card"];
        assert_eq!(card["header"]["template"], "red");
        assert_eq!(card["header"]["title"]["tag"], "plain_text");
        let elements = card["elements"].as_array().unwrap();
        assert_eq!(elements.len(), 2);
        let markdown = elements[0]["text"]["content"].as_str().unwrap();
        assert_eq!(elements[0]["text"]["tag"], "lark_md");
        assert!(markdown.starts_with("**严重 · 触发**\n"), "{markdown}");
        let rest = &markdown["**严重 · 触发**\n".len()..];
        assert!(!rest.contains(['<', '>', '*', '[', ']', '(']), "{rest}");
        let button = &elements[1]["actions"][0];
        assert_eq!(button["url"], "https://till.example/");
    }
}

#[tokio::test]
async fn dingtalk_gets_signed_markdown_whatever_a_slice_holds() {
    let good = Reply::Say("200 OK", "{\"errcode\":0,\"errmsg\":\"ok\"}");
    let receiver = Receiver::start(&[good]);
    for incident in [example(), hostile()] {
        let catalogue = with_transitions(&[(incident, TimelineKind::Opened)]);
        let channel = chat(ChannelKind::DingTalk, &receiver, Some("SECdingtalk"));
        let courier = courier_of(&catalogue, channel);
        assert_eq!(courier.deliver_due(NOW).await.unwrap(), DELIVERED);
    }
    for request in receiver.requests() {
        assert!(request.body.len() <= 20_000, "{} bytes", request.body.len());
        let url = url::Url::parse(&format!("http://x{}", request.target)).unwrap();
        let of = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
        };
        assert_eq!(of("access_token"), "t0ken");
        let at = of("timestamp");
        assert_eq!(at, (NOW / 1000).to_string());
        let text = format!("{at}\nSECdingtalk");
        assert_eq!(
            of("sign"),
            hmac_by_definition(b"SECdingtalk", text.as_bytes())
        );
        let message = request.json();
        assert_eq!(message["msgtype"], "markdown");
        assert_eq!(message["at"]["isAtAll"], false);
        let title = message["markdown"]["title"].as_str().unwrap();
        assert!(title.chars().count() <= 200, "{title}");
        let text = message["markdown"]["text"].as_str().unwrap();
        assert!(text.starts_with("### Critical · Opened\n\n"), "{text}");
        assert!(!text.contains(['<', '>']), "{text}");
        assert!(
            text.ends_with("[Open Tillwatch](https://till.example/)"),
            "{text}"
        );
        assert_eq!(text.matches("](").count(), 1, "only our own link: {text}");
    }
}

#[tokio::test]
async fn a_robot_that_answers_well_and_says_no_is_asked_again() {
    for (kind, said, reason) in [
        (
            ChannelKind::Feishu as fn(HookDefinition) -> ChannelKind,
            "{\"code\":19021,\"msg\":\"sign match fail\"}",
            "answered code 19021: sign match fail",
        ),
        (
            ChannelKind::DingTalk,
            "{\"errcode\":130101,\"errmsg\":\"send too fast\"}",
            "answered code 130101: send too fast",
        ),
        (
            ChannelKind::DingTalk,
            "<html>",
            "answered 200 without a code",
        ),
    ] {
        let receiver = Receiver::start(&[Reply::Say("200 OK", said)]);
        let catalogue = with_transitions(&[(example(), TimelineKind::Opened)]);
        let courier = courier_of(&catalogue, chat(kind, &receiver, None));
        assert_eq!(courier.deliver_due(NOW).await.unwrap(), RETRIED);
        let states = catalogue.deliveries().unwrap();
        assert_eq!(states[0].error.as_deref(), Some(reason));
        let message = receiver.requests()[0].json();
        assert!(message.get("sign").is_none(), "no secret, no signature");
    }
}
