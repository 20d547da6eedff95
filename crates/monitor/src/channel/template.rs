//! Messages in the words of whoever runs the program.
//!
//! What a template itself says is in the markup of its target. What it is given of an incident is escaped for that
//! target whatever a template does with it, as events hold whatever somebody sent; no filter takes that away. A template
//! that fails keeps nobody from being told: the standard words stand in for it.

use std::collections::BTreeMap;
use std::fmt::Write;

use minijinja::value::Value;
use minijinja::{Environment, Error};

use super::escape::{VALUE_CHARS_MAX, dingtalk, feishu, plain, slack};
use super::notice::Notice;
use super::words;
use crate::definition::{Language, MessageTemplates, Severity};
use crate::incident::{ImpactOf, TimelineKind};
use crate::watch::message::quantity;

/// What a template can name, besides what it defines itself.
pub(crate) const VARIABLES: [&str; 24] = [
    "affected",
    "bound",
    "cause",
    "dimensions",
    "event",
    "expected",
    "impact",
    "incident",
    "kind",
    "lasted",
    "level",
    "metric",
    "monitor",
    "of",
    "owner",
    "passed",
    "passed_worth",
    "probability",
    "sentence",
    "severity",
    "since",
    "slice",
    "until",
    "value",
];
/// Steps that rendering may take, so that a loop without end ends.
const STEPS_MAX: u64 = 20_000;
/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 200;
/// Longest text that one `{{ … }}` prints, in characters.
const PRINTED_CHARS_MAX: usize = 2_000;

/// How a target reads text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// As it is.
    Plain,
    /// Slack's `mrkdwn`.
    Slack,
    /// The markdown of Feishu's cards.
    Feishu,
    /// DingTalk's markdown.
    DingTalk,
}

impl Target {
    fn escaped(self, text: &str) -> String {
        // A value that a filter has changed is still one line, and no longer than a sentence.
        let text = plain(text, PRINTED_CHARS_MAX);
        match self {
            Self::Plain => text,
            Self::Slack => slack(&text, usize::MAX),
            Self::Feishu => feishu(&text, usize::MAX),
            Self::DingTalk => dingtalk(&text, usize::MAX),
        }
    }
}

/// How a channel tells of incidents.
#[derive(Clone, Copy)]
pub(super) struct Voice<'a> {
    /// The language of the standard words, and of values that are words.
    pub language: Language,
    /// What is said in other words.
    pub templates: &'a MessageTemplates,
}

impl Voice<'_> {
    /// One line for all notices of a message, as plain text.
    pub fn title(&self, notices: &[Notice]) -> String {
        if let ([notice], Some(template)) = (notices, &self.templates.title)
            && let Some(title) = self.rendered("title", template, notice, Target::Plain)
        {
            return plain(&title, TITLE_CHARS_MAX);
        }
        words::title(notices, self.language)
    }

    /// The title of one notice in words of one's own.
    pub fn own_title(&self, notice: &Notice) -> Option<String> {
        self.templates.title.as_ref()?;
        Some(self.title(std::slice::from_ref(notice)))
    }

    /// What is told of a notice in words of one's own, at most `bytes_max` bytes; none for the standard words.
    pub fn own_text(&self, notice: &Notice, target: Target, bytes_max: usize) -> Option<String> {
        let template = self.templates.text.as_ref()?;
        let text = self.rendered("text", template, notice, target)?;
        Some(cut(text.trim(), bytes_max))
    }

    fn rendered(
        &self,
        name: &str,
        template: &str,
        notice: &Notice,
        target: Target,
    ) -> Option<String> {
        let rendered = render(template, values(notice, self.language), target);
        let told = |error: &Error| {
            tracing::warn!(
                incident = %notice.incident.id,
                reason = %reason(error),
                "the template of a message's {name} failed, the standard words are sent"
            );
        };
        let rendered = rendered.inspect_err(told).ok()?;
        (!rendered.trim().is_empty()).then_some(rendered)
    }
}

/// Cuts a text between characters.
fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let most = text.floor_char_boundary(bytes_max.saturating_sub('…'.len_utf8()));
    let mut kept = text.get(..most).unwrap_or_default().to_owned();
    kept.push('…');
    kept
}

/// Renders a template whose every value is escaped for its target.
fn render(template: &str, values: Value, target: Target) -> Result<String, Error> {
    environment(target).render_str(template, values)
}

