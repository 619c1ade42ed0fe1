//! `tollgate init`

mod env_files;
mod literals;
mod package_json;
mod prisma;
mod proposal;
mod variables;

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::{Global, Init};
use crate::cli::config::FILE;
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::start;
use crate::cli::{Exit, Result};
use package_json::Line;
use prisma::Tree;
use proposal::Proposed;
use variables::Names;

/// Where nothing of Prisma's is found: three embedded databases.
const PLAIN: &str = include_str!("plain.toml");

pub(crate) fn run(output: &mut Output<'_>, global: &Global, _verb: &Init) -> Result<Exit> {
    let root = start(output, global);
    let file = root.join(FILE);
    if file.symlink_metadata().is_ok() {
        return Err(Trouble::usage(
            format!("{} is there already, and stays as it is", file.display()),
            "tollgate status",
        ));
    }
    match prisma::look(&root) {
        Some((tree, others)) => for_prisma(output, &root, &tree, &others),
        None => plain(output, &root),
    }
}

fn plain(output: &mut Output<'_>, root: &Path) -> Result<Exit> {
    let written = write(root, "migrations", true, PLAIN, &[])?;
    if output.is_json() {
        output.document(&json!({ "schema": "tollgate/init/v1", "written": written }));
    } else {
        output.result(&format!(
            "wrote {}\n\n  next     tollgate new create_something\n           write the SQL into its migration.sql, and what takes it back into its down.sql\n           tollgate promote prod\n",
            written.join(", ")
        ));
    }
    Ok(Exit::Done)
}

fn for_prisma(
    output: &mut Output<'_>,
    root: &Path,
    tree: &Tree,
    others: &[String],
) -> Result<Exit> {
    let mut notes = Vec::new();
    let environments = match tree.provider.as_deref() {
        None | Some("postgresql" | "postgres") => {
            let names = Names::look(root, tree);
            notes.extend(
                names
                    .unread
                    .iter()
                    .map(|file| format!("{file} cannot be read")),
            );
            proposal::by_variables(&names)
        }
        Some("sqlite") => proposal::by_files(root, tree),
        Some(provider) => {
            return Err(Trouble {
                consequence: Some("nothing was written".to_owned()),
                ..Trouble::usage(
                    format!(
                        "{} is a tree for {provider}, and tollgate's targets are PostgreSQL and SQLite",
                        tree.migrations
                    ),
                    "tollgate init -C '<DIR>', in a folder with a tree for one of them",
                )
            });
        }
    };
    let (lines, unread) = package_json::look(root, &tree.places());
    notes.extend(unread);
    let is_new = !root.join(&tree.migrations).is_dir();
    let text = proposal::text(tree, others, &environments);
    let mut secret: Vec<String> = Vec::new();
    for source in environments.iter().filter_map(|one| one.source.as_ref()) {
        secret.extend(source.env_file.clone());
        secret.extend(source.put_into.clone());
    }
    let written = write(root, &tree.migrations, is_new, &text, &secret)?;
    let found = Found {
        tree,
        others,
        environments: &environments,
        lines: &lines,
        notes: &notes,
        written: &written,
    };
    if output.is_json() {
        output.document(&found.document());
    } else {
        output.result(&found.text());
    }
    Ok(Exit::Done)
}

