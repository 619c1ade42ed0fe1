//! The project that a command works on: configuration, catalog, variables, ways to the targets.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::Result;
use super::args::Global;
use super::config::{self, Config, FILE};
use super::exit::Trouble;
use super::files::not_read;
use super::output::Output;
use super::variables::{self, Variables};
use crate::catalog::{self, Catalog};
use crate::ledger;
use crate::model::entry::Engine;
use crate::model::{EnvironmentName, MigrationId};
use crate::planner::gates::shell;
use crate::planner::{DownFacts, FileFacts};
use crate::targets::address::{Address, Defaults, Password};
use crate::targets::{self, TargetError};
use crate::workflows::backup::new_file;

/// A configuration that was found, and the variables that go with it.
pub(crate) struct Project {
    pub(crate) config: Config,
    variables: Variables,
}

/// The folder that a command starts in: `-C`, or the working folder.
pub(crate) fn start(output: &Output<'_>, global: &Global) -> PathBuf {
    match &global.directory {
        Some(directory) => output.world.folder.join(directory),
        None => output.world.folder.clone(),
    }
}

impl Project {
    /// Finds `tollgate.toml` in the starting folder or above it, and reads it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the configuration is cli's to read"
    )]
    pub(crate) fn open(output: &mut Output<'_>, global: &Global) -> Result<Self> {
        let start = start(output, global);
        if !start.is_dir() {
            let there = start.ancestors().find(|folder| folder.is_dir());
            let there = there.unwrap_or(std::path::Path::new("/")).display();
            return Err(Trouble::usage(
                format!("there is no folder {}", start.display()),
                format!(
                    "ls {}   # and name one that is there with -C",
                    shell(&there.to_string())
                ),
            ));
        }
        let Some(root) = start.ancestors().find(|folder| folder.join(FILE).is_file()) else {
            return Err(Trouble::usage(
                format!("there is no {FILE} in {} or above it", start.display()),
                "tollgate init",
            ));
        };
        let file = root.join(FILE);
        let text = std::fs::read_to_string(&file)
            .map_err(|error| not_read(&file, &file.display().to_string(), &error))?;
        let config = config::parse(&text, root)?;
        let variables = Variables::read(output, global, &config)?;
        let project = Self { config, variables };
        for name in project.config.policy.names() {
            project.hide_secrets(output, name);
        }
        project.hide_hub(output);
        project.timeouts_have_a_server()?;
        Ok(project)
    }

    /// Reads the migrations on disk.
    pub(crate) fn catalog(&self) -> Result<Catalog> {
        Ok(catalog::read(
            &self.config.migrations,
            self.config.max_script_bytes,
        )?)
    }

    /// [`Self::catalog`], for the verbs that would pass over what is not a migration: it is mentioned.
    pub(crate) fn catalog_and_rest(&self, output: &mut Output<'_>) -> Result<Catalog> {
        let catalog = self.catalog()?;
        for skipped in &catalog.skipped {
            let path = skipped
                .path
                .strip_prefix(&self.config.root)
                .unwrap_or(&skipped.path);
            output.note(&format!(
                "not a migration: {}: {}\n",
                path.display(),
                skipped.why
            ));
        }
        Ok(catalog)
    }

    /// Says that there is no ledger, where there is none: everything then looks pending.
    pub(crate) fn note_missing_ledger(&self, output: &mut Output<'_>) {
        if !self.config.ledger.exists() {
            let shown = self
                .config
                .ledger
                .strip_prefix(&self.config.root)
                .unwrap_or(&self.config.ledger);
            output.note(&format!(
                "there is no ledger yet ({}): what a target has is known after the first apply\n",
                shown.display()
            ));
        }
    }

    /// Says that somebody is at work on the ledger: what is being run looks as if nobody knew how it ended.
    pub(crate) fn note_work(&self, output: &mut Output<'_>) {
        if let Some(process) = ledger::at_work(&self.config.ledger) {
            output.note(&format!(
                "{process} is at work on this ledger: what it is running is told as unknown until it has ended\n"
            ));
        }
    }

    /// An environment by its name, as it was typed.
    pub(crate) fn environment(&self, typed: &str) -> Result<EnvironmentName> {
        let known = self
            .config
            .policy
            .names()
            .find(|name| name.as_str() == typed);
        known.cloned().ok_or_else(|| {
            let names: Vec<&str> = self
                .config
                .policy
                .names()
                .map(EnvironmentName::as_str)
                .collect();
            let remedy = match config::nearest(&typed.to_lowercase(), names.iter().copied()) {
                Some(near) => format!(
                    "did you mean {near}? The environments of {FILE} are {}",
                    names.join(", ")
                ),
                None => format!("name one of {}, or add it to {FILE}", names.join(", ")),
            };
            Trouble::usage(format!("there is no environment {typed}"), remedy)
        })
    }

    /// The folder of backups: beside the ledger.
    pub(crate) fn backups(&self) -> PathBuf {
        self.config.ledger.with_file_name("backups")
    }

    /// How many backups of an environment are kept; `None`: all.
    pub(crate) fn keep(&self, name: &EnvironmentName) -> Option<NonZeroUsize> {
        let place = self.config.policy.index(name)?;
        self.config.keep.get(place).copied().flatten()
    }

    /// A path as a user in the project's folder would type it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.config.root).unwrap_or(path);
        path.display().to_string()
    }

    /// What a backup of an environment can be restored into, as it is typed: a file that is not there, or a
    /// database's name.
    pub(crate) fn new_database(&self, name: &EnvironmentName) -> String {
        match self.engine(name) {
            Engine::Postgresql => shell(&format!("{name}_restored")),
            Engine::Sqlite => {
                let folder = self.config.ledger.parent().unwrap_or(&self.config.root);
                let folder = self.shown(folder);
                let wanted = match folder.as_str() {
                    "" => format!("{name}-restored.db"),
                    folder => format!("{folder}/{name}-restored.db"),
                };
                shell(&new_file(&self.config.root, &wanted))
            }
        }
    }

    /// The path of a migration's script, as a user in the project's folder would type it.
    pub(crate) fn script_path(&self, migration: &MigrationId) -> String {
        self.path_of(migration, "migration.sql")
    }

    /// The path of a file of a migration, as a user in the project's folder would type it.
    pub(crate) fn path_of(&self, migration: &MigrationId, file: &str) -> String {
        let path = self.config.migrations.join(migration.as_str()).join(file);
        path.strip_prefix(&self.config.root)
            .unwrap_or(&path)
            .display()
            .to_string()
    }

    /// The folder of the migrations, as a user in the project's folder would type it.
    pub(crate) fn folder(&self) -> String {
        let folder = &self.config.migrations;
        folder
            .strip_prefix(&self.config.root)
            .unwrap_or(folder)
            .display()
            .to_string()
    }

    /// The kind of database that an environment's url names. A url in a variable that is not set
    /// is PostgreSQL for planning: embedded databases need no secret, and are written out.
    pub(crate) fn engine(&self, name: &EnvironmentName) -> Engine {
        match self.address(name) {
            Ok(Address::Sqlite(_)) => Engine::Sqlite,
            Ok(Address::Postgresql(_)) | Err(_) => Engine::Postgresql,
        }
    }

    /// The kind of database that an environment's url names; `None` where it cannot be read here.
    pub(crate) fn engine_by_url(&self, name: &EnvironmentName) -> Option<Engine> {
        match self.address(name).ok()? {
            Address::Sqlite(_) => Some(Engine::Sqlite),
            Address::Postgresql(_) => Some(Engine::Postgresql),
        }
    }

    /// The kind of database that the scripts of the tree are for: as the first url says that can be read here,
    /// or Prisma's tree, or as [`Self::engine`] has it.
    pub(crate) fn engine_of_tree(
        &self,
        prisma: Option<&crate::model::prisma::PrismaTree>,
    ) -> Engine {
        let names = self.config.policy.names();
        let by_url = names.into_iter().find_map(|name| self.engine_by_url(name));
        by_url.unwrap_or_else(|| {
            let is_sqlite = prisma.is_some_and(|tree| {
                tree.provider.is_some() && !tree.is_for_another(Engine::Sqlite)
            });
            match is_sqlite {
                true => Engine::Sqlite,
                false => Engine::Postgresql,
            }
        })
    }

    fn url(&self, name: &EnvironmentName) -> Result<String> {
        let place = self.config.policy.index(name);
        let url = place
            .and_then(|place| self.config.urls.get(place))
            .cloned()
            .unwrap_or_default();
        let Some(variable) = url.strip_prefix("env:") else {
            return Ok(url);
        };
        if !is_name(variable) {
            // Not quoted: somebody may have put the url itself there.
            return Err(Trouble::usage(
                format!("{name}: what follows env: in its url is no name of a variable"),
                format!(
                    "edit {FILE}: url = \"env:DATABASE_URL_{}\"",
                    name.as_str().to_uppercase()
                ),
            ));
        }
        self.variables
            .url(place, variable)
            .map(str::to_owned)
            .ok_or_else(|| self.variables.not_set(place, name.as_str(), variable))
    }

    /// The variable that the url of an environment comes from; `None` where it is written out.
    pub(crate) fn variable(&self, name: &EnvironmentName) -> Option<String> {
        let url = self.config.urls.get(self.config.policy.index(name)?)?;
        let variable = url.strip_prefix("env:")?;
        is_name(variable).then(|| variable.to_owned())
    }

    /// Timeouts are PostgreSQL's: on SQLite they would be a promise that nobody keeps.
    fn timeouts_have_a_server(&self) -> Result<()> {
        for (name, timeouts) in self.config.policy.names().zip(&self.config.timeouts) {
            let set = timeouts.each().into_iter().find(|(_, time)| time.is_some());
            if let (Some((key, _)), Ok(Address::Sqlite(_))) = (set, self.address(name)) {
                return Err(Trouble::usage(
                    format!(
                        "{name}: {key} is PostgreSQL's, and the url of {name} names an SQLite file"
                    ),
                    format!("edit {FILE}: remove {key} from {name}"),
                ));
            }
        }
        Ok(())
    }

    /// The address of an environment's target.
    pub(crate) fn address(&self, name: &EnvironmentName) -> Result<Address> {
        let url = self.url(name)?;
        let address =
            Address::parse(&url, &self.config.root).map_err(|error| about(name, error))?;
        match address {
            Address::Sqlite(_) => Ok(address),
            Address::Postgresql(mut settings) => {
                let place = self.config.policy.index(name);
                let timeouts = place.and_then(|place| self.config.timeouts.get(place));
                settings.timeouts = timeouts.copied().unwrap_or_default();
                Ok(Address::Postgresql(settings).with_defaults(&self.defaults(place)))
            }
        }
    }

    /// The address of the team's hub; `None` where there is none.
    pub(crate) fn hub(&self) -> Result<Option<Address>> {
        let Some(written) = &self.config.hub else {
            return Ok(None);
        };
        let url = match written.strip_prefix("env:") {
            None => written.clone(),
            Some(variable) if !is_name(variable) => {
                // Not quoted: somebody may have put the url itself there.
                return Err(Trouble::usage(
                    "what follows env: in the hub's url is no name of a variable",
                    format!("edit {FILE}: hub = \"env:TOLLGATE_HUB\""),
                ));
            }
            Some(variable) => match self.variables.get(None, variable) {
                Some(url) => url.to_owned(),
                None => {
                    return Err(Trouble::usage(
                        format!("{variable} is not set, and holds the url of the hub"),
                        format!("export {variable}=postgresql://..."),
                    ));
                }
            },
        };
        let address = Address::parse(&url, &self.config.root).map_err(|error| {
            let mut trouble = Trouble::from(error);
            trouble.fact = trouble.fact.replace("the target's URL", "the hub's URL");
            trouble
        })?;
        Ok(Some(address.with_defaults(&self.defaults(None))))
    }

    /// Refuses an environment whose target cannot be opened, as far as its url alone tells.
    pub(crate) fn check(&self, name: &EnvironmentName) -> Result<()> {
        targets::check(&self.address(name)?).map_err(|error| about(name, error))
    }

    /// A text that is equal for two environments whose targets are one: the file itself, or the server
    /// and the database.
    pub(crate) fn place(&self, name: &EnvironmentName) -> Option<String> {
        match self.address(name).ok()? {
            Address::Sqlite(path) => {
                Some(file_itself(&path).unwrap_or_else(|| path.display().to_string()))
            }
            address => Some(address.display()),
        }
    }

    /// What libpq takes from the environment where a url leaves it out.
    #[expect(
        clippy::disallowed_methods,
        reason = "the password file is cli's to read"
    )]
    fn defaults(&self, place: Option<usize>) -> Defaults {
        let variable = |name: &str| self.variables.get(place, name).map(str::to_owned);
        let passfile = variable("PGPASSFILE")
            .or_else(|| variable("HOME").map(|home| format!("{home}/.pgpass")));
        Defaults {
            user: variable("PGUSER").or_else(|| variable("USER")),
            password: variable("PGPASSWORD").map(Password::new),
            passfile: passfile
                .filter(|path| Path::new(path).is_file())
                .and_then(|path| std::fs::read_to_string(path).ok())
                .map(Password::new),
        }
    }

    fn hide_hub(&self, output: &mut Output<'_>) {
        let written = self.config.hub.iter().map(String::as_str);
        let variable = written.clone().filter_map(|url| url.strip_prefix("env:"));
        let set = variable.filter_map(|variable| self.variables.get(None, variable));
        for password in written.chain(set).flat_map(variables::passwords) {
            output.hide(&password);
        }
        if let Ok(Some(address)) = self.hub()
            && let Some(secret) = address.secret()
        {
            output.hide(secret);
        }
    }

    fn hide_secrets(&self, output: &mut Output<'_>, name: &EnvironmentName) {
        // By their text, because what cannot be read as a url holds a password all the same; and
        // of every place, because the url that is not used is as secret as the one that is.
        let place = self.config.policy.index(name);
        let written = place.and_then(|place| self.config.urls.get(place));
        let mut urls: Vec<&str> = written.map(String::as_str).into_iter().collect();
        if let Some(variable) = written.and_then(|url| url.strip_prefix("env:")) {
            urls.extend(self.variables.urls(place, variable));
        }
        for password in urls.into_iter().flat_map(variables::passwords) {
            output.hide(&password);
        }
        if let Ok(address) = self.address(name)
            && let Some(secret) = address.secret()
        {
            output.hide(secret);
        }
    }
}