fn environment<'a>(target: Target) -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(STEPS_MAX));
    // They are for HTML, which no template is written in.
    for filter in ["safe", "escape", "e"] {
        environment.remove_filter(filter);
    }
    environment.add_filter("urlencode", url_part);
    environment.set_formatter(move |out, _, value| {
        if value.is_undefined() || value.is_none() {
            return Ok(());
        }
        let text = match value.as_str() {
            Some(text) => target.escaped(text),
            None => target.escaped(&value.to_string()),
        };
        out.write_str(&text).map_err(Error::from)
    });
    environment
}

/// Text as a part of an address: nothing is left in it that a target has to escape.
fn url_part(value: Value) -> String {
    let text = if value.is_undefined() || value.is_none() {
        String::new()
    } else {
        value.to_string()
    };
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            part.push(char::from(byte));
        } else {
            let _ = write!(part, "%{byte:02X}");
        }
    }
    part
}

/// What is wrong with a template, and what it may have meant: it must be one, name only what there is, and render.
pub(crate) fn fault(template: &str) -> Option<String> {
    let environment = environment(Target::Plain);
    let parsed = match environment.template_from_str(template) {
        Ok(parsed) => parsed,
        Err(error) => return Some(reason(&error)),
    };
    let mut unknown: Vec<String> = parsed.undeclared_variables(false).into_iter().collect();
    // Functions are looked up like variables.
    unknown.retain(|name| !VARIABLES.contains(&name.as_str()) && name != "range");
    unknown.sort_unstable();
    if let Some(name) = unknown.first() {
        let nearest = tillwatch_event::suggest::closest(name, VARIABLES);
        let meant = nearest.map_or_else(
            || format!("; a message has {}", VARIABLES.join(", ")),
            |nearest| format!("; did you mean '{nearest}'?"),
        );
        return Some(format!("a message has no `{name}`{meant}"));
    }
    examples()
        .into_iter()
        .find_map(|example| parsed.render(example).err())
        .map(|error| reason(&error))
}

/// What templates are tried with: every kind of message of every level, and one that has nothing.
fn examples() -> Vec<Value> {
    let levels = [Severity::Critical, Severity::Warning, Severity::Info];
    let kinds = TimelineKind::ALL.into_iter();
    let pairs = kinds.flat_map(|kind| levels.map(|level| (kind, level)));
    let example = |(kind, level): (TimelineKind, Severity)| {
        let texts = VARIABLES.iter().map(|name| {
            let text = match *name {
                "kind" => kind.name(),
                "level" => level.name(),
                "event" => words::happened(kind, Language::English),
                "severity" => words::severity(level, Language::English),
                _ => "12",
            };
            (*name, text.to_owned())
        });
        context(texts, &BTreeMap::new())
    };
    let nothing = VARIABLES.iter().map(|name| (*name, String::new()));
    let nothing = context(nothing, &BTreeMap::new());
    pairs.map(example).chain([nothing]).collect()
}

/// An error in one line.
fn reason(error: &Error) -> String {
    let mut text = error.kind().to_string();
    if let Some(detail) = error.detail() {
        let _ = write!(text, ": {detail}");
    }
    if let Some(line) = error.line().filter(|line| *line > 1) {
        let _ = write!(text, " (line {line} of the template)");
    }
    text
}

fn context<'a>(
    texts: impl Iterator<Item = (&'a str, String)>,
    dimensions: &BTreeMap<String, String>,
) -> Value {
    let texts = texts.filter(|(name, _)| *name != "dimensions");
    let pairs = dimensions.iter();
    let pairs = pairs.map(|(name, value)| (name.clone(), Value::from(value.clone())));
    let all = texts.map(|(name, text)| (name.to_owned(), Value::from(text)));
    let dimensions = ("dimensions".to_owned(), Value::from_pairs(pairs));
    Value::from_pairs(all.chain([dimensions]))
}