/// Writes the files of a project, never over one, and returns which.
#[expect(clippy::disallowed_methods, reason = "this verb makes files")]
fn write(
    root: &Path,
    migrations: &str,
    is_new: bool,
    config: &str,
    secret: &[String],
) -> Result<Vec<String>> {
    let folder =
        |path: &Path| std::fs::create_dir_all(path).map_err(|error| Trouble::file(path, &error));
    folder(root)?;
    let mut done = vec![FILE.to_owned()];
    if is_new {
        folder(&root.join(migrations))?;
        done.push(format!("{migrations}/"));
    }
    // Git must not change line endings in scripts: other bytes are another migration.
    let attribute = format!("{} -text", pattern(migrations));
    if ensure_line(&root.join(".gitattributes"), &attribute)? {
        done.push(".gitattributes".to_owned());
    }
    // The ledger, backups and embedded databases are not for git, and secrets never.
    let ignored = root.join(".gitignore");
    let mut changed = ensure_line(&ignored, "/state/")?;
    if !is_ignored(&ignored, ".env") {
        changed |= ensure_line(&ignored, "/.env")?;
    }
    if !is_ignored(&ignored, EACH_ENV) {
        ignore_each_env(&ignored)?;
        changed = true;
    }
    for file in secret {
        if !is_ignored(&ignored, file) {
            changed |= ensure_line(&ignored, &format!("/{file}"))?;
        }
    }
    if changed {
        done.push(".gitignore".to_owned());
    }
    // Last: a project is one once this file is there, so a run that broke off can be repeated.
    let file = root.join(FILE);
    std::fs::write(&file, config).map_err(|error| Trouble::file(&file, &error))?;
    Ok(done)
}

/// The `.env` files of the environments: `.env.prod`.
const EACH_ENV: &str = ".env.*";

/// Ignores them all, but what shows others how to write one. What the file itself takes back stays taken
/// back: git goes by the last line that fits.
fn ignore_each_env(gitignore: &Path) -> Result<()> {
    let text = read(gitignore)?;
    let taken_back = |line: &&str| line.starts_with('!') && line.contains(".env.");
    let mut lines: Vec<&str> = text.lines().map(str::trim).filter(taken_back).collect();
    if !lines.iter().any(|line| line.ends_with(".env.example")) {
        lines.push("!/.env.example");
    }
    append(gitignore, &format!("/{EACH_ENV}"))?;
    lines
        .into_iter()
        .try_for_each(|line| append(gitignore, line))
}

/// Whether a line of a `.gitignore` names a `.env` file, as people write such lines. Git knows more ways;
/// one line too many does no harm.
#[expect(clippy::disallowed_methods, reason = "this verb makes files")]
fn is_ignored(gitignore: &Path, file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    // With a slash it is a path from here, without one a name anywhere.
    let fits = |pattern: &str| {
        let of = if pattern.contains('/') { file } else { name };
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
        match pattern.strip_suffix('*') {
            Some(start) => of
                .strip_prefix(start)
                .is_some_and(|rest| !rest.contains('/')),
            None => of == pattern,
        }
    };
    let text = std::fs::read_to_string(gitignore).unwrap_or_default();
    let lines = || text.lines().map(str::trim);
    let taken_back = lines().any(|line| line.strip_prefix('!').is_some_and(&fits));
    !taken_back && lines().any(fits)
}

/// The pattern of everything in a folder, as `.gitattributes` writes it.
fn pattern(folder: &str) -> String {
    let mut escaped = String::new();
    for character in folder.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    if escaped.contains([' ', '"']) {
        let inner = escaped.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"/{inner}/**\"")
    } else {
        format!("/{escaped}/**")
    }
}

/// Appends a line to a text file unless it is there; returns whether it was appended.
fn ensure_line(path: &Path, line: &str) -> Result<bool> {
    let is_new = !read(path)?.lines().any(|present| present.trim() == line);
    if is_new {
        append(path, line)?;
    }
    Ok(is_new)
}

#[expect(clippy::disallowed_methods, reason = "this verb makes files")]
fn read(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Trouble::file(path, &error)),
    }
}

/// Appends a line to a text file.
#[expect(clippy::disallowed_methods, reason = "this verb makes files")]
fn append(path: &Path, line: &str) -> Result<()> {
    let mut text = read(path)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
    std::fs::write(path, text).map_err(|error| Trouble::file(path, &error))
}

/// What was found and proposed, to be told.
struct Found<'a> {
    tree: &'a Tree,
    others: &'a [String],
    environments: &'a [Proposed],
    lines: &'a [Line],
    notes: &'a [String],
    written: &'a [String],
}

/// What to type then. Prisma's history comes first: without it everything looks pending.
const NEXT: [(&str, &str); 2] = [
    (
        "tollgate baseline dev",
        "where Prisma has migrated it already; test and prod likewise",
    ),
    ("tollgate plan dev", "what is pending there"),
];

