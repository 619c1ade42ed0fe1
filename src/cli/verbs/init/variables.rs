//! Which variable holds the url of which environment, by the names alone.

use std::path::Path;

use super::env_files::{EnvFile, Stage, is_name, names_in};
use super::literals::Value;
use super::prisma::{Tree, below, names, text};

/// A variable that may hold the url of a database, and the file that names it.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    file: EnvFile,
    /// The file that names it, as it is called.
    shown: String,
}

/// Every name that was found.
pub(super) struct Names {
    named: Vec<Named>,
    /// The names that Prisma's own settings give: the direct url, and the other.
    own: [Option<String>; 2],
    /// Files that are there and could not be read.
    pub(super) unread: Vec<String>,
}

/// Where the url of an environment comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// The variable.
    pub(super) variable: String,
    /// The file that it is to be looked up in first, where that is not `.env` of the repository.
    pub(super) env_file: Option<String>,
    /// The file that names it; nothing where none does.
    pub(super) found_in: Option<String>,
    /// The file that it has to be put into, where it is not there yet.
    pub(super) put_into: Option<String>,
}

impl Names {
    /// Looks into the `.env` files of every place of the tree.
    pub(super) fn look(root: &Path, tree: &Tree) -> Self {
        let variable = |value: &Option<Value>| match value {
            Some(Value::Variable(name)) if is_name(name) => Some(name.clone()),
            _ => None,
        };
        let mut found = Self {
            named: Vec::new(),
            own: [variable(&tree.direct_url), variable(&tree.url)],
            unread: Vec::new(),
        };
        for folder in tree.places() {
            for name in names(&root.join(&folder), Path::is_file) {
                let Some(file) = EnvFile::of(&folder, &name) else {
                    continue;
                };
                let shown = below(&folder, &name);
                match text(&root.join(&shown)) {
                    None => found.unread.push(shown),
                    Some(text) => found.named.extend(names_in(&text).map(|name| Named {
                        name: name.to_owned(),
                        file: file.clone(),
                        shown: shown.clone(),
                    })),
                }
            }
        }
        found
    }

    /// The best source for an environment.
    pub(super) fn source(&self, stage: Stage) -> Source {
        let best = self
            .named
            .iter()
            .filter_map(|named| Some((self.rank(named, stage)?, named)))
            .min_by(|(rank, named), (other, than)| {
                let by =
                    |named: &Named| (named.shown.len(), named.shown.clone(), named.name.clone());
                rank.cmp(other).then_with(|| by(named).cmp(&by(than)))
            });
        let Some((_, named)) = best else {
            let own = self
                .own
                .iter()
                .flatten()
                .next()
                .filter(|_| stage == Stage::Dev);
            let default = format!("DATABASE_URL_{}", stage.name().to_uppercase());
            return Source {
                variable: own.cloned().unwrap_or(default),
                env_file: None,
                found_in: None,
                put_into: Some(".env".to_owned()),
            };
        };
        let file = &named.file.path;
        Source {
            variable: named.name.clone(),
            env_file: (file != ".env").then(|| file.clone()),
            found_in: Some(named.shown.clone()),
            put_into: named.file.is_template.then(|| file.clone()),
        }
    }

    /// How well a name fits an environment, the smaller the better; nothing where it does not.
    fn rank(&self, named: &Named, stage: Stage) -> Option<impl Ord + use<>> {
        let meaning = self.meaning(&named.name)?;
        let file = &named.file;
        if file.stage.is_some_and(|of| of != stage) {
            return None;
        }
        let way = match (meaning.stage, file.stage) {
            (Some(of), _) if of == stage => 0,
            (Some(_), _) => return None,
            // Three files may each set DATABASE_URL: then it is the file that says whose.
            (None, Some(_)) => 1,
            // Prisma reads .env, and .env.local only where somebody hands it over.
            (None, None) if stage == Stage::Dev => 2 + u8::from(file.is_local),
            (None, None) => return None,
        };
        Some((
            file.is_template,
            way,
            !meaning.is_own,
            meaning.is_second || named.shown.contains("stag"),
            // Prisma migrates by directUrl where its schema has one. Elsewhere the url that it uses is the
            // one to begin with, and a direct one beside it is read where that leads to a pooler.
            meaning.is_direct != self.own[0].is_some(),
            file.path != ".env",
        ))
    }

