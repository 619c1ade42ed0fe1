//! Backups: taken, looked at, restored, asked for.

mod gate;
mod on_postgres;
mod on_sqlite;

use std::path::PathBuf;

use crate::project::{Project, Shot};

/// Two tables, a view and an index.
pub(crate) const SHOP: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
CREATE INDEX users_email ON users (email);
CREATE TABLE orders (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES users (id));
CREATE VIEW owners AS SELECT DISTINCT owner FROM orders;
INSERT INTO users VALUES (1, 'a@example.com'), (2, 'b@example.com');
INSERT INTO orders VALUES (1, 1), (2, 1), (3, 2);
";

/// The shop, promoted to prod on embedded databases.
pub(crate) fn shop() -> Project {
    let project = Project::with(&[("20251101000000_shop", SHOP)]);
    let shot = project.run(&["promote", "prod"]);
    assert_eq!(shot.exit, 0, "{shot}");
    project
}

/// The names of the files in the folder of backups, sorted.
pub(crate) fn names(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(folder(project));
    let entries = entries.into_iter().flatten().map(|entry| entry.unwrap());
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn folder(project: &Project) -> PathBuf {
    project.path().join("state").join("backups")
}

/// The newest file that is a backup.
pub(crate) fn newest(project: &Project) -> String {
    let names = names(project);
    let mut whole = names
        .into_iter()
        .filter(|name| !name.ends_with(".json") && !name.contains(".part"));
    whole.next_back().expect("a backup")
}

/// Leaves out what is another one with every version of a database: hashes, versions, sizes.
pub(crate) fn plain(mut shot: Shot) -> Shot {
    for text in [&mut shot.stdout, &mut shot.stderr] {
        *text = tamed(text);
    }
    shot
}

fn tamed(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let mut out: Vec<String> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |at| words[at].as_str());
            let bare = word.trim_end_matches([',', ';', ':']);
            let end = &word[bare.len()..];
            let is_version = ["sqlite", "pg_dump", "pg_restore"].contains(&before)
                && bare.starts_with(|c: char| c.is_ascii_digit());
            if let Some(hash) = word.find("blake3:") {
                out.push(format!("{}blake3:[hash]{end}", &word[..hash]));
            } else if is_version {
                out.push(format!("[version]{end}"));
            } else if ["bytes", "kB", "MB"].contains(&bare) && is_number(before) {
                out.pop();
                out.push(format!("[size]{end}"));
            } else {
                out.push(word.clone());
            }
        }
        lines.push(out.join(" "));
    }
    lines.join("\n")
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Runs where the folder of backups is a file system of 1 MB; `None` where this user may not mount one.
/// Also returns what it left there.
#[cfg(target_os = "linux")]
pub(crate) fn on_a_small_disk(
    project: &Project,
    arguments: &[&str],
) -> Option<(Shot, Vec<String>)> {
    std::fs::create_dir_all(folder(project)).unwrap();
    let command = |words: &[&str]| {
        let mut command = std::process::Command::new(words[0]);
        command.args(&words[1..]).arg(folder(project));
        command.output().is_ok_and(|output| output.status.success())
    };
    if !command(&["mount", "-t", "tmpfs", "-o", "size=1m", "tollgate-test"]) {
        #[allow(clippy::print_stderr, reason = "a test that was not held says so")]
        {
            eprintln!("skipped: this user may not mount a small file system");
        }
        return None;
    }
    let shot = project.run(arguments);
    let left = names(project);
    assert!(command(&["umount"]));
    Some((shot, left))
}