impl Found<'_> {
    fn text(&self) -> String {
        let tree = self.tree;
        let count = match tree.count {
            0 => "no migration yet".to_owned(),
            1 => "1 migration".to_owned(),
            count => format!("{count} migrations"),
        };
        let provider = tree.provider.as_deref().unwrap_or("no provider named");
        let mut text = format!(
            "found Prisma's tree {}: {count}, {provider}\nwrote {}\n",
            tree.migrations,
            self.written.join(", ")
        );
        for other in self.others {
            text.push_str(&format!("not in this chain: {other}\n"));
        }
        text.push('\n');
        let width = self.environments.iter().map(|one| one.url.len()).max();
        for one in self.environments {
            text.push_str(&format!(
                "  {:<8} {:<width$}  {}\n",
                one.stage.name(),
                one.url,
                one.found(),
                width = width.unwrap_or_default()
            ));
        }
        let missing: Vec<String> = self
            .missing()
            .map(|(file, variable)| format!("{file}: {variable}='postgresql://...'"))
            .collect();
        section(
            &mut text,
            "to put into a file that git ignores, or into the environment",
            &missing,
        );
        let (whole, part): (Vec<&Line>, Vec<&Line>) =
            self.lines.iter().partition(|line| !line.is_part);
        for (lines, what) in [
            (whole, ""),
            (part, ", in place of prisma migrate deploy alone"),
        ] {
            for file in files(&lines) {
                let lines: Vec<String> = lines
                    .iter()
                    .filter(|line| line.file == file)
                    .map(|line| format!("{}: {},", quoted(&line.script), quoted(&line.command)))
                    .collect();
                section(
                    &mut text,
                    &format!("to write into {file} by hand{what}"),
                    &lines,
                );
            }
        }
        for note in self.notes {
            text.push_str(&format!("\n  note     {note}\n"));
        }
        text.push('\n');
        for (number, (command, why)) in NEXT.iter().enumerate() {
            let label = if number == 0 { "next" } else { "" };
            text.push_str(&format!("  {label:<8} {command:<23} {why}\n"));
        }
        text
    }

    /// The variables that still have to be put into a file.
    fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        let sources = self
            .environments
            .iter()
            .filter_map(|one| one.source.as_ref());
        sources.filter_map(|source| Some((source.put_into.as_deref()?, source.variable.as_str())))
    }

    fn document(&self) -> Value {
        let environments = self.environments.iter().map(|one| {
            let source = one.source.as_ref();
            json!({
                "name": one.stage.name(),
                "url": one.url,
                "env_file": source.and_then(|source| source.env_file.as_ref()),
                "found_in": source.and_then(|source| source.found_in.as_ref()),
                "put_into": source.and_then(|source| source.put_into.as_ref()),
            })
        });
        let lines = self.lines.iter().map(|line| {
            json!({
                "file": line.file,
                "script": line.script,
                "command": line.command,
                "replaces": if line.is_part { "prisma migrate deploy" } else { "all" },
            })
        });
        json!({
            "schema": "tollgate/init/v1",
            "written": self.written,
            "prisma": {
                "migrations": self.tree.migrations,
                "count": self.tree.count,
                "provider": self.tree.provider,
                "others": self.others,
                "environments": environments.collect::<Vec<_>>(),
                "package_json": lines.collect::<Vec<_>>(),
            },
            "notes": self.notes,
            "next": NEXT.map(|(command, _)| command),
        })
    }
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        text.push_str(&format!("\n  {title}\n"));
        for line in lines {
            text.push_str(&format!("           {line}\n"));
        }
    }
}

fn files(lines: &[&Line]) -> Vec<String> {
    let mut files: Vec<String> = lines.iter().map(|line| line.file.clone()).collect();
    files.dedup();
    files
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_the_folder_itself() {
        assert_eq!(pattern("prisma/migrations"), "/prisma/migrations/**");
        assert_eq!(pattern("a [b]/c*"), "\"/a \\\\[b\\\\]/c\\\\*/**\"");
        assert_eq!(pattern("a[b]"), "/a\\[b\\]/**");
    }
}