    /// What a name says of the url behind it.
    fn meaning(&self, name: &str) -> Option<Meaning> {
        if let Some(place) = self.own.iter().position(|own| own.as_deref() == Some(name)) {
            let known = parts(name);
            return Some(Meaning {
                stage: known.as_ref().and_then(|parts| parts.stage),
                is_direct: place == 0 || known.is_some_and(|parts| parts.is_direct),
                is_own: true,
                is_second: false,
            });
        }
        let parts = parts(name)?;
        // Another database of the same team (`ANALYTICS_DATABASE_URL_PROD`) is not this one's.
        let same = |own: &String| self::parts(own).is_some_and(|own| own.rest == parts.rest);
        let is_own = self.own.iter().flatten().any(same);
        (parts.rest.is_empty() || is_own).then_some(Meaning {
            stage: parts.stage,
            is_direct: parts.is_direct,
            is_own,
            is_second: parts.is_second,
        })
    }
}

struct Meaning {
    stage: Option<Stage>,
    is_direct: bool,
    /// The name is one that Prisma's own settings give, or one of its family.
    is_own: bool,
    /// The environment is meant, but not by its first name: `STAGING` beside `TEST`.
    is_second: bool,
}

/// A name such as `PROD_DIRECT_URL`, taken apart.
struct Parts {
    stage: Option<Stage>,
    is_second: bool,
    is_direct: bool,
    /// What is left, without the environment and the words for a url.
    rest: Vec<String>,
}

/// The words for the url of a database, the longer ones first, and whether no pooler is meant.
const URLS: &[(&[&str], bool)] = &[
    (&["POSTGRES", "URL", "NON", "POOLING"], true),
    (&["DIRECT", "DATABASE", "URL"], true),
    (&["DATABASE", "DIRECT", "URL"], true),
    (&["DATABASE", "URL", "DIRECT"], true),
    (&["DATABASE", "URL", "UNPOOLED"], true),
    (&["DIRECT", "URL"], true),
    (&["POSTGRES", "PRISMA", "URL"], false),
    (&["DATABASE", "URL"], false),
    (&["POSTGRES", "URL"], false),
    (&["DB", "URL"], false),
];

