//! What the pages in HTML share: text that is no markup, and what a page may load, which is nothing.

use crate::model::approval::is_hidden;

/// A text in which nothing is markup, in an element or in an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// [`escaped`], with a sign in the place of what is not seen, turns the text around it, or is no text.
pub(super) fn shown(text: &str) -> String {
    let is_odd = |c: char| is_hidden(c) || (c.is_control() && c != '\n' && c != '\t');
    match text.contains(is_odd) {
        true => escaped(&text.replace("\r\n", "\n").replace(is_odd, "\u{fffd}")),
        false => escaped(text),
    }
}

/// The bytes in base64, as a content security policy names a hash.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let byte = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4 {
            let letter = LETTERS.get(((bits >> (18 - 6 * place)) & 63) as usize);
            out.push(match place > three.len() {
                true => '=',
                false => char::from(letter.copied().unwrap_or(b'A')),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_everywhere() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn nothing_is_markup_and_nothing_hides() {
        assert_eq!(
            shown("<a b=\"c\">'&\r\n\t\u{202e}\u{1b}["),
            "&lt;a b=&quot;c&quot;&gt;&#39;&amp;\n\t\u{fffd}\u{fffd}["
        );
    }
}
