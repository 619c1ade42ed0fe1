//! The `tollgate.toml` that fits a tree of Prisma's.

use std::fmt::Write as _;
use std::path::Path;

use super::env_files::Stage;
use super::literals::Value;
use super::prisma::{Tree, below, join};
use super::variables::{Names, Source};

/// An environment as it is proposed.
pub(super) struct Proposed {
    pub(super) stage: Stage,
    /// Its url, as the file writes it.
    pub(super) url: String,
    /// Where the variable of the url stands; nothing where the url is written out.
    pub(super) source: Option<Source>,
    /// Whether the SQLite file that the url names is there.
    pub(super) is_there: bool,
}

impl Proposed {
    /// Where the url was found, for people.
    pub(super) fn found(&self) -> String {
        match &self.source {
            None if self.is_there => "the file is there".to_owned(),
            None => "made with the first apply".to_owned(),
            Some(Source {
                found_in: Some(file),
                ..
            }) => format!("named in {file}"),
            Some(_) => "named in no .env file".to_owned(),
        }
    }
}

/// PostgreSQL: by the variables that were named.
pub(super) fn by_variables(names: &Names) -> Vec<Proposed> {
    let proposed = Stage::ALL.map(|stage| {
        let source = names.source(stage);
        Proposed {
            stage,
            url: format!("env:{}", source.variable),
            source: Some(source),
            is_there: false,
        }
    });
    proposed.into()
}

/// SQLite: by the files that Prisma uses, written out, because they hold no secret, and because what
/// stands in Prisma's variable (`file:./dev.db`) starts at another folder than paths do here.
pub(super) fn by_files(root: &Path, tree: &Tree) -> Vec<Proposed> {
    // To version 6 a path starts at the schema; from 7 on at prisma.config.*.
    let start = if tree.configured {
        &tree.package
    } else {
        &tree.folder
    };
    let written = match &tree.url {
        Some(Value::Text(url)) => url
            .strip_prefix("file:")
            .map(|path| path.split('?').next().unwrap_or(path))
            .filter(|path| !path.is_empty())
            .and_then(|path| join(start, path)),
        _ => None,
    };
    let usual = || {
        let places = [start, &tree.folder, &tree.package];
        let mut files = places.map(|folder| below(folder, "dev.db")).into_iter();
        files
            .find(|file| root.join(file).is_file())
            .unwrap_or_else(|| below(start, "dev.db"))
    };
    let dev = written.unwrap_or_else(usual);
    let (folder, name) = dev.rsplit_once('/').unwrap_or(("", &dev));
    let beside = |stage: Stage| {
        let name = if name.contains("dev") {
            name.replace("dev", stage.name())
        } else {
            format!("{}.db", stage.name())
        };
        below(folder, &name)
    };
    let files = [
        (Stage::Dev, dev.clone()),
        (Stage::Test, beside(Stage::Test)),
        (Stage::Prod, beside(Stage::Prod)),
    ];
    let proposed = files.map(|(stage, file)| Proposed {
        stage,
        is_there: root.join(&file).is_file(),
        url: format!("sqlite:{file}"),
        source: None,
    });
    proposed.into()
}

/// The text of the file.
pub(super) fn text(tree: &Tree, others: &[String], environments: &[Proposed]) -> String {
    let mut text = String::from(
        "# Proposed for the Prisma tree that was found here. Read it, and change what does not fit.\n\
         # The chain: a migration enters an environment only when the same bytes succeeded in every one before it.\n",
    );
    let by_variables = environments.iter().any(|one| one.source.is_some());
    // Writing into a text cannot fail.
    let _ = writeln!(text, "migrations = {}", quoted(&tree.migrations));
    for other in others {
        let _ = writeln!(text, "# also found, for a chain of its own: {other}");
    }
    let _ = writeln!(text, "ledger     = \"state/ledger.db\"\n");
    text.push_str(if by_variables {
        "# What follows env: is a variable of the environment or of .env. Its value is read when it is needed, and never kept.\n\
         # Through a pooler that shares sessions by transaction (port 6543) no run can hold its lock: where DIRECT_URL stands\n\
         # beside such a DATABASE_URL, it is used.\n"
    } else {
        "# Paths start at this file. (In Prisma's own url, file:./dev.db, they start at its schema, or at prisma.config.)\n\
         # For PostgreSQL: url = \"env:DATABASE_URL_PROD\", with the variable in the environment or in .env.\n"
    });
    let env_file = |one: &Proposed| {
        one.source
            .as_ref()
            .and_then(|source| source.env_file.clone())
    };
    let width = if environments.iter().any(|one| env_file(one).is_some()) {
        8
    } else {
        4
    };
    let urls = environments.iter().map(|one| quoted(&one.url).len());
    let files = environments.iter().filter_map(env_file);
    let longest = urls.chain(files.map(|file| quoted(&file).len())).max();
    let long = longest.unwrap_or_default();
    for (number, one) in environments.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "[[environment]]");
        let _ = writeln!(text, "{:width$} = \"{}\"", "name", one.stage.name());
        let _ = writeln!(
            text,
            "{:width$} = {:<long$}   # {}",
            "url",
            quoted(&one.url),
            one.found()
        );
        if let Some(file) = env_file(one) {
            let _ = writeln!(
                text,
                "{:width$} = {:<long$}   # looked into first, then the environment and .env",
                "env_file",
                quoted(&file)
            );
        }
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test makes the files that are read"
)]
mod tests {
    use super::*;
    use crate::cli::config;

