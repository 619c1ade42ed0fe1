//! `.env` files: what their names say, and the names in them. Only names leave this file: what stands
//! behind the `=` is passed over, and neither kept nor told.

use super::prisma::below;

/// An environment that is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Dev,
    Test,
    Prod,
}

impl Stage {
    pub(super) const ALL: [Self; 3] = [Self::Dev, Self::Test, Self::Prod];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Prod => "prod",
        }
    }

    /// The environment that a part of a name means.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "dev" | "development" => Some(Self::Dev),
            "test" | "testing" | "staging" | "stage" | "stg" | "qa" | "uat" => Some(Self::Test),
            "prod" | "production" | "live" => Some(Self::Prod),
            _ => None,
        }
    }
}

/// What the name of a `.env` file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnvFile {
    /// The path of the file that is meant: of `.env.example` it is `.env`.
    pub(super) path: String,
    /// The environment that its name says.
    pub(super) stage: Option<Stage>,
    /// `.env.local`: this machine's.
    pub(super) is_local: bool,
    /// It only shows what the file that is meant should hold.
    pub(super) is_template: bool,
}

impl EnvFile {
    /// Reads the name of a file; nothing where it is none of those that hold variables.
    pub(super) fn of(folder: &str, name: &str) -> Option<Self> {
        let parts = match name.strip_prefix(".env")? {
            "" => "",
            rest => rest.strip_prefix('.')?,
        };
        let mut path = below(folder, ".env");
        let (mut stage, mut is_local, mut is_template) = (None, false, false);
        for part in parts.split('.').filter(|part| !part.is_empty()) {
            match part {
                "example" | "sample" | "template" | "tpl" | "dist" | "defaults" => {
                    is_template = true;
                    continue;
                }
                "local" => is_local = true,
                // `.env.keys`, `.env.vault`, `.env.bak` are none of ours.
                _ => stage = Some(Stage::of(part)?),
            }
            path = format!("{path}.{part}");
        }
        Some(Self {
            path,
            stage,
            is_local,
            is_template,
        })
    }
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The names before the `=` of each line. The lines inside a quoted value are part of the value.
pub(super) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let value = value.trim_start();
            if let Some(quote) = value
                .chars()
                .next()
                .filter(|c| matches!(c, '"' | '\'' | '`'))
                && !value[1..].contains(quote)
                && let Some(closes) = lines.clone().position(|line| line.contains(quote))
            {
                lines.nth(closes);
            }
            let name = name.trim();
            if is_name(name) {
                return Some(name);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_passed_over() {
        let text = "A=\"\nDATABASE_URL_PROD=inside\n\"\nB='x'\nDATABASE_URL_TEST=\"y\n# c=\n1BAD=\nno line\nC D=1\n";
        assert_eq!(
            names_in(text).collect::<Vec<_>>(),
            ["A", "B", "DATABASE_URL_TEST"]
        );
    }

    #[test]
    fn names_of_files() {
        for name in [
            ".envrc",
            ".env.vault",
            ".env.keys",
            ".env.bak",
            "env",
            ".environment",
            ".env-x",
        ] {
            assert_eq!(EnvFile::of("", name), None, "{name}");
        }
        for (name, path, stage) in [
            (".env", ".env", None),
            (
                ".env.development.local",
                ".env.development.local",
                Some(Stage::Dev),
            ),
            (".env.test.example", ".env.test", Some(Stage::Test)),
            (".env.sample", ".env", None),
        ] {
            let file = EnvFile::of("", name).unwrap();
            assert_eq!((file.path.as_str(), file.stage), (path, stage), "{name}");
        }
    }
}
