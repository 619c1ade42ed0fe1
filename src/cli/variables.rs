//! The variables that a url comes from: those of an environment's own file (`env_file`), those of the
//! process, and those of `.env`. Their values are secrets: no error and no output holds one.

use std::collections::BTreeMap;
use std::path::Path;

use super::Result;
use super::args::Global;
use super::config::Config;
use super::exit::Trouble;
use super::output::Output;

/// Every variable, by the place that it stands in.
pub(crate) struct Variables {
    process: BTreeMap<String, String>,
    /// `.env`, or the file of `--env-file`.
    shared: BTreeMap<String, String>,
    /// The file of each environment, in the order of the chain.
    own: Vec<Option<OwnFile>>,
    /// Lines of all these files that are not read, each with its file: what stands in them is missed only
    /// where a variable is.
    passed_over: Vec<String>,
}

/// What stands in the file that one environment names.
struct OwnFile {
    /// Its path, as `tollgate.toml` writes it.
    shown: String,
    is_there: bool,
    variables: BTreeMap<String, String>,
}

impl Variables {
    /// Reads `.env`, or the file of `--env-file`, and the file of every environment that names one.
    /// Where an environment's file is missing, that is no error: elsewhere, in CI, the process has
    /// what would stand in it.
    pub(crate) fn read(output: &Output<'_>, global: &Global, config: &Config) -> Result<Self> {
        let (shared, is_needed) = match &global.env_file {
            Some(file) => (output.world.folder.join(file), true),
            None => (config.root.join(".env"), false),
        };
        if is_needed && !shared.is_file() {
            return Err(Trouble::usage(
                format!("there is no file {}", shared.display()),
                "name a file of NAME=value lines: --env-file FILE",
            ));
        }
        let mut passed_over = Vec::new();
        let own = config.env_files.iter().map(|file| {
            let Some(shown) = file else { return Ok(None) };
            let path = config.root.join(shown);
            Ok(Some(OwnFile {
                shown: shown.clone(),
                is_there: path.is_file(),
                variables: read(&path, &mut passed_over)?,
            }))
        });
        let own = own.collect::<Result<_>>()?;
        Ok(Self {
            process: output.world.variables.clone(),
            shared: read(&shared, &mut passed_over)?,
            own,
            passed_over,
        })
    }

    /// The places in which a variable of the environment at that place of the chain is looked up.
    fn places(&self, chain: Option<usize>) -> impl Iterator<Item = &BTreeMap<String, String>> {
        self.own(chain)
            .map(|file| &file.variables)
            .into_iter()
            .chain([&self.process, &self.shared])
    }

    fn own(&self, chain: Option<usize>) -> Option<&OwnFile> {
        self.own.get(chain?)?.as_ref()
    }

    /// A variable. The first place that has it decides: one that is empty there is not set, whatever
    /// the next place says.
    pub(crate) fn get(&self, chain: Option<usize>, name: &str) -> Option<&str> {
        let mut places = self.places(chain);
        set(places.find(|place| place.contains_key(name))?, name)
    }

    /// The url that a variable holds. Where that one leads to a pooler which changes the session
    /// between transactions, and the direct url stands beside it, the direct one: no run can hold
    /// its lock through such a pooler.
    pub(crate) fn url(&self, chain: Option<usize>, name: &str) -> Option<&str> {
        let mut places = self.places(chain);
        let place = places.find(|place| place.contains_key(name))?;
        let url = set(place, name)?;
        if !shares_by_transaction(url) {
            return Some(url);
        }
        // In the same place only: `DATABASE_URL` of .env.prod and `DIRECT_URL` of .env would be two
        // databases.
        let direct = direct_names(name).into_iter();
        direct
            .filter_map(|name| set(place, &name))
            .next()
            .or(Some(url))
    }

    /// Every value that [`Self::url`] may look at: what must never be shown.
    pub(crate) fn urls(&self, chain: Option<usize>, name: &str) -> Vec<&str> {
        let mut names = vec![name.to_owned()];
        names.extend(direct_names(name));
        let places = self.places(chain);
        places
            .flat_map(|place| names.iter().filter_map(|name| set(place, name)))
            .collect()
    }

    /// An environment's url comes from a variable that is not set.
    pub(crate) fn not_set(&self, chain: Option<usize>, environment: &str, name: &str) -> Trouble {
        let fact = format!("{environment}: its url comes from {name}, which is not set, or empty");
        let (fact, file) = match self.own(chain) {
            None => (fact, ".env"),
            Some(own) if own.is_there => (
                format!(
                    "{fact}: {}, the environment and .env were looked at",
                    own.shown
                ),
                own.shown.as_str(),
            ),
            Some(own) => (
                format!(
                    "{fact}: there is no file {}, and neither the environment nor .env has it",
                    own.shown
                ),
                own.shown.as_str(),
            ),
        };
        // A line that was passed over may be the one that was meant.
        let fact = match self.passed_over.as_slice() {
            [] => fact,
            lines => format!("{fact}; passed over: {}", lines.join("; ")),
        };
        Trouble::usage(
            fact,
            match self.own(chain) {
                // Exported, it would serve every environment that has no file.
                Some(_) => format!("echo \"{name}='postgresql://...'\" >> {file}"),
                None => format!("export {name}='postgresql://...', or put it into {file}"),
            },
        )
    }
}