/// Whether that can be a variable's name.
fn is_name(variable: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !variable.is_empty() && variable.chars().all(word)
}

fn about(name: &EnvironmentName, error: TargetError) -> Trouble {
    let mut trouble = Trouble::from(error);
    trouble.fact = format!("{name}: {}", trouble.fact);
    trouble
}

/// The device and the number of a file, which its symbolic and hard links share.
#[cfg(unix)]
fn file_itself(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    Some(format!("file {}:{}", metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_itself(path: &Path) -> Option<String> {
    path.canonicalize()
        .ok()
        .map(|path| path.display().to_string())
}

/// The files of a catalog as the planner takes them.
pub(crate) fn facts(catalog: &Catalog) -> Vec<FileFacts<'_>> {
    catalog
        .migrations
        .iter()
        .map(|file| FileFacts {
            migration: &file.id,
            checksum: file.checksum,
            sha256: file.sha256,
            script: &file.script,
            down: file.down.as_ref().map(|down| DownFacts {
                checksum: down.checksum,
                sha256: down.sha256,
                script: &down.script,
            }),
        })
        .collect()
}

/// A migration by its id, or by the beginning of exactly one.
pub(crate) fn migration<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a MigrationId>,
) -> Result<MigrationId> {
    let known: BTreeSet<&MigrationId> = known.into_iter().collect();
    let typed = typed
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(typed);
    if let Some(exact) = known.iter().find(|id| id.as_str() == typed) {
        return Ok((**exact).clone());
    }
    let beginning: Vec<&&MigrationId> = known
        .iter()
        .filter(|id| !typed.is_empty() && id.as_str().starts_with(typed))
        .collect();
    match beginning.as_slice() {
        [one] => Ok((**one).clone()),
        [] => {
            let near = known
                .iter()
                .map(|id| id.as_str())
                .find(|id| !typed.is_empty() && id.contains(typed))
                .or_else(|| config::nearest(typed, known.iter().map(|id| id.as_str())))
                .or_else(|| {
                    // A name is remembered without its stamp.
                    fn name(id: &str) -> &str {
                        id.trim_start_matches(|c: char| c.is_ascii_digit())
                            .trim_start_matches(['_', '-'])
                    }
                    let near = config::nearest(
                        name(typed),
                        known
                            .iter()
                            .map(|id| name(id.as_str()))
                            .filter(|name| !name.is_empty()),
                    )?;
                    known
                        .iter()
                        .map(|id| id.as_str())
                        .find(|id| name(id) == near)
                });
            let remedy = near.map_or_else(
                || "tollgate status".to_owned(),
                |near| format!("did you mean {near}?"),
            );
            Err(Trouble::usage(
                format!("there is no migration {typed}"),
                remedy,
            ))
        }
        [first, ..] => Err(Trouble::usage(
            format!("{} migrations begin with {typed}", beginning.len()),
            format!("write it out, for example {first}"),
        )),
    }
}

/// The migration that `--to` names, where it was given.
pub(crate) fn up_to(
    typed: Option<&String>,
    files: &[FileFacts<'_>],
) -> Result<Option<MigrationId>> {
    typed
        .map(|typed| migration(typed, files.iter().map(|file| file.migration)))
        .transpose()
}
