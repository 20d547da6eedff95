//! What people are told, in their language. Nothing here is escaped yet; see [`super::escape`].

use jiff::Timestamp;

use super::escape::{VALUE_CHARS_MAX, plain};
use super::notice::{Notice, NoticeIncident};
use crate::definition::{Language, Severity};
use crate::figure::Slice;
use crate::incident::{Deviation, ImpactOf, TimelineKind};
use crate::watch::message::quantity;

/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// A notice in words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    /// How urgent it is and what happened: `Critical · Opened`.
    pub head: String,
    /// One sentence with the figures.
    pub sentence: String,
    /// Further facts, each with its name.
    pub facts: Vec<(&'static str, String)>,
}

/// The words for a notice.
pub(super) fn told(notice: &Notice, language: Language) -> Told {
    let incident = &notice.incident;
    let sentence = match language {
        Language::English => english(notice),
        Language::Chinese => chinese(notice),
    };
    let name = |en: &'static str, zh: &'static str| match language {
        Language::English => en,
        Language::Chinese => zh,
    };
    let mut facts = vec![
        (
            name("Monitor", "监控"),
            plain(&incident.monitor, VALUE_CHARS_MAX),
        ),
        (name("Since", "开始时间"), moment(&incident.started_at)),
    ];
    if let Some(at) = &incident.resolved_at {
        facts.push((name("Until", "结束时间"), moment(at)));
    }
    if let Some(impact) = &incident.impact {
        let about = match language {
            Language::English => "about",
            Language::Chinese => "约",
        };
        let amount = quantity(impact.value, impact.unit.as_deref());
        let what = match impact.of {
            ImpactOf::Affected => name("At stake", "涉及金额"),
            ImpactOf::Passed => name("In all events meanwhile", "期间全部事件金额"),
        };
        facts.push((what, format!("{about} {amount}")));
    }
    if let Some(owner) = &incident.owner {
        facts.push((name("Owner", "负责人"), plain(owner, VALUE_CHARS_MAX)));
    }
    if let Some(cause) = cause(incident, language) {
        facts.push((name("Explained by", "归因"), cause));
    }
    facts.push((
        name("Incident", "事件"),
        plain(&incident.id, VALUE_CHARS_MAX),
    ));
    Told {
        head: format!(
            "{} · {}",
            severity(incident.severity, language),
            happened(notice.kind, language)
        ),
        sentence,
        facts,
    }
}

/// One line for all notices of a message: a subject, a heading, a notification.
pub(super) fn title(notices: &[Notice], language: Language) -> String {
    let title = match notices {
        [notice] => {
            let told = told(notice, language);
            format!("[{}] {}", told.head, told.sentence)
        }
        several => {
            let worst = several.iter().map(|notice| notice.incident.severity).max();
            let worst = severity(worst.unwrap_or(Severity::Info), language);
            let count = several.len();
            match language {
                Language::English => format!("[{worst}] {count} messages about incidents"),
                Language::Chinese => format!("[{worst}] {count} 条事件通知"),
            }
        }
    };
    plain(&title, TITLE_CHARS_MAX)
}

/// What a link to the board is called.
pub(super) fn open_board(language: Language) -> &'static str {
    match language {
        Language::English => "Open Tillwatch",
        Language::Chinese => "打开 Tillwatch",
    }
}

pub(super) fn severity(severity: Severity, language: Language) -> &'static str {
    match (language, severity) {
        (Language::English, Severity::Critical) => "Critical",
        (Language::English, Severity::Warning) => "Warning",
        (Language::English, Severity::Info) => "Info",
        (Language::Chinese, Severity::Critical) => "严重",
        (Language::Chinese, Severity::Warning) => "警告",
        (Language::Chinese, Severity::Info) => "提示",
    }
}

pub(super) fn happened(kind: TimelineKind, language: Language) -> &'static str {
    let (en, zh) = match kind {
        TimelineKind::Opened => ("Opened", "触发"),
        TimelineKind::Acknowledged => ("Acknowledged", "已确认"),
        TimelineKind::Resolved => ("Resolved", "已解决"),
        TimelineKind::Reopened => ("Reopened", "重新触发"),
        TimelineKind::Repeated => ("Still open", "仍未解决"),
        TimelineKind::Updated
        | TimelineKind::Delivered
        | TimelineKind::DeliveryFailed
        | TimelineKind::Feedback
        | TimelineKind::Note => ("Updated", "更新"),
    };
    match language {
        Language::English => en,
        Language::Chinese => zh,
    }
}

/// The slice, each value cut: `issuer=bank_17, psp=adyen`.
pub(super) fn slice(incident: &NoticeIncident, language: Language) -> String {
    slice_text(&incident.slice, language)
}

/// The slices that explain it, with their shares of the change, where they say more than its own slice does:
/// `issuer=bank_17, psp=adyen (93 %)`.
pub(super) fn cause(incident: &NoticeIncident, language: Language) -> Option<String> {
    let explanation = incident.explanation.as_ref()?;
    let parts = explanation.parts_beyond(&incident.slice)?;
    let parts = parts.iter().map(|part| {
        let slice = slice_text(&part.slice, language);
        format!(
            "{slice} ({})",
            quantity(part.share_shown(), Some("percent"))
        )
    });
    Some(parts.collect::<Vec<_>>().join("; "))
}

