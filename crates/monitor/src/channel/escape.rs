//! Keeping what stands in events from being read as anything but text.
//!
//! Values of dimensions are chosen by whoever sends events. Each target has characters that would
//! make a link, a mention, a heading or markup of them; here they lose that meaning.

use std::borrow::Cow;

/// Longest value of a dimension that is shown, in characters.
pub(super) const VALUE_CHARS_MAX: usize = 200;
/// What stands for the rest of a text that is cut.
const CUT: char = '…';

/// A value as one line of visible text: without control characters, line ends and characters that
/// are invisible or turn the direction of writing, and cut to `chars_max` characters.
pub(super) fn plain(text: &str, chars_max: usize) -> String {
    // Enough of a value of any length to see whether it must be cut.
    let mut shown: String = text
        .chars()
        .take(chars_max.saturating_add(1))
        .map(|c| if is_visible(c) { c } else { ' ' })
        .collect();
    if shown.chars().count() > chars_max {
        shown = shown.chars().take(chars_max.saturating_sub(1)).collect();
        shown.push(CUT);
    }
    shown.trim().to_owned()
}

fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text for a target, at most `bytes_max` bytes of it after escaping and never half an escape.
fn escape(text: &str, bytes_max: usize, piece: impl Fn(char) -> Cow<'static, str>) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let piece = piece(c);
        if escaped.len() + piece.len() + CUT.len_utf8() > bytes_max {
            escaped.push(CUT);
            break;
        }
        escaped.push_str(&piece);
    }
    escaped
}

fn same(c: char) -> Cow<'static, str> {
    Cow::Owned(c.to_string())
}

/// For Slack's `mrkdwn`. The three characters that make links, mentions and commands become
/// entities; those that format get an invisible joiner in front, which keeps them from opening
/// anything.
pub(super) fn slack(text: &str, bytes_max: usize) -> String {
    escape(text, bytes_max, |c| match c {
        '&' => Cow::Borrowed("&amp;"),
        '<' => Cow::Borrowed("&lt;"),
        '>' => Cow::Borrowed("&gt;"),
        '*' | '_' | '~' | '`' => Cow::Owned(format!("\u{2060}{c}")),
        c => same(c),
    })
}

/// For HTML, in text and in attributes between double quotes.
pub(super) fn html(text: &str) -> String {
    escape(text, usize::MAX, |c| match c {
        '&' => Cow::Borrowed("&amp;"),
        '<' => Cow::Borrowed("&lt;"),
        '>' => Cow::Borrowed("&gt;"),
        '"' => Cow::Borrowed("&quot;"),
        '\'' => Cow::Borrowed("&#39;"),
        c => same(c),
    })
}

/// For the markdown of Feishu's cards, which reads numeric entities as plain characters. The colon
/// is among them, so that no address becomes a link by itself.
pub(super) fn feishu(text: &str, bytes_max: usize) -> String {
    escape(text, bytes_max, |c| match c {
        '&' | '<' | '>' | '*' | '_' | '~' | '[' | ']' | '(' | ')' | '#' | '!' | '`' | '\\'
        | '{' | '}' | '|' | '+' | '-' | ':' | '@' | '$' => {
            Cow::Owned(format!("&#{};", u32::from(c)))
        }
        c => same(c),
    })
}

/// For DingTalk's markdown: markup is escaped with a backslash, HTML with entities.
pub(super) fn dingtalk(text: &str, bytes_max: usize) -> String {
    escape(text, bytes_max, |c| match c {
        '&' => Cow::Borrowed("&amp;"),
        '<' => Cow::Borrowed("&lt;"),
        '>' => Cow::Borrowed("&gt;"),
        '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '!'
        | '|' | '~' => Cow::Owned(format!("\\{c}")),
        // What looks like an address is made a link by itself; an invisible joiner keeps it from that.
        ':' | '.' | '@' => Cow::Owned(format!("{c}\u{2060}")),
        c => same(c),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_one_line_of_visible_text() {
        assert_eq!(plain("a\r\nBcc: eve@x\u{0}y", 99), "a  Bcc: eve@x y");
        assert_eq!(plain("\u{202e}gnp.exe\u{2028}x\u{200b}", 99), "gnp.exe x");
        assert_eq!(plain("银行_17 é", 99), "银行_17 é");
        let long = "ä".repeat(10_240);
        let shown = plain(&long, VALUE_CHARS_MAX);
        assert_eq!(shown.chars().count(), VALUE_CHARS_MAX);
        assert!(shown.ends_with("ä…"));
        assert_eq!(plain(&"b".repeat(200), 200), "b".repeat(200));
    }

    #[test]
    fn each_target_reads_hostile_text_as_text() {
        let all = usize::MAX;
        assert_eq!(
            slack("<!channel> & *x*", all),
            "&lt;!channel&gt; &amp; \u{2060}*x\u{2060}*"
        );
        assert_eq!(
            html("<img src=x onerror=\"a('b')\">"),
            "&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;"
        );
        assert_eq!(
            feishu("[x](javascript:1)<at id=all>", all),
            "&#91;x&#93;&#40;javascript&#58;1&#41;&#60;at id=all&#62;"
        );
        assert_eq!(
            dingtalk("![x](javascript:1) <b> # \\", all),
            "\\!\\[x\\]\\(javascript:\u{2060}1\\) &lt;b&gt; \\# \\\\"
        );
    }

    #[test]
    fn what_is_too_long_is_cut_between_escapes() {
        for bytes_max in 4..40 {
            let cut = slack(&"<".repeat(100), bytes_max);
            assert!(cut.len() <= bytes_max, "{bytes_max}: {cut}");
            assert_eq!(cut.trim_end_matches('…').len() % 4, 0, "{cut}");
        }
        assert_eq!(slack("<<", 11), "&lt;&lt;");
    }
}
