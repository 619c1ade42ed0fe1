//! One line of a script with a caret under what is meant, its title above and its place beside it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Paint;
use crate::sql::{Hidden, Position};

/// A line longer than this, in characters, is shown only around the caret.
const WINDOW: usize = 160;

/// What stands before the title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// `error`
    Error,
    /// `warning`
    Warning,
    /// `note`
    Note,
    /// `allowed`
    Allowed,
}

impl Weight {
    fn level(self) -> Level<'static> {
        match self {
            Self::Error => Level::ERROR,
            Self::Warning => Level::WARNING,
            Self::Note => Level::NOTE,
            Self::Allowed => Level::INFO.with_name("allowed"),
        }
    }
}

/// What is meant, in which script.
pub(super) struct Spot<'a> {
    /// The script's path.
    pub(super) path: &'a str,
    /// Its text.
    pub(super) script: &'a str,
    /// What is meant, in bytes.
    pub(super) at: Range<usize>,
    /// Where that begins.
    pub(super) place: Position,
    /// What of the script is not shown, in order.
    pub(super) hidden: &'a [Hidden],
}

/// Draws it, ending in a line feed. `id` stands in brackets behind the weight.
pub(super) fn draw(
    weight: Weight,
    id: Option<&str>,
    title: &str,
    spot: &Spot<'_>,
    paint: Paint,
) -> String {
    let Spot {
        path,
        script,
        at,
        place,
        hidden,
    } = spot;
    let start = floor(script, at.start);
    // No further than what is shown: a script may have a hundred thousand findings in one line.
    let back = floor(script, start.saturating_sub(WINDOW + 1));
    let line_start = script[back..start]
        .rfind('\n')
        .map_or(back, |line_feed| back + line_feed + 1);
    let ahead = floor(script, start + WINDOW + 4);
    let line_end = script[start..ahead]
        .find('\n')
        .map_or(ahead, |line_feed| start + line_feed);
    // A dump can have a line of a megabyte; what is far from the caret helps nobody.
    let (mut from, mut to) = (line_start, line_end);
    if line_end - line_start > WINDOW {
        from = floor(script, start.saturating_sub(WINDOW / 2).max(line_start));
        to = floor(script, (start + WINDOW / 2).min(line_end));
    }
    let line = script[from..to].trim_end_matches('\r');
    let meant = (start - from).min(line.len())..at.end.saturating_sub(from).min(line.len());
    let (shown, meant) = without(hidden, line, from, meant);
    let begin = meant.start;
    let end = floor(&shown, meant.end.clamp(begin, shown.len())).max(begin);
    let end = if end == begin {
        next(&shown, begin)
    } else {
        end
    };
    let location = format!("{path}:{}:{}", place.line, place.column);
    let level = weight.level();
    let mut title = level.primary_title(title);
    if let Some(id) = id {
        title = title.id(id);
    }
    let report = [title.element(
        Snippet::source(shown.as_str())
            .line_start(place.line)
            .fold(false)
            .annotation(AnnotationKind::Primary.span(begin..end)),
    )];
    let renderer = if paint.0 {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let drawn = renderer.render(&report).to_string();
    // The renderer would name the column in the shown part; the true one stands after the title.
    let (first, rest) = drawn.split_once('\n').unwrap_or((drawn.as_str(), ""));
    format!("{first}\n  --> {location}\n{rest}\n")
}

/// A part of the script that begins at byte `from` of it, without what is hidden; and where what is meant
/// stands in it then.
fn without(
    hidden: &[Hidden],
    line: &str,
    from: usize,
    meant: Range<usize>,
) -> (String, Range<usize>) {
    let mut out = String::with_capacity(line.len());
    let Range { mut start, mut end } = meant.clone();
    let mut done = 0;
    let first = hidden.partition_point(|it| it.range.end <= from);
    for it in hidden.iter().skip(first) {
        let opens = it.range.start.saturating_sub(from);
        if opens >= line.len() {
            break;
        }
        let closes = (it.range.end - from).min(line.len());
        out.push_str(&line[done..opens]);
        let stands = out.len()..out.len() + it.instead.len();
        out.push_str(it.instead);
        // A place behind it moves with it, one within it is its beginning or its end.
        if meant.start >= closes {
            start = stands.end + (meant.start - closes);
        } else if meant.start >= opens {
            start = stands.start;
        }
        if meant.end >= closes {
            end = stands.end + (meant.end - closes);
        } else if meant.end > opens {
            end = stands.end;
        }
        done = closes;
    }
    out.push_str(&line[done..]);
    (out, start..end)
}

/// The nearest start of a character at or before an offset.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The end of the character at an offset.
fn next(text: &str, offset: usize) -> usize {
    text[offset..]
        .chars()
        .next()
        .map_or(offset, |character| offset + character.len_utf8())
}

/// The title and the path alone, of something that is about a whole file.
pub(super) fn title(
    weight: Weight,
    id: Option<&str>,
    title: &str,
    path: &str,
    paint: Paint,
) -> String {
    let level = weight.level();
    let mut title = level.primary_title(title);
    if let Some(id) = id {
        title = title.id(id);
    }
    let renderer = if paint.0 {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let report = [annotate_snippets::Group::with_title(title)];
    format!("{}\n  --> {path}\n", renderer.render(&report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::passwords;

    #[test]
    fn the_caret_stays_under_what_is_meant() {
        let script =
            "SELECT 1;\nALTER ROLE a PASSWORD 'geheim' LOGIN; ALTER ROLE b PASSWORD 'x';\n";
        let hidden = passwords(script);
        let from = 10;
        let line = script[from..].trim_end();
        let shown = "ALTER ROLE a PASSWORD '***' LOGIN; ALTER ROLE b PASSWORD '***';";
        for (of, expected) in [
            ("ROLE a", "ROLE a"),
            ("LOGIN", "LOGIN"),
            ("'geheim'", "'***'"),
            ("heim", "'***'"),
            ("PASSWORD 'geheim' LOGIN", "PASSWORD '***' LOGIN"),
            ("b PASSWORD 'x';", "b PASSWORD '***';"),
        ] {
            let at = line.find(of).unwrap();
            let (out, meant) = without(&hidden, line, from, at..at + of.len());
            assert_eq!(out, shown);
            assert_eq!(&out[meant], expected);
        }
        // The end of a literal that began on a line before.
        let script = "ALTER ROLE a PASSWORD 'ge\nheim' LOGIN;";
        let (out, _) = without(&passwords(script), "heim' LOGIN;", 26, 0..1);
        assert_eq!(out, "'***' LOGIN;");
    }
}