fn slice_text(slice: &Slice, language: Language) -> String {
    let (all, none) = match language {
        Language::English => ("all", "(none)"),
        Language::Chinese => ("全部", "(无)"),
    };
    let pairs: Vec<String> = slice
        .pairs()
        .map(|(dimension, value)| {
            let value = value.map_or(none.to_owned(), |value| plain(value, VALUE_CHARS_MAX));
            format!("{dimension}={value}")
        })
        .collect();
    if pairs.is_empty() {
        return all.to_owned();
    }
    pairs.join(", ")
}

fn english(notice: &Notice) -> String {
    let incident = &notice.incident;
    let shown = |value: Option<f64>| shown(incident, value, "no value");
    let side = match incident.direction {
        Deviation::Up => "above",
        Deviation::Down => "below",
    };
    let value = shown(incident.value);
    let off = match (incident.bound, incident.expected) {
        (Some(bound), _) => format!("{value}, {side} the bound of {}", shown(Some(bound))),
        (None, expected) => format!("{value}, expected {}", shown(expected)),
    };
    let verb = match incident.direction {
        Deviation::Up => "rose to",
        Deviation::Down => "fell to",
    };
    let what = format!(
        "{} on {}",
        incident.metric,
        slice(incident, Language::English)
    );
    let mut text = if notice.is_over() {
        let lasted = lasted(incident, Language::English);
        match incident.bound {
            // The value of a threshold's incident that is over is that of its last window.
            Some(bound) => format!(
                "{what} is over after {lasted}; it was {side} the bound of {}",
                shown(Some(bound))
            ),
            None => format!("{what} is over after {lasted}; it was at {off}"),
        }
    } else {
        format!("{what} {verb} {off}")
    };
    if let (Some(affected), Some(of)) = (incident.affected, incident.denominator) {
        let how = if incident.bound.is_some() {
            "beyond it"
        } else {
            "affected"
        };
        text.push_str(&format!("; {affected:.0} of {of:.0} {how}"));
    } else if let Some(affected) = incident.affected {
        let how = match incident.direction {
            _ if incident.bound.is_some() => "beyond it",
            Deviation::Down => "missing",
            Deviation::Up => "too many",
        };
        text.push_str(&format!("; {affected:.0} {how}"));
    } else if let Some(passed) = incident.passed {
        text.push_str(&format!("; {passed:.0} events meanwhile, affected or not"));
    }
    text
}

fn chinese(notice: &Notice) -> String {
    let incident = &notice.incident;
    let shown = |value: Option<f64>| shown(incident, value, "无数值");
    let side = match incident.direction {
        Deviation::Up => "高于",
        Deviation::Down => "低于",
    };
    let value = shown(incident.value);
    let off = match (incident.bound, incident.expected) {
        (Some(bound), _) => format!("{value}，{side}界限 {}", shown(Some(bound))),
        (None, expected) => format!("{value}，预期 {}", shown(expected)),
    };
    let verb = match incident.direction {
        Deviation::Up => "升至",
        Deviation::Down => "降至",
    };
    let what = format!(
        "{} 的 {}",
        slice(incident, Language::Chinese),
        incident.metric
    );
    let mut text = if notice.is_over() {
        let lasted = lasted(incident, Language::Chinese);
        match incident.bound {
            Some(bound) => {
                format!(
                    "{what} 已结束，历时 {lasted}；此前{side}界限 {}",
                    shown(Some(bound))
                )
            }
            None => format!("{what} 已结束，历时 {lasted}；此前为 {off}"),
        }
    } else {
        format!("{what} {verb} {off}")
    };
    if let (Some(affected), Some(of)) = (incident.affected, incident.denominator) {
        let how = if incident.bound.is_some() {
            "超出界限"
        } else {
            "受影响"
        };
        text.push_str(&format!("；{of:.0} 笔中有 {affected:.0} 笔{how}"));
    } else if let Some(affected) = incident.affected {
        let how = match incident.direction {
            _ if incident.bound.is_some() => "超出界限",
            Deviation::Down => "缺少",
            Deviation::Up => "多出",
        };
        text.push_str(&format!("；{how} {affected:.0} 笔"));
    } else if let Some(passed) = incident.passed {
        text.push_str(&format!("；期间共 {passed:.0} 笔，不一定都受影响"));
    }
    text
}

fn shown(incident: &NoticeIncident, value: Option<f64>, nothing: &str) -> String {
    let unit = incident.unit.as_deref();
    value.map_or(nothing.to_owned(), |value| quantity(value, unit))
}

pub(super) fn lasted(incident: &NoticeIncident, language: Language) -> String {
    let at = |text: &str| {
        text.parse::<Timestamp>()
            .map_or(0, Timestamp::as_microsecond)
    };
    let end = incident
        .resolved_at
        .as_ref()
        .unwrap_or(&incident.updated_at);
    let text = crate::watch::message::duration(at(end) - at(&incident.started_at));
    match language {
        Language::English => text,
        Language::Chinese => text
            .replace("min", "分钟")
            .replace('s', "秒")
            .replace('h', "小时")
            .replace('d', "天"),
    }
}

