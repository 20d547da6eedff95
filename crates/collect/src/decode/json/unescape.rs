//! The characters that escapes stand for.

/// Appends the text that the inside of a JSON string stands for.
///
/// # Errors
/// When a `\u` escape is half of a pair without the other half: it stands for no character.
pub(crate) fn push(raw: &str, out: &mut String) -> Result<(), &'static str> {
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let (character, length) = read(escape.as_bytes())?;
        out.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(())
}

fn read(escape: &[u8]) -> Result<(char, usize), &'static str> {
    let single = |character| Ok((character, 2));
    match escape.get(1) {
        Some(b'"') => single('"'),
        Some(b'\\') => single('\\'),
        Some(b'/') => single('/'),
        Some(b'b') => single('\u{8}'),
        Some(b'f') => single('\u{c}'),
        Some(b'n') => single('\n'),
        Some(b'r') => single('\r'),
        Some(b't') => single('\t'),
        Some(b'u') => unicode(escape),
        _ => Err("has an unknown escape"),
    }
}

fn unicode(escape: &[u8]) -> Result<(char, usize), &'static str> {
    const HALF: &str = "has a \\u escape that is half of a character";
    let first = hex(escape, 2).ok_or(HALF)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    if !(0xD800..0xDC00).contains(&first) || escape.get(6..8) != Some(br"\u".as_slice()) {
        return Err(HALF);
    }
    let second = hex(escape, 8)
        .filter(|unit| (0xDC00..0xE000).contains(unit))
        .ok_or(HALF)?;
    let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    Ok((char::from_u32(code).ok_or(HALF)?, 12))
}

fn hex(escape: &[u8], from: usize) -> Option<u32> {
    let digits = std::str::from_utf8(escape.get(from..from + 4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}