/// What a template is given of a notice, each value one line of text; empty where there is none.
fn values(notice: &Notice, language: Language) -> Value {
    let incident = &notice.incident;
    let told = words::told(notice, language);
    let shown = |value: Option<f64>| {
        let unit = incident.unit.as_deref();
        value.map_or_else(String::new, |value| quantity(value, unit))
    };
    let count = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.0}"));
    let worth = |of: ImpactOf| {
        let impact = incident.impact.as_ref().filter(|impact| impact.of == of);
        impact.map_or_else(String::new, |impact| {
            quantity(impact.value, impact.unit.as_deref())
        })
    };
    let text = |text: &str| plain(text, VALUE_CHARS_MAX);
    let maybe = |value: Option<&str>| value.map(text).unwrap_or_default();
    let texts = [
        ("affected", count(incident.affected)),
        ("bound", shown(incident.bound)),
        (
            "cause",
            words::cause(incident, language).unwrap_or_default(),
        ),
        ("event", words::happened(notice.kind, language).to_owned()),
        ("expected", shown(incident.expected)),
        ("impact", worth(ImpactOf::Affected)),
        ("incident", text(&incident.id)),
        ("kind", notice.kind.name().to_owned()),
        ("lasted", words::lasted(incident, language)),
        ("level", incident.severity.name().to_owned()),
        ("metric", text(&incident.metric)),
        ("monitor", text(&incident.monitor)),
        ("of", count(incident.denominator)),
        ("owner", maybe(incident.owner.as_deref())),
        ("passed", count(incident.passed)),
        ("passed_worth", worth(ImpactOf::Passed)),
        (
            "probability",
            incident
                .probability
                .map_or_else(String::new, |p| quantity(p, Some("percent"))),
        ),
        ("sentence", told.sentence),
        (
            "severity",
            words::severity(incident.severity, language).to_owned(),
        ),
        ("since", words::moment(&incident.started_at)),
        ("slice", words::slice(incident, language)),
        (
            "until",
            (incident.resolved_at.as_deref()).map_or_else(String::new, words::moment),
        ),
        ("value", shown(incident.value)),
    ];
    let pairs = incident.slice.pairs();
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.map(text).unwrap_or_default()));
    context(texts.into_iter(), &pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::super::notice::{example, notice_of};
    use super::*;
    use crate::figure::Slice;
    use crate::incident::{self, IncidentState};

    fn templates(title: Option<&str>, text: Option<&str>) -> MessageTemplates {
        MessageTemplates {
            title: title.map(str::to_owned),
            text: text.map(str::to_owned),
        }
    }

    fn text(template: &str, notice: &Notice, target: Target) -> Option<String> {
        let templates = templates(None, Some(template));
        let voice = Voice {
            language: Language::English,
            templates: &templates,
        };
        voice.own_text(notice, target, 4_000)
    }

    #[test]
    fn every_value_that_is_named_is_there() {
        let mut over = incident::example();
        over.state = IncidentState::Resolved;
        over.resolved_at_us = Some(over.started_at_us + 90 * 60_000_000);
        over.owner = Some("payments".to_owned());
        over.figures.bound = Some(0.6);
        over.slice = Slice::from([("psp", "adyen")]);
        over.explanation = Some(incident::explanation_example());
        over.impact = Some(incident::IncidentImpact {
            metric: "requested_volume".to_owned(),
            value: 5_230.4,
            unit: Some("EUR".to_owned()),
            of: incident::ImpactOf::Affected,
        });
        let notice = notice_of(&over, TimelineKind::Resolved);
        // Of an average nobody can tell how many were affected, and what all of them are worth is not at stake.
        let mut passed = over.clone();
        (passed.figures.affected, passed.figures.passed) = (None, Some(312.0));
        if let Some(impact) = &mut passed.impact {
            impact.of = incident::ImpactOf::Passed;
        }
        let passed = notice_of(&passed, TimelineKind::Resolved);
        let worth = "{{ passed }}: {{ passed_worth }}{{ affected }}{{ impact }}";
        assert_eq!(
            text(worth, &passed, Target::Plain).unwrap(),
            "312: 5230 EUR"
        );
        for name in VARIABLES {
            let template = match name {
                "dimensions" => "{{ dimensions.psp }}".to_owned(),
                name => format!("{{{{ {name} }}}}"),
            };
            assert_eq!(fault(&template), None);
            let about = if name.starts_with("passed") {
                &passed
            } else {
                &notice
            };
            let shown = text(&template, about, Target::Plain);
            assert!(shown.is_some(), "{name} is empty");
        }
        let all = "{{ level }}|{{ event }}|{{ kind }}|{{ value }} of {{ expected }}|{{ affected }}/{{ of }}|{{ impact }}|\
                   {{ dimensions.psp }}|{{ cause }}|{{ since }} {{ until }} {{ lasted }}|{{ owner }}";
        assert_eq!(
            text(all, &notice, Target::Plain).unwrap(),
            "critical|Resolved|resolved|41 % of 88 %|147/312|5230 EUR|adyen|issuer=bank_17, psp=adyen (93 %)|\
             2026-11-22 14:03 UTC 2026-11-22 15:33 UTC 1 h 30 min|payments"
        );
        // What there is not is empty, and can be asked for.
        let owner = "{% if owner %}{{ owner }}{% else %}nobody{% endif %}{{ dimensions.country|urlencode }}";
        assert_eq!(fault(owner), None);
        assert_eq!(text(owner, &example(), Target::Plain).unwrap(), "nobody");
    }

    #[test]
    fn hostile_values_stay_text_whatever_a_template_does() {
        let mut hostile = example();
        let value = "<!channel> *x* [y](javascript:1)\r\nBcc: eve";
        hostile.incident.slice = Slice::from([("psp", value)]);
        for template in [
            "*{{ dimensions.psp }}*",
            "{% set x = dimensions.psp ~ '' %}{{ x|upper|lower }}",
            "{% for c in [slice] %}{{ c|replace('psp=', '') }}{% endfor %}",
            "{% set x %}{{ dimensions.psp }}{% endset %}{{ x }}",
        ] {
            assert_eq!(fault(template), None, "{template}");
            let slack = text(template, &hostile, Target::Slack).unwrap();
            assert!(
                !slack.contains("<!channel>") && !slack.contains('\n'),
                "{slack}"
            );
            let feishu = text(template, &hostile, Target::Feishu).unwrap();
            assert!(!feishu.contains("](") && !feishu.contains('<'), "{feishu}");
            let dingtalk = text(template, &hostile, Target::DingTalk).unwrap();
            assert!(
                !dingtalk.contains("[y](") && !dingtalk.contains('<'),
                "{dingtalk}"
            );
        }
        // Its own markup is the template's to choose.
        let runbook = "<https://wiki.example/{{ dimensions.psp|urlencode }}|Runbook>";
        let link = text(runbook, &hostile, Target::Slack).unwrap();
        assert_eq!(
            link,
            "<https://wiki.example/%3C%21channel%3E%20%2Ax%2A%20%5By%5D%28javascript%3A1%29%20%20Bcc%3A%20eve|Runbook>"
        );
        assert!(fault("{{ slice|safe }}").unwrap().contains("safe"));
    }

    #[test]
    fn what_cannot_be_rendered_is_refused_with_what_may_be_meant() {
        for (template, said) in [
            (
                "{{ metrc }}",
                "a message has no `metrc`; did you mean 'metric'?",
            ),
            (
                "{{ customer }}",
                "a message has no `customer`; a message has affected, bound,",
            ),
            ("{{ metric", "syntax error"),
            ("a\nb {% if %}", "(line 2 of the template)"),
            ("{{ metric|uper }}", "unknown filter"),
            ("{% include 'x' %}", "syntax error"),
            (
                "{% if level == 'info' %}{{ metric|uper }}{% endif %}",
                "unknown filter",
            ),
            (
                "{% if not owner %}{{ metric|uper }}{% endif %}",
                "unknown filter",
            ),
            (
                "{% for i in range(100000) %}x{% endfor %}",
                "engine ran out of fuel",
            ),
        ] {
            let found = fault(template).unwrap_or_default();
            assert!(found.contains(said), "{template}: {found}");
        }
    }

    #[test]
    fn a_template_that_fails_leaves_the_standard_words_and_long_ones_are_cut() {
        let broken = templates(Some("{{ metric|uper }}"), Some("{{ 1 // 0 }}"));
        let voice = Voice {
            language: Language::Chinese,
            templates: &broken,
        };
        let notice = example();
        assert_eq!(voice.own_text(&notice, Target::Slack, 100), None);
        let standard = words::title(std::slice::from_ref(&notice), Language::Chinese);
        assert_eq!(voice.title(std::slice::from_ref(&notice)), standard);
        let long = text(&"银".repeat(3_000), &notice, Target::Plain).unwrap();
        assert!(long.len() <= 4_000 && long.ends_with('…'), "{}", long.len());
        let own = templates(Some("{{ severity }}:\n{{ metric }}"), None);
        let voice = Voice {
            language: Language::Chinese,
            templates: &own,
        };
        let one = std::slice::from_ref(&notice);
        assert_eq!(voice.title(one), "严重: authorization_rate");
        // Several have a title that tells how many they are.
        let both = voice.title(&[notice.clone(), notice.clone()]);
        assert!(both.contains("2 条"), "{both}");
    }
}
