//! The page of the rules: `docs/LINT.md`, whose sections `lint --explain` prints.

/// The page itself.
const PAGE: &str = include_str!("../../../docs/LINT.md");

/// The codes that have a section, with the section's text, in the order of the page.
pub fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    // A section begins at its heading and ends before the next one of its rank or above.
    let starts: Vec<usize> = PAGE
        .match_indices("\n#")
        .map(|(at, _)| at + 1)
        .filter(|at| !in_code(&PAGE[..*at]))
        .filter(|at| rank(&PAGE[*at..]) <= 3)
        .collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([PAGE.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| {
        let section = PAGE.get(start..end)?.trim_end();
        let heading = section.lines().next()?.strip_prefix("### ")?;
        Some((heading.trim(), section))
    })
}

/// The section of a rule.
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    sections()
        .find(|(heading, _)| *heading == code)
        .map(|(_, section)| section)
}

/// Whether a text ends within a block of code, where `#` is no heading.
fn in_code(text: &str) -> bool {
    let fences = text.lines().filter(|line| line.starts_with("```"));
    fences.count() % 2 == 1
}

fn rank(heading: &str) -> usize {
    heading.chars().take_while(|c| *c == '#').count()
}
