//! Workflow commands of GitHub Actions: annotations, and texts that can be none.

/// How much one weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What ends the job.
    Error,
    /// What deserves a look.
    Warning,
    /// What is good to know.
    Notice,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One annotation. Its texts are anybody's, and stand in it as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How much it weighs.
    pub level: Level,
    /// Its properties by name, in order: `file`, `line`, `title`.
    pub properties: Vec<(&'static str, String)>,
    /// What it says.
    pub message: String,
}

impl Annotation {
    /// One with a title, about nothing that stands in a file.
    #[must_use]
    pub fn new(level: Level, title: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level,
            properties: vec![("title", title.into())],
            message: message.into(),
        }
    }

    /// The same about a line of a file.
    #[must_use]
    pub fn at(mut self, place: Option<(String, usize)>) -> Self {
        if let Some((file, line)) = place {
            self.properties.insert(0, ("line", line.to_string()));
            self.properties.insert(0, ("file", file));
        }
        self
    }

    /// The command, without a line feed.
    #[must_use]
    pub fn command(&self) -> String {
        let properties: Vec<String> = self
            .properties
            .iter()
            .map(|(name, value)| format!("{name}={}", property(value)))
            .collect();
        let level = self.level.as_str();
        let properties = properties.join(",");
        format!("::{level} {properties}::{}", data(&self.message))
    }
}

/// GitHub shows so many annotations of one level of a step, and drops the rest without a word.
const MOST: usize = 10;

/// The first of each level, and how many there are besides.
#[must_use]
pub fn few(all: Vec<Annotation>, where_else: &str) -> Vec<Annotation> {
    let mut out = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let mut of_level: Vec<Annotation> =
            all.iter().filter(|it| it.level == level).cloned().collect();
        if of_level.len() > MOST {
            let more = of_level.len() - (MOST - 1);
            of_level.truncate(MOST - 1);
            let message = format!("{more} more of these are not shown here: {where_else}");
            of_level.push(Annotation::new(level, "tollgate", message));
        }
        out.extend(of_level);
    }
    out
}

/// What stands after the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What stands in a property, where colons and commas part.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A text for the log of a job in which no line is a command: neither of those that begin a line, nor of
/// the older ones, which stand anywhere in it.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let blank =
            |c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{180e}');
        let rest = line.trim_start_matches(blank);
        let begins = line.len() - rest.len();
        if let Some(command) = rest.strip_prefix("::") {
            out.push_str(&line[..begins]);
            out.push_str(": :");
            out.push_str(&command.replace("##[", "## ["));
        } else {
            out.push_str(&line.replace("##[", "## ["));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_parts_a_command_is_escaped() {
        assert_eq!(data("50% of a:b,c\r\nd"), "50%25 of a:b,c%0D%0Ad");
        assert_eq!(property("50% of a:b,c\n"), "50%25 of a%3Ab%2Cc%0A");
        let told = Annotation::new(Level::Error, "a::b,c=d", "x\n::set-output name=a::b")
            .at(Some(("m,1/a:b.sql".to_owned(), 3)));
        assert_eq!(
            told.command(),
            "::error file=m%2C1/a%3Ab.sql,line=3,title=a%3A%3Ab%2Cc=d::x%0A::set-output name=a::b"
        );
    }

    #[test]
    fn no_line_of_a_text_is_a_command() {
        assert_eq!(
            harmless("a::b\n \t::error::x\n::stop-commands::y\n"),
            "a::b\n \t: :error::x\n: :stop-commands::y\n"
        );
        assert_eq!(harmless("a ##[error]b"), "a ## [error]b");
        assert_eq!(harmless("\u{feff}:: ##[x"), "\u{feff}: : ## [x");
        assert_eq!(harmless(""), "");
    }

    #[test]
    fn what_would_be_dropped_is_counted() {
        let one = |number: usize| Annotation::new(Level::Error, "t", number.to_string());
        let all = few((0..10).map(one).collect(), "there");
        assert_eq!(all.len(), 10);
        assert_eq!(all[9].message, "9");
        let all = few((0..25).map(one).collect(), "there");
        assert_eq!(all.len(), 10);
        assert_eq!(all[9].message, "16 more of these are not shown here: there");
    }
}
