//! One line of a script with a caret under what is meant, its title above and its place beside it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Paint;
use crate::sql::Position;

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
    let shown = script[from..to].trim_end_matches('\r');
    let length = shown.len();
    let begin = (start - from).min(length);
    let end = floor(shown, at.end.saturating_sub(from).clamp(begin, length)).max(begin);
    let end = if end == begin {
        next(shown, begin)
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
        Snippet::source(shown)
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
