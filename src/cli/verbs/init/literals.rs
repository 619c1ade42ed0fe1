//! What stands literally in a `prisma.config.ts` or a `schema.prisma`. The text is read as words,
//! quoted texts and marks; nothing is evaluated, and what is put together by code is passed over.

/// The smallest parts of such a file, without its comments.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

/// A value that is understood without running anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A quoted text.
    Text(String),
    /// A variable of the environment, by its name: `env("X")`, `process.env.X`.
    Variable(String),
}

/// A file, cut into its parts.
pub(super) struct Literals(Vec<Token>);

impl Literals {
    pub(super) fn read(text: &str) -> Self {
        Self(tokens(text))
    }

    /// The value of a key in the object that another key names: `migrations: { path: "..." }`.
    pub(super) fn within(&self, object: &str, key: &str) -> Option<Value> {
        let opens = (0..self.0.len())
            .find(|at| self.is_key(*at, object, ':') && self.is_mark(at + 2, '{'))?;
        self.in_block(opens + 2, key, ':')
    }

    /// The value of a key anywhere; where it stands several times, the outermost one.
    pub(super) fn outermost(&self, key: &str) -> Option<Value> {
        let mut depth = 0_usize;
        let mut found: Option<(usize, Value)> = None;
        for at in 0..self.0.len() {
            depth = self.depth(at, depth);
            let Some(value) = self
                .is_key(at, key, ':')
                .then(|| self.value(at + 2))
                .flatten()
            else {
                continue;
            };
            if found.as_ref().is_none_or(|(outer, _)| depth < *outer) {
                found = Some((depth, value));
            }
        }
        found.map(|(_, value)| value)
    }

    /// The value of a key in the `datasource` block of a schema.
    pub(super) fn datasource(&self, key: &str) -> Option<Value> {
        let word = |at: usize, word: &str| self.0.get(at) == Some(&Token::Word(word.to_owned()));
        let opens = (0..self.0.len()).find(|at| {
            word(*at, "datasource")
                && matches!(self.0.get(at + 1), Some(Token::Word(_)))
                && self.is_mark(at + 2, '{')
        })?;
        self.in_block(opens + 2, key, '=')
    }

    fn in_block(&self, opens: usize, key: &str, mark: char) -> Option<Value> {
        let mut depth = 0;
        for at in opens..self.0.len() {
            depth = self.depth(at, depth);
            if depth == 0 {
                return None;
            }
            if depth == 1 && self.is_key(at, key, mark) {
                return self.value(at + 2);
            }
        }
        None
    }

    fn depth(&self, at: usize, depth: usize) -> usize {
        match self.0.get(at) {
            Some(Token::Mark('{')) => depth + 1,
            Some(Token::Mark('}')) => depth.saturating_sub(1),
            _ => depth,
        }
    }

    fn is_mark(&self, at: usize, mark: char) -> bool {
        self.0.get(at) == Some(&Token::Mark(mark))
    }

    fn is_key(&self, at: usize, key: &str, mark: char) -> bool {
        matches!(self.0.get(at), Some(Token::Word(text) | Token::Text(text)) if text == key)
            && self.is_mark(at + 1, mark)
    }

    fn value(&self, at: usize) -> Option<Value> {
        let word = |at: usize| match self.0.get(at) {
            Some(Token::Word(word)) => Some(word.as_str()),
            _ => None,
        };
        let text = |at: usize| match self.0.get(at) {
            Some(Token::Text(text)) => Some(text.clone()),
            _ => None,
        };
        if let Some(text) = text(at) {
            // A text that something is added to is not the value.
            let goes_on = matches!(self.0.get(at + 1), Some(Token::Mark('+' | '.' | '[' | '?')));
            return (!goes_on).then_some(Value::Text(text));
        }
        let variable = match (word(at)?, word(at + 2)) {
            ("env", _) if self.is_mark(at + 1, '(') => text(at + 2),
            ("process", Some("env")) if self.is_mark(at + 1, '.') => match self.0.get(at + 3)? {
                Token::Mark('.') => word(at + 4).map(str::to_owned),
                Token::Mark('[') => text(at + 4),
                _ => None,
            },
            _ => None,
        };
        variable.map(Value::Variable)
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let after = if let Some(comment) = rest.strip_prefix("//") {
            comment.find('\n').map_or("", |end| &comment[end..])
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.find("*/").map_or("", |end| &comment[end + 2..])
        } else if matches!(first, '"' | '\'' | '`') {
            let (token, after) = quoted(first, &rest[1..]);
            tokens.push(token);
            after
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            &rest[end..]
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Mark(first));
            }
            &rest[first.len_utf8()..]
        };
        rest = after;
    }
    tokens
}

