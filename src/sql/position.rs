//! Where something stands in a script, for people and from the servers' own counting.

use std::ops::Range;

/// A place in a script as an editor shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1. Lines end at a line feed.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

/// Finds the line and the column of an offset in bytes.
///
/// An offset past the end stands for the end, and one within a character for its start.
#[must_use]
pub fn position(script: &str, offset: usize) -> Position {
    let before = &script[..script.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// Finds the positions of offsets one after another, in one walk where each is not before the last.
#[derive(Debug, Clone)]
pub struct Positions<'a> {
    script: &'a str,
    offset: usize,
    at: Position,
}

impl<'a> Positions<'a> {
    /// From the beginning of a script.
    #[must_use]
    pub const fn new(script: &'a str) -> Self {
        Self {
            script,
            offset: 0,
            at: Position { line: 1, column: 1 },
        }
    }

    /// As [`position`]; one that is before the last is looked for from the beginning.
    pub fn of(&mut self, offset: usize) -> Position {
        let offset = self.script.floor_char_boundary(offset);
        if offset < self.offset {
            *self = Self::new(self.script);
        }
        for character in self.script[self.offset..offset].chars() {
            if character == '\n' {
                self.at.line += 1;
                self.at.column = 1;
            } else {
                self.at.column += 1;
            }
        }
        self.offset = offset;
        self.at
    }
}

/// The range in bytes of the line in which an offset stands, without its line ending (`\n` or
/// `\r\n`). Offsets are taken as in [`position`].
#[must_use]
pub fn line_range(script: &str, offset: usize) -> Range<usize> {
    let offset = script.floor_char_boundary(offset);
    let start = script[..offset]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let end = script[offset..]
        .find('\n')
        .map_or(script.len(), |newline| offset + newline);
    let line = &script[start..end];
    start..start + line.strip_suffix('\r').unwrap_or(line).len()
}

/// The text of the line in which an offset stands, without its line ending.
#[must_use]
pub fn line_text(script: &str, offset: usize) -> &str {
    &script[line_range(script, offset)]
}

/// Turns PostgreSQL's position of an error, which counts characters of the query string from 1,
/// into an offset in bytes in that string; a position past the end gives its length.
///
/// `None` for 0, which PostgreSQL uses for "no position".
#[must_use]
pub fn char_position_to_offset(text: &str, position: usize) -> Option<usize> {
    let index = position.checked_sub(1)?;
    Some(
        text.char_indices()
            .nth(index)
            .map_or(text.len(), |(offset, _)| offset),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let script = "SELECT 1;\r\nSELECT 'ä→𐐷' x;\n\nend";
        for (needle, line, column) in [
            ("SELECT 1", 1, 1),
            ("1;", 1, 8),
            ("SELECT 'ä", 2, 1),
            ("→", 2, 10),
            ("𐐷", 2, 11),
            ("x;", 2, 14),
            ("\nend", 3, 1),
            ("end", 4, 1),
        ] {
            let offset = script.find(needle).expect(needle);
            assert_eq!(
                position(script, offset),
                Position { line, column },
                "{needle:?}"
            );
        }
        let mut walk = Positions::new(script);
        for offset in (0..=script.len()).chain([3, 0, 9999]) {
            assert_eq!(walk.of(offset), position(script, offset), "{offset}");
        }
        assert_eq!(position(script, 9999), Position { line: 4, column: 4 });
        assert_eq!(position("", 0), Position { line: 1, column: 1 });
        assert_eq!(
            position("ä", 1),
            Position { line: 1, column: 1 },
            "within a character"
        );
    }

    #[test]
    fn lines_come_without_their_endings() {
        let script = "one\r\ntwo\n\nfour";
        for (offset, expected) in [
            (0, "one"),
            (4, "one"),
            (5, "two"),
            (8, "two"),
            (9, ""),
            (10, "four"),
            (99, "four"),
        ] {
            assert_eq!(line_text(script, offset), expected, "{offset}");
        }
        assert_eq!(line_range(script, 6), 5..8);
        assert_eq!(line_text("", 0), "");
        assert_eq!(line_text("a\n", 2), "");
    }

    #[test]
    fn a_position_in_characters_becomes_an_offset_in_bytes() {
        let text = "aä→𐐷z";
        let offsets: Vec<_> = (0..8).map(|at| char_position_to_offset(text, at)).collect();
        let expected = [
            None,
            Some(0),
            Some(1),
            Some(3),
            Some(6),
            Some(10),
            Some(11),
            Some(11),
        ];
        assert_eq!(offsets, expected);
    }
}
