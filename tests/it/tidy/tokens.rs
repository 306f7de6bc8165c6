//! Rust source as words, signs and texts, without comments and without what is compiled for tests only.

/// A part of the source.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Word(String),
    /// `::`
    Colons,
    /// What stands between quotes.
    Text(String),
    Sign(char),
}

/// Whether the whole file is compiled for tests only.
pub fn is_test_only(text: &str) -> bool {
    let tokens = tokens(text);
    let inner = [Token::Sign('#'), Token::Sign('!'), Token::Sign('[')];
    tokens.windows(inner.len()).enumerate().any(|(at, window)| window == inner && is_for_tests(&tokens[at + 3..]))
}

/// The tokens that count, and the modules that are declared for tests only.
pub fn product_tokens(text: &str) -> (Vec<Token>, Vec<String>) {
    let tokens = tokens(text);
    let (mut kept, mut test_modules, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        if tokens[at..].starts_with(&[Token::Sign('#'), Token::Sign('[')]) && is_for_tests(&tokens[at + 2..]) {
            let end = end_of_item(&tokens, at);
            test_modules.extend(declared(&tokens[at..end]));
            at = end;
        } else {
            kept.push(token.clone());
            at += 1;
        }
    }
    (kept, test_modules)
}

/// Whether `cfg(test)` or more with it begins here.
fn is_for_tests(tokens: &[Token]) -> bool {
    let word = |text: &str| Token::Word(text.to_owned());
    let attribute = tokens.split(|token| *token == Token::Sign(']')).next().unwrap_or_default();
    attribute.first() == Some(&word("cfg")) && attribute.contains(&word("test")) && !attribute.contains(&word("not"))
}

/// The name in `mod name;`.
fn declared(item: &[Token]) -> Option<String> {
    match item {
        [.., Token::Word(keyword), Token::Word(name), Token::Sign(';')] if keyword == "mod" => Some(name.clone()),
        _ => None,
    }
}

/// Behind the item that begins with attributes at `at`: behind its `;`, or behind its block.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at) == Some(&Token::Sign('#')) {
        at += 1 + block(&tokens[at + 1..]);
    }
    let mut is_value = false;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Sign(';') => return at + 1,
            Token::Sign('}') => return at,
            Token::Word(word) => is_value = is_value || ["use", "const", "static", "let"].contains(&word.as_str()),
            Token::Sign('{') if !is_value => return at + block(&tokens[at..]),
            Token::Sign('(' | '[' | '{') => at += block(&tokens[at..]) - 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// How many tokens there are from a bracket to the one that closes it.
fn block(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (token, length) = if let Some(length) = comment(rest) {
            (None, length)
        } else if let Some((inner, length)) = quoted(rest) {
            (Some(Token::Text(inner)), length)
        } else if is_word(letter) {
            let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            (Some(Token::Word(rest[..length].to_owned())), length)
        } else if rest.starts_with("::") {
            (Some(Token::Colons), 2)
        } else if letter == '\'' {
            (None, character(rest))
        } else {
            ((!letter.is_whitespace()).then_some(Token::Sign(letter)), letter.len_utf8())
        };
        tokens.extend(token);
        rest = &rest[length..];
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The length of the comment that begins here; comments in comments count.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    Some(at)
}

/// What stands in the quotes that begin here, raw ones too, and the length with them.
fn quoted(text: &str) -> Option<(String, usize)> {
    let prefix = ["br", "b", "r", "c", ""].into_iter().find(|prefix| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with('"') || prefix.ends_with('r') && rest.trim_start_matches('#').starts_with('"'))
    })?;
    let body = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let close = format!("\"{}", "#".repeat(hashes));
        let begin = prefix.len() + hashes + 1;
        let length = text[begin..].find(&close).unwrap_or(text.len() - begin);
        return Some((text[begin..begin + length].to_owned(), (begin + length + close.len()).min(text.len())));
    }
    let mut is_escaped = false;
    let end = body[1..].find(|letter| {
        let ends = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        ends
    });
    let length = end.unwrap_or(body.len() - 1);
    Some((body[1..=length].to_owned(), (prefix.len() + length + 2).min(text.len())))
}

/// The length of a letter in quotes, or 1 for a lifetime's quote.
fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => {
            letters.next();
            letters.find(|(_, letter)| *letter == '\'').map_or(1, |(at, _)| at + 1)
        }
        Some(_) => letters.next().filter(|(_, letter)| *letter == '\'').map_or(1, |(at, _)| at + 1),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let words = product_tokens(text).0.into_iter().filter_map(|token| if let Token::Word(word) = token { Some(word) } else { None });
        words.collect()
    }

    #[test]
    fn letters_lifetimes_and_texts_are_told_apart() {
        assert_eq!(words(r#"a('"', '\'', '\\', b'x', "b // \" c", 'ü') d // e"#), ["a", "b", "d"]);
        assert_eq!(words("a<'b>(&'c d) /* e /* f */ g */ h"), ["a", "b", "c", "d", "h"]);
        assert_eq!(tokens(r##"br#"x"y"# r"z\" b"w\"""##), ["x\"y", "z\\", "w\\\""].map(|text| Token::Text(text.to_owned())));
    }

    #[test]
    fn items_for_tests_end_where_they_end() {
        assert_eq!(words("#[cfg(test)] const A: [u8; 2] = [B { c: 1 }.d; 2]; e"), ["e"]);
        assert_eq!(words("#[cfg(test)] #[allow(a)] fn b(c: [u8; 2]) -> d { e; { f } } g"), ["g"]);
        assert_eq!(words("struct A { b: c, #[cfg(test)] d: e }"), ["struct", "A", "b", "c"]);
        assert_eq!(product_tokens("#[cfg(test)] pub mod checks; mod b;").1, ["checks"]);
    }
}
