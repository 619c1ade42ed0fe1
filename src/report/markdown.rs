//! Texts of others in Markdown: in code spans and fences, where nothing is a link, a mention, an image or HTML.

/// The longest run of backticks.
fn run(text: &str) -> usize {
    let mut runs = text.split(|c| c != '`').map(str::len);
    runs.by_ref().max().unwrap_or(0)
}

/// Longer than any in the text, and never one of tildes: those need no counting.
pub(super) fn fence(text: &str) -> String {
    "`".repeat(run(text).max(2) + 1)
}

/// A text in which nothing means anything.
pub(super) fn span(text: &str) -> String {
    let text = one_line(text);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let ticks = "`".repeat(run(&text) + 1);
    // One blank on either side is taken off again.
    match text.contains('`') || text.starts_with(' ') || text.ends_with(' ') {
        true => format!("{ticks} {text} {ticks}"),
        false => format!("{ticks}{text}{ticks}"),
    }
}

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_own_span_or_fence() {
        assert_eq!(span("a"), "`a`");
        assert_eq!(span(" a"), "`  a `");
        assert_eq!(span("`a``b`"), "``` `a``b` ```");
        assert_eq!(span("a\n\n## b"), "`a  ## b`");
        assert_eq!(span(" \n"), "(empty)");
        assert_eq!(fence("SELECT 1"), "```");
        assert_eq!(fence("`````"), "``````");
    }
}