/// A quoted text and what follows it. What has a `${}` in it, or an escape that is more than the
/// character after it, is no literal: a mark stands for it.
fn quoted(quote: char, rest: &str) -> (Token, &str) {
    let mut text = String::new();
    let mut literal = true;
    let mut characters = rest.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => {
                let token = if literal {
                    Token::Text(text)
                } else {
                    Token::Mark(quote)
                };
                return (token, &rest[at + 1..]);
            }
            '\\' => match characters.next() {
                Some((_, c)) if !c.is_alphanumeric() => text.push(c),
                _ => literal = false,
            },
            // A quote that is not closed on its line is an apostrophe in something unknown.
            '\n' if quote != '`' => return (Token::Mark(quote), &rest[at..]),
            '$' if quote == '`' && rest[at + 1..].starts_with('{') => literal = false,
            _ => text.push(character),
        }
    }
    (Token::Mark(quote), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Option<Value> {
        Some(Value::Text(value.to_owned()))
    }

    fn variable(name: &str) -> Option<Value> {
        Some(Value::Variable(name.to_owned()))
    }

    #[test]
    fn a_configuration_is_read_as_text() {
        let config = Literals::read(
            r#"import "dotenv/config"; // migrations: { path: "no" }
            /* schema: "no" */
            import { defineConfig, env } from 'prisma/config';
            export default defineConfig({
              tables: { schema: "inner" },
              schema: 'db/schema.prisma',
              migrations: { seed: "tsx seed.ts", "path": `db/migrations`, },
              datasource: { url: env('DIRECT_URL'), shadowDatabaseUrl: process.env.SHADOW },
            });"#,
        );
        assert_eq!(config.outermost("schema"), text("db/schema.prisma"));
        assert_eq!(config.within("migrations", "path"), text("db/migrations"));
        assert_eq!(config.within("datasource", "url"), variable("DIRECT_URL"));
        assert_eq!(
            config.within("datasource", "shadowDatabaseUrl"),
            variable("SHADOW")
        );
        assert_eq!(config.within("datasource", "directUrl"), None);
    }

    #[test]
    fn what_code_puts_together_is_no_literal() {
        for value in [
            "path.join('a', 'b')",
            "'a' + b",
            "`a/${b}`",
            "folder",
            "'a\\x2fb'",
            "'a'.trim()",
            "",
        ] {
            let config = Literals::read(&format!("{{ migrations: {{ path: {value} }} }}"));
            assert_eq!(config.within("migrations", "path"), None, "{value}");
        }
        let elsewhere = Literals::read("{ migrations: { x: { path: 'a' } }, path: 'b' }");
        assert_eq!(elsewhere.within("migrations", "path"), None);
    }

    #[test]
    fn nothing_makes_it_stumble() {
        for text in [
            "",
            "'",
            "`${",
            "/*",
            "//",
            "migrations:",
            "{{{",
            "}}}",
            "\\",
            "it's: \u{e9}'",
        ] {
            let read = Literals::read(text);
            assert_eq!(read.within("migrations", "path"), None, "{text}");
            assert_eq!(read.datasource("url"), None, "{text}");
            assert_eq!(read.outermost("schema"), None, "{text}");
        }
    }

    #[test]
    fn a_schema_names_its_provider_and_its_variables() {
        let schema = Literals::read(
            "generator client {\n provider = \"prisma-client-js\"\n}\n/// it's the one\n\
             datasource db {\n  provider  = \"postgresql\"\n  url = env(\"APP_URL\") // x\n  directUrl = env(\"DIRECT\")\n}\n",
        );
        assert_eq!(schema.datasource("provider"), text("postgresql"));
        assert_eq!(schema.datasource("url"), variable("APP_URL"));
        assert_eq!(schema.datasource("directUrl"), variable("DIRECT"));
    }
}
