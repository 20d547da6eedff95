//! Limits on the text itself, checked on its tokens before anything recurses over it.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::error::{AnalyseError, Fault, Position};
use crate::limits::QueryLimits;

/// Refuses texts that are too long, have too many tokens, nest too deeply or hold huge literals.
pub(crate) fn check_text(sql: &str, limits: &QueryLimits) -> Result<(), AnalyseError> {
    if sql.len() > limits.text_bytes_max {
        return Err(AnalyseError::TooLarge(Fault::new(format!(
            "the query has {} bytes; at most {} are allowed",
            sql.len(),
            limits.text_bytes_max
        ))));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize_with_location()
        .map_err(|e| {
            AnalyseError::Syntax(Fault::new(lower_first(&e.message)).at(position(e.location)))
        })?;
    let mut count = 0_usize;
    let mut nesting = Nesting::default();
    for token in &tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        count += 1;
        if count > limits.tokens_max {
            return Err(AnalyseError::TooLarge(
                Fault::new(format!(
                    "the query has more than {} words and signs",
                    limits.tokens_max
                ))
                .at(position(token.span.start))
                .suggest(Some(
                    "a long list of values is shorter as a join with a table".into(),
                )),
            ));
        }
        if nesting.enter(&token.token) > limits.nesting_max {
            return Err(AnalyseError::TooLarge(
                Fault::new(format!(
                    "the query nests more than {} levels deep",
                    limits.nesting_max
                ))
                .at(position(token.span.start)),
            ));
        }
        check_literal(token, limits)?;
    }
    Ok(())
}

fn check_literal(token: &TokenWithSpan, limits: &QueryLimits) -> Result<(), AnalyseError> {
    let length = match &token.token {
        Token::SingleQuotedString(text)
        | Token::DoubleQuotedString(text)
        | Token::TripleSingleQuotedString(text)
        | Token::TripleDoubleQuotedString(text)
        | Token::SingleQuotedByteStringLiteral(text)
        | Token::DoubleQuotedByteStringLiteral(text)
        | Token::SingleQuotedRawStringLiteral(text)
        | Token::DoubleQuotedRawStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::HexStringLiteral(text)
        | Token::Number(text, _) => text.len(),
        Token::DollarQuotedString(quoted) => quoted.value.len(),
        Token::QuoteDelimitedStringLiteral(quoted)
        | Token::NationalQuoteDelimitedStringLiteral(quoted) => quoted.value.len(),
        Token::Word(word) => word.value.len(),
        _ => 0,
    };
    if length > limits.literal_bytes_max {
        return Err(AnalyseError::TooLarge(
            Fault::new(format!(
                "a text or number in the query has {length} bytes; at most {} are allowed",
                limits.literal_bytes_max
            ))
            .at(position(token.span.start)),
        ));
    }
    Ok(())
}

/// How deep the parser would be at a token: open brackets and `case`s, plus the run of unary signs
/// in front of it, each of which is a level of the expression.
#[derive(Default)]
struct Nesting {
    open: usize,
    unary: usize,
}

impl Nesting {
    fn enter(&mut self, token: &Token) -> usize {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => self.open += 1,
            Token::RParen | Token::RBracket | Token::RBrace => {
                self.open = self.open.saturating_sub(1);
            }
            Token::Word(word) if word.quote_style.is_none() => {
                if word.value.eq_ignore_ascii_case("case") {
                    self.open += 1;
                } else if word.value.eq_ignore_ascii_case("end") {
                    self.open = self.open.saturating_sub(1);
                }
            }
            _ => {}
        }
        let is_unary = match token {
            Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark => true,
            // The parser takes one `interval` within another without counting how deep it is.
            Token::Word(word) => ["not", "interval"]
                .iter()
                .any(|sign| word.value.eq_ignore_ascii_case(sign)),
            _ => false,
        };
        self.unary = if is_unary { self.unary + 1 } else { 0 };
        self.open + self.unary
    }
}

/// The place in our own terms; the tokenizer's "unknown" is line 0.
pub(crate) fn position(location: Location) -> Option<Position> {
    (location.line > 0).then_some(Position {
        line: location.line,
        column: location.column,
    })
}

pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str) -> Result<(), String> {
        check_text(sql, &QueryLimits::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn an_ordinary_query_passes() {
        check("select psp, measure(rate) from p where note = 'it''s (fine' -- (((").unwrap();
    }

    #[test]
    fn a_text_over_the_byte_limit_is_refused() {
        let error = check(&format!("select 1 {}", " ".repeat(64 * 1024))).unwrap_err();
        assert!(error.contains("at most 65536 are allowed"), "{error}");
    }

    #[test]
    fn too_many_tokens_are_refused_with_their_place() {
        let error = check(&format!("select 1{}", "+1".repeat(10_000))).unwrap_err();
        assert!(
            error.contains("more than 4000 words and signs (line 1, column"),
            "{error}"
        );
    }

    #[test]
    fn deep_parentheses_cases_and_signs_are_refused() {
        for deep in [
            format!("select {}1{}", "(".repeat(60), ")".repeat(60)),
            format!("select {} 1", "case when true then ".repeat(60)),
            format!("select {} true", "not ".repeat(60)),
            format!("select {}1", "- ".repeat(60)),
            format!("select {}'1 day'", "interval ".repeat(60)),
        ] {
            let error = check(&deep).unwrap_err();
            assert!(error.contains("nests more than 48 levels deep"), "{error}");
        }
    }

    #[test]
    fn a_huge_literal_is_refused() {
        let error = check(&format!("select '{}'", "x".repeat(5_000))).unwrap_err();
        assert!(
            error.contains("has 5000 bytes; at most 4096 are allowed"),
            "{error}"
        );
    }

    #[test]
    fn an_unterminated_string_is_a_syntax_error() {
        let error = check("select 'abc").unwrap_err();
        assert!(error.contains("unterminated string literal"), "{error}");
    }
}