/// A time as people read it: `2026-11-22 14:03 UTC`.
pub(super) fn moment(at: &str) -> String {
    match at.parse::<Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => plain(at, VALUE_CHARS_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::super::notice::{example, notice_of};
    use super::*;
    use crate::incident::{self, IncidentState};

    #[test]
    fn an_incident_is_told_in_both_languages() {
        let english = told(&example(), Language::English);
        assert_eq!(english.head, "Critical · Opened");
        assert_eq!(
            english.sentence,
            "authorization_rate on issuer=bank_17, psp=adyen fell to 41 %, expected 88 %; \
             147 of 312 affected"
        );
        let facts: Vec<&str> = english.facts.iter().map(|(name, _)| *name).collect();
        assert_eq!(facts, ["Monitor", "Since", "Incident"]);
        assert_eq!(english.facts[1].1, "2026-11-22 14:03 UTC");
        let mut explained = example();
        explained.incident.explanation = Some(incident::explanation_example());
        explained.incident.slice = Slice::from([("psp", "adyen")]);
        for (language, name) in [
            (Language::English, "Explained by"),
            (Language::Chinese, "归因"),
        ] {
            let facts = told(&explained, language).facts;
            let cause = "issuer=bank_17, psp=adyen (93 %)".to_owned();
            assert!(facts.contains(&(name, cause)), "{facts:?}");
        }
        let mut weighed = example();
        weighed.incident.owner = Some("payments".to_owned());
        weighed.incident.impact = Some(incident::IncidentImpact {
            metric: "requested_volume".to_owned(),
            value: 5_230.4,
            unit: Some("EUR".to_owned()),
            of: ImpactOf::Affected,
        });
        let facts = told(&weighed, Language::English).facts;
        assert!(
            facts.contains(&("At stake", "about 5230 EUR".to_owned())),
            "{facts:?}"
        );
        assert!(
            facts.contains(&("Owner", "payments".to_owned())),
            "{facts:?}"
        );
        if let Some(impact) = &mut weighed.incident.impact {
            impact.of = ImpactOf::Passed;
        }
        (weighed.incident.affected, weighed.incident.passed) = (None, Some(312.0));
        for (language, name, about, sentence) in [
            (
                Language::English,
                "In all events meanwhile",
                "about 5230 EUR",
                "; 312 events meanwhile, affected or not",
            ),
            (
                Language::Chinese,
                "期间全部事件金额",
                "约 5230 EUR",
                "；期间共 312 笔，不一定都受影响",
            ),
        ] {
            let told = told(&weighed, language);
            let fact = (name, about.to_owned());
            assert!(told.facts.contains(&fact), "{told:?}");
            assert!(told.sentence.ends_with(sentence), "{told:?}");
        }
        let chinese = told(&example(), Language::Chinese);
        assert_eq!(chinese.head, "严重 · 触发");
        assert_eq!(
            chinese.sentence,
            "issuer=bank_17, psp=adyen 的 authorization_rate 降至 41 %，预期 88 %；312 笔中有 147 笔受影响"
        );
    }

    #[test]
    fn an_incident_that_is_over_says_how_long_it_took_and_a_bound_is_called_so() {
        let mut over = incident::example();
        over.state = IncidentState::Resolved;
        over.resolved_at_us = Some(over.started_at_us + 90 * 60_000_000);
        over.figures.bound = Some(0.6);
        let notice = notice_of(&over, TimelineKind::Resolved);
        assert_eq!(
            told(&notice, Language::English).sentence,
            "authorization_rate on issuer=bank_17, psp=adyen is over after 1 h 30 min; it was below \
             the bound of 60 %; 147 of 312 beyond it"
        );
        assert_eq!(
            told(&notice, Language::Chinese).sentence,
            "issuer=bank_17, psp=adyen 的 authorization_rate 已结束，历时 1 小时 30 分钟；此前低于界限 60 %；\
             312 笔中有 147 笔超出界限"
        );
    }

    #[test]
    fn several_notices_have_one_title_with_the_worst_severity() {
        let mut warning = example();
        warning.incident.severity = Severity::Warning;
        let both = [warning, example()];
        assert_eq!(
            title(&both, Language::English),
            "[Critical] 2 messages about incidents"
        );
        assert_eq!(title(&both, Language::Chinese), "[严重] 2 条事件通知");
    }

    #[test]
    fn a_title_is_one_short_line_whatever_a_slice_holds() {
        let mut hostile = example();
        let value = format!("x\r\nBcc: eve@example.com\r\n\r\n{}", "y".repeat(10_240));
        hostile.incident.slice = crate::figure::Slice::from([("psp", value.as_str())]);
        let title = title(&[hostile], Language::English);
        assert_eq!(title.chars().count(), 200);
        assert!(!title.contains(['\r', '\n']), "{title}");
    }
}