    fn tree(folder: &str) -> Tree {
        Tree {
            folder: folder.to_owned(),
            migrations: below(folder, "migrations"),
            ..Tree::default()
        }
    }

    fn environment(stage: Stage, variable: &str, env_file: Option<&str>) -> Proposed {
        Proposed {
            stage,
            url: format!("env:{variable}"),
            source: Some(Source {
                variable: variable.to_owned(),
                env_file: env_file.map(str::to_owned),
                found_in: env_file.map(str::to_owned),
                put_into: None,
            }),
            is_there: false,
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        for folder in [
            "prisma",
            "",
            "packages/my \"db\"/prisma",
            "a'b\\c",
            "packages/d\u{e4}ta",
        ] {
            let environments = [
                environment(Stage::Dev, "DIRECT_URL", None),
                environment(Stage::Test, "DATABASE_URL", Some(".env.test")),
                environment(
                    Stage::Prod,
                    "DATABASE_URL",
                    Some("packages/my \"db\"/.env.prod"),
                ),
            ];
            let text = text(&tree(folder), &["x/migrations".to_owned()], &environments);
            let config = config::parse(&text, Path::new("/p")).unwrap();
            assert_eq!(
                config.migrations,
                Path::new("/p").join(folder).join("migrations")
            );
            assert_eq!(
                config.urls,
                ["env:DIRECT_URL", "env:DATABASE_URL", "env:DATABASE_URL"]
            );
            assert_eq!(config.env_files[1].as_deref(), Some(".env.test"));
            assert_eq!(
                config.env_files[2].as_deref(),
                Some("packages/my \"db\"/.env.prod")
            );
        }
    }

    #[test]
    fn sqlite_files_stand_where_prisma_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let urls = |tree: &Tree| -> Vec<String> {
            by_files(root, tree)
                .into_iter()
                .map(|one| one.url)
                .collect()
        };
        let written = |url: &str| Some(Value::Text(url.to_owned()));
        let six = Tree {
            url: written("file:./dev.db?connection_limit=1"),
            ..tree("prisma")
        };
        assert_eq!(
            urls(&six),
            [
                "sqlite:prisma/dev.db",
                "sqlite:prisma/test.db",
                "sqlite:prisma/prod.db"
            ]
        );
        let up = Tree {
            url: written("file:../data/app-dev.sqlite"),
            ..tree("prisma")
        };
        assert_eq!(
            urls(&up)[..2],
            ["sqlite:data/app-dev.sqlite", "sqlite:data/app-test.sqlite"]
        );
        let other = Tree {
            url: written("file:app.db"),
            ..tree("prisma")
        };
        assert_eq!(
            urls(&other),
            [
                "sqlite:prisma/app.db",
                "sqlite:prisma/test.db",
                "sqlite:prisma/prod.db"
            ]
        );
        let seven = Tree {
            url: written("file:./dev.db"),
            configured: true,
            ..tree("prisma")
        };
        assert_eq!(urls(&seven)[0], "sqlite:dev.db");
        let by_variable = Tree {
            url: Some(Value::Variable("DATABASE_URL".to_owned())),
            ..tree("prisma")
        };
        assert_eq!(urls(&by_variable)[0], "sqlite:prisma/dev.db");
        std::fs::write(root.join("dev.db"), "").unwrap();
        assert_eq!(urls(&by_variable)[0], "sqlite:dev.db");
        let text = text(&six, &[], &by_files(root, &six));
        let config = config::parse(&text, root).unwrap();
        assert_eq!(config.urls, urls(&six));
    }
}