fn parts(name: &str) -> Option<Parts> {
    let words = name.split('_').map(str::to_ascii_uppercase);
    let (stages, mut rest): (Vec<String>, Vec<String>) =
        words.partition(|word| Stage::of(word).is_some());
    let mut meant = stages.iter().filter_map(|word| Stage::of(word));
    let stage = meant.next();
    if meant.any(|other| Some(other) != stage) {
        return None;
    }
    let (from, len, is_direct) = URLS.iter().find_map(|(words, is_direct)| {
        let from = rest
            .windows(words.len())
            .position(|window| window == *words)?;
        Some((from, words.len(), *is_direct))
    })?;
    rest.drain(from..from + len);
    Some(Parts {
        stage,
        is_second: stages
            .iter()
            .any(|word| !matches!(word.as_str(), "DEV" | "TEST" | "PROD")),
        is_direct,
        rest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[(&str, &str)]) -> Names {
        let named = files.iter().flat_map(|(path, text)| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let file = EnvFile::of(folder, name).unwrap();
            names_in(text).map(move |name| Named {
                name: name.to_owned(),
                file: file.clone(),
                shown: (*path).to_owned(),
            })
        });
        Names {
            named: named.collect(),
            own: [None, None],
            unread: Vec::new(),
        }
    }

    /// The sources of dev, test and prod: the variable, `@` the `env_file`, `<` where it has to be put.
    fn sources(names: &Names) -> [String; 3] {
        Stage::ALL.map(|stage| {
            let source = names.source(stage);
            let mut shown = source.variable;
            if let Some(file) = source.env_file {
                shown.push_str(&format!(" @{file}"));
            }
            if let Some(file) = source.put_into {
                shown.push_str(&format!(" <{file}"));
            }
            shown
        })
    }

    fn of(files: &[(&str, &str)]) -> [String; 3] {
        sources(&names(files))
    }

    #[test]
    fn names_by_environment() {
        for text in [
            "DATABASE_URL_DEV=a\nDATABASE_URL_TEST=b\nDATABASE_URL_PROD=c\nDATABASE_URL=d",
            "# x\nexport DATABASE_URL_PROD='c'\nDATABASE_URL_TEST = b\nDATABASE_URL_DEV=\"a\"",
        ] {
            assert_eq!(
                of(&[(".env", text)]),
                ["DATABASE_URL_DEV", "DATABASE_URL_TEST", "DATABASE_URL_PROD"]
            );
        }
        assert_eq!(
            of(&[(
                ".env",
                "DEV_DATABASE_URL=\nSTAGING_DATABASE_URL=\nDATABASE_PRODUCTION_URL="
            )]),
            [
                "DEV_DATABASE_URL",
                "STAGING_DATABASE_URL",
                "DATABASE_PRODUCTION_URL"
            ]
        );
    }

    #[test]
    fn the_direct_url_goes_first_where_the_schema_has_one() {
        let text =
            "DATABASE_URL=\nDIRECT_URL=\nDATABASE_URL_TEST=\nDATABASE_URL_PROD=\nDIRECT_URL_PROD=";
        assert_eq!(
            of(&[(".env", text)]),
            ["DATABASE_URL", "DATABASE_URL_TEST", "DATABASE_URL_PROD"]
        );
        let names = Names {
            own: [
                Some("DIRECT_URL".to_owned()),
                Some("DATABASE_URL".to_owned()),
            ],
            ..names(&[(".env", text)])
        };
        assert_eq!(
            sources(&names),
            ["DIRECT_URL", "DATABASE_URL_TEST", "DIRECT_URL_PROD"]
        );
    }

    #[test]
    fn staging_stands_in_for_test_only_where_there_is_no_test() {
        let text = "DIRECT_URL_STAGING=\nDATABASE_URL_TEST=";
        assert_eq!(of(&[(".env", text)])[1], "DATABASE_URL_TEST");
    }

    #[test]
    fn nothing_found_is_proposed_by_the_usual_names() {
        assert_eq!(
            of(&[]),
            [
                "DATABASE_URL_DEV <.env",
                "DATABASE_URL_TEST <.env",
                "DATABASE_URL_PROD <.env"
            ]
        );
        assert_eq!(of(&[(".env", "DATABASE_URL=x")])[0], "DATABASE_URL");
    }

    #[test]
    fn one_file_per_environment() {
        let text = "DATABASE_URL=x";
        assert_eq!(
            of(&[
                (".env", text),
                (".env.test", text),
                (".env.test.local", text),
                (".env.production", text)
            ]),
            [
                "DATABASE_URL",
                "DATABASE_URL @.env.test",
                "DATABASE_URL @.env.production"
            ]
        );
        assert_eq!(
            of(&[
                (".env.local", text),
                (".env.staging", text),
                (".env.production.example", text)
            ]),
            [
                "DATABASE_URL @.env.local",
                "DATABASE_URL @.env.staging",
                "DATABASE_URL @.env.production <.env.production"
            ]
        );
        assert_eq!(
            of(&[("packages/db/.env", "DATABASE_URL=x\nDATABASE_URL_PROD=y")]),
            [
                "DATABASE_URL @packages/db/.env",
                "DATABASE_URL_TEST <.env",
                "DATABASE_URL_PROD @packages/db/.env"
            ]
        );
    }

    #[test]
    fn a_template_goes_after_the_file_itself() {
        let template = (".env.example", "DATABASE_URL_DEV=\nDATABASE_URL_PROD=");
        assert_eq!(
            of(&[template, (".env", "DATABASE_URL=x")]),
            [
                "DATABASE_URL",
                "DATABASE_URL_TEST <.env",
                "DATABASE_URL_PROD <.env"
            ]
        );
    }

    #[test]
    fn other_databases_are_not_this_one() {
        let other = "SHADOW_DATABASE_URL=\nANALYTICS_DATABASE_URL_PROD=\nREDIS_URL_TEST=\nTEST_PROD_DATABASE_URL=";
        assert_eq!(of(&[(".env", other)]), of(&[]));
        // Unless Prisma's own settings say so.
        let mut names = names(&[(
            ".env",
            "MY_DB=\nAPP_DATABASE_URL=\nAPP_DATABASE_URL_PROD=\nDATABASE_URL_PROD=",
        )]);
        names.own = [None, Some("APP_DATABASE_URL".to_owned())];
        assert_eq!(
            sources(&names),
            [
                "APP_DATABASE_URL",
                "DATABASE_URL_TEST <.env",
                "APP_DATABASE_URL_PROD"
            ]
        );
        names.own = [
            Some("MY_DB".to_owned()),
            Some("APP_DATABASE_URL".to_owned()),
        ];
        assert_eq!(names.source(Stage::Dev).variable, "MY_DB");
    }
}