fn set<'a>(place: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    place
        .get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

/// What is in a file of `NAME=value` lines; nothing where there is none. A line that is none is passed
/// over: other programs read more than this in a file that is theirs too.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment is cli's to read"
)]
fn read(file: &Path, passed_over: &mut Vec<String>) -> Result<BTreeMap<String, String>> {
    let unreadable = |what: String| {
        Trouble::usage(
            format!("{} cannot be read: {what}", file.display()),
            "ls -l, and look at what it is",
        )
    };
    if !file.is_file() {
        return Ok(BTreeMap::new());
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut variables = BTreeMap::new();
    for entry in dotenvy::from_read_iter(text.as_bytes()) {
        match entry {
            Ok((name, value)) => drop(variables.insert(name, value)),
            // The error of a line quotes it, and it may hold a secret.
            Err(error) => passed_over.push(format!(
                "{}, {}",
                file.file_name().unwrap_or_default().to_string_lossy(),
                broken_line(text, &error)
            )),
        }
    }
    Ok(variables)
}

fn broken_line(text: &str, error: &dotenvy::Error) -> String {
    // The error holds the line, or only its value.
    let number = match error {
        dotenvy::Error::LineParse(rest, _) => rest
            .lines()
            .next()
            .map(str::trim)
            .filter(|rest| !rest.is_empty())
            .and_then(|rest| text.lines().position(|line| line.trim().ends_with(rest))),
        _ => None,
    };
    let place = number.map_or("a line".to_owned(), |number| format!("line {}", number + 1));
    format!("{place}: it is not NAME=value, or its value needs quotes")
}

/// The names that Prisma teams give to the direct url beside a pooled one.
fn direct_names(name: &str) -> Vec<String> {
    if !name.contains("DATABASE_URL") {
        return Vec::new();
    }
    ["DIRECT_URL", "DIRECT_DATABASE_URL"]
        .map(|direct| name.replacen("DATABASE_URL", direct, 1))
        .into()
}

/// What follows the scheme of a PostgreSQL url: the authority, and the parameters.
fn parts(url: &str) -> Option<(&str, &str)> {
    let rest = url
        .strip_prefix("postgresql://")
        .or_else(|| url.strip_prefix("postgres://"))?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or(place);
    Some((authority, query))
}

/// Whether a url says by itself that it leads to a pooler which gives a session to one transaction
/// only: by the port of hosted ones, or by the parameter that Prisma wants there.
fn shares_by_transaction(url: &str) -> bool {
    let Some((authority, query)) = parts(url) else {
        return false;
    };
    let hosts = authority.rsplit('@').next().unwrap_or(authority);
    let parameters = || query.split('&').filter_map(|pair| pair.split_once('='));
    hosts.split(',').any(|host| host.ends_with(":6543"))
        || parameters().any(|pair| pair == ("port", "6543"))
        || parameters()
            .any(|(name, value)| name == "pgbouncer" && value.eq_ignore_ascii_case("true"))
}

/// Whatever in a text may be the password of a url, even of one that cannot be read.
pub(crate) fn passwords(url: &str) -> Vec<String> {
    let Some((_, rest)) = url.split_once("://") else {
        return Vec::new();
    };
    let (authority, query) = parts(url).unwrap_or((rest, ""));
    // A password with a bare / or ? in it ends the authority early, for whoever reads it strictly.
    let ends = [authority.rfind('@'), rest.rfind('@')];
    let credentials = ends.into_iter().flatten().map(|end| &rest[..end]);
    let mut found: Vec<&str> = credentials
        .filter_map(|credentials| Some(credentials.split_once(':')?.1))
        .collect();
    let parameters = query.split('&').filter_map(|pair| pair.split_once('='));
    found
        .extend(parameters.filter_map(|(name, value)| name.ends_with("password").then_some(value)));
    found
        .into_iter()
        .filter(|text| !text.is_empty())
        .flat_map(|text| [text.to_owned(), decoded(text)])
        .collect()
}

/// A text with its percent-encoding undone, as far as that goes.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3);
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn variables(
        own: &[(&str, &str)],
        process: &[(&str, &str)],
        shared: &[(&str, &str)],
    ) -> Variables {
        let file = OwnFile {
            shown: ".env.test".to_owned(),
            is_there: true,
            variables: place(own),
        };
        Variables {
            passed_over: Vec::new(),
            process: place(process),
            shared: place(shared),
            own: vec![None, Some(file)],
        }
    }

    const POOLED: &str = "postgresql://u:p@pooler.example:6543/db?pgbouncer=true";
    const DIRECT: &str = "postgresql://u:p@db.example:5432/db";

    #[test]
    fn an_environments_own_file_goes_first() {
        let variables = variables(
            &[("A", "own")],
            &[("A", "process"), ("B", "process")],
            &[("B", "shared"), ("C", "shared")],
        );
        let get =
            |chain: usize, name: &str| variables.get(Some(chain), name).unwrap_or("-").to_owned();
        assert_eq!(
            [get(1, "A"), get(1, "B"), get(1, "C"), get(1, "D")],
            ["own", "process", "shared", "-"]
        );
        assert_eq!(
            [get(0, "A"), get(0, "B"), get(0, "C")],
            ["process", "process", "shared"]
        );
    }

    #[test]
    fn a_place_that_has_an_empty_value_decides() {
        let variables = variables(&[("A", "")], &[("A", "process")], &[]);
        assert_eq!(variables.get(Some(1), "A"), None);
        assert_eq!(variables.url(Some(1), "A"), None);
    }

    #[test]
    fn a_pooled_url_gives_way_to_the_direct_one_beside_it() {
        for (name, direct) in [
            ("DATABASE_URL", "DIRECT_URL"),
            ("DATABASE_URL_PROD", "DIRECT_URL_PROD"),
            ("PROD_DATABASE_URL", "PROD_DIRECT_URL"),
            ("APP_DATABASE_URL", "APP_DIRECT_DATABASE_URL"),
        ] {
            let both = variables(&[], &[(name, POOLED), (direct, DIRECT)], &[]);
            assert_eq!(both.url(Some(0), name), Some(DIRECT), "{name}");
            let not_pooled = variables(&[], &[(name, DIRECT), (direct, POOLED)], &[]);
            assert_eq!(not_pooled.url(Some(0), name), Some(DIRECT), "{name}");
            let alone = variables(&[], &[(name, POOLED)], &[]);
            assert_eq!(alone.url(Some(0), name), Some(POOLED), "{name}");
        }
        let other = variables(&[], &[("PG_URL", POOLED), ("DIRECT_URL", DIRECT)], &[]);
        assert_eq!(other.url(Some(0), "PG_URL"), Some(POOLED));
    }

    #[test]
    fn the_direct_url_of_another_place_is_another_database() {
        let apart = variables(&[("DATABASE_URL", POOLED)], &[], &[("DIRECT_URL", DIRECT)]);
        assert_eq!(apart.url(Some(1), "DATABASE_URL"), Some(POOLED));
        let together = variables(
            &[("DATABASE_URL", POOLED), ("DIRECT_URL", DIRECT)],
            &[],
            &[],
        );
        assert_eq!(together.url(Some(1), "DATABASE_URL"), Some(DIRECT));
    }

    #[test]
    fn a_transaction_pooler_is_told_by_the_text() {
        for url in [
            POOLED,
            "postgres://u:p@h:6543/db",
            "postgres://u:p@[::1]:6543/db",
            "postgres://h:6543",
            "postgres://u@h/db?schema=x&pgbouncer=TRUE",
            "postgres:///db?host=h&port=6543",
        ] {
            assert!(shares_by_transaction(url), "{url}");
        }
        for url in [
            DIRECT,
            "postgres://u:6543@h/db",
            "postgres://u:p:6543@h:5432/6543",
            "postgres://u:p@h/db?pgbouncer=false",
            "postgres://u:p@h:65430/db",
            "sqlite:state/dev.db:6543",
            "file:./dev.db?pgbouncer=true",
            "",
        ] {
            assert!(!shares_by_transaction(url), "{url}");
        }
    }

    #[test]
    fn passwords_are_found_even_where_the_url_cannot_be_read() {
        let hidden = |url: &str, secret: &str| passwords(url).iter().any(|found| found == secret);
        assert!(hidden("postgresql://u:s%40cret@h:6543/db", "s@cret"));
        assert!(hidden("postgresql://u:s%40cret@h:6543/db", "s%40cret"));
        assert!(hidden("postgresql://u:se/cr?et@h/db", "se/cr?et"));
        assert!(hidden("postgresql://u:s@cret@h/db?x=a@b", "s@cret"));
        assert!(hidden("postgresql://h/db?user=u&password=secret", "secret"));
        assert!(hidden("mysql://u:secret@h/db", "secret"));
        assert_eq!(passwords("sqlite:state/dev.db"), Vec::<String>::new());
        assert_eq!(passwords("postgresql://h/db"), Vec::<String>::new());
        assert_eq!(decoded("%zz%4\u{e4}%"), "%zz%4\u{e4}%");
    }

    #[test]
    fn a_broken_line_is_named_by_its_number_alone() {
        let text = "# a comment\n\nA=1\nB=se cret\n";
        let error = dotenvy::from_read_iter(text.as_bytes()).find_map(std::result::Result::err);
        assert_eq!(
            broken_line(text, &error.unwrap()),
            "line 4: it is not NAME=value, or its value needs quotes"
        );
    }
}
