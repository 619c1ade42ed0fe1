//! Finding Prisma's tree of migrations in a repository.

use std::collections::BTreeSet;
use std::path::Path;

use super::literals::{Literals, Value};

/// The tree that was chosen. Paths begin at the folder that was looked in, with `/` between their
/// parts, and are never above it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tree {
    /// The folder of the package that it belongs to; empty for the repository itself.
    pub(super) package: String,
    /// The folder that the schema stands in; empty for the repository itself.
    pub(super) folder: String,
    /// The folder of migrations, which may not be there yet.
    pub(super) migrations: String,
    /// How many migrations stand in it.
    pub(super) count: usize,
    /// What its `migration_lock.toml`, or else its schema, says.
    pub(super) provider: Option<String>,
    /// What the schema, or else the configuration, says of the url.
    pub(super) url: Option<Value>,
    /// The same of the url without a pooler.
    pub(super) direct_url: Option<Value>,
    /// Whether the url stands in `prisma.config.*`, as from version 7 on.
    pub(super) configured: bool,
    pub(super) has_lock: bool,
    pub(super) has_schema: bool,
    /// Whether Prisma's own settings name it.
    pub(super) is_named: bool,
}

impl Tree {
    /// The folders that may hold what belongs to it: the repository, the package, the schema's folder and
    /// the one above, which is the package where the repository's own settings name the schema.
    pub(super) fn places(&self) -> Vec<String> {
        let above = self.folder.rsplit_once('/').map_or("", |(above, _)| above);
        let mut places: Vec<String> = Vec::new();
        for place in ["", &self.package, above, &self.folder] {
            if !places.iter().any(|known| known == place) {
                places.push(place.to_owned());
            }
        }
        places
    }
}

const CONFIGURATIONS: &[&str] = &["ts", "mts", "cts", "js", "mjs", "cjs"];

/// Larger files are none of those that are read here.
const LIMIT: u64 = 4 * 1024 * 1024;

/// The tree to use, and the folders of migrations of the others. Nothing where Prisma is not used.
pub(super) fn look(root: &Path) -> Option<(Tree, Vec<String>)> {
    let mut packages = vec![String::new()];
    for workspace in ["packages", "apps"] {
        let inner = folders(&root.join(workspace));
        packages.extend(inner.into_iter().map(|name| format!("{workspace}/{name}")));
    }
    let mut known = BTreeSet::new();
    let mut trees: Vec<Tree> = packages
        .iter()
        .flat_map(|package| of_package(root, package))
        .filter(|tree| known.insert(tree.migrations.clone()))
        .collect();
    // Stable: among equals the repository itself goes first, then packages by name, then apps.
    trees.sort_by_key(|tree| {
        let has_migrations = tree.count > 0;
        (
            !(has_migrations && tree.has_lock),
            !has_migrations,
            !tree.has_lock,
            !tree.is_named,
            !tree.has_schema,
        )
    });
    let mut trees = trees.into_iter();
    let chosen = trees.next()?;
    let others = trees
        .filter(|tree| tree.count > 0 || tree.has_lock || tree.has_schema)
        .map(|tree| tree.migrations)
        .collect();
    Some((chosen, others))
}

fn of_package(root: &Path, package: &str) -> Vec<Tree> {
    let configuration = CONFIGURATIONS
        .iter()
        .find_map(|end| text(&root.join(join(package, &format!("prisma.config.{end}"))?)));
    let configuration = configuration.map(|text| Literals::read(&text));
    let literal = |value: Option<Value>| match value {
        Some(Value::Text(text)) => join(package, &text),
        _ => None,
    };
    let mut places: Vec<(String, String, bool)> = Vec::new();
    let schema = match &configuration {
        Some(configuration) => literal(configuration.outermost("schema")),
        None => None,
    };
    let schema = schema.or_else(|| of_package_json(root, package));
    let schema_folder = schema.and_then(|schema| folder_of(root, &schema));
    let default = join(package, "prisma").unwrap_or_default();
    if let Some(configuration) = &configuration
        && let Some(migrations) = literal(configuration.within("migrations", "path"))
        && root.join(&migrations).is_dir()
    {
        let folder = schema_folder.clone().unwrap_or_else(|| default.clone());
        places.push((folder, migrations, true));
    }
    if let Some(folder) = schema_folder {
        places.push((folder.clone(), below(&folder, "migrations"), true));
    }
    if root.join(&default).is_dir() || configuration.is_some() && places.is_empty() {
        // A schema of several files has a folder of its own, which once had the migrations too.
        let several = below(&default, "schema");
        let inner = below(&several, "migrations");
        let outer = below(&default, "migrations");
        if root.join(&inner).is_dir() && !root.join(&outer).is_dir() {
            places.push((several, inner, false));
        } else {
            places.push((default, outer, false));
        }
    }
    let own = below(package, "migrations");
    if root.join(below(package, "schema.prisma")).is_file()
        || root.join(below(&own, "migration_lock.toml")).is_file()
    {
        places.push((package.to_owned(), own, false));
    }
    let trees = places.into_iter().map(|(folder, migrations, is_named)| {
        let tree = Tree {
            package: package.to_owned(),
            folder,
            migrations,
            is_named,
            ..Tree::default()
        };
        described(root, tree, configuration.as_ref())
    });
    trees.collect()
}

/// What the files of a tree say of it.
fn described(root: &Path, mut tree: Tree, configuration: Option<&Literals>) -> Tree {
    let migrations = root.join(&tree.migrations);
    tree.count = folders(&migrations)
        .iter()
        .filter(|name| migrations.join(name).join("migration.sql").is_file())
        .count();
    let lock = text(&migrations.join("migration_lock.toml"));
    tree.has_lock = lock.is_some();
    let schema = schema(root, &tree.folder);
    tree.has_schema = schema.is_some();
    if let Some(schema) = &schema {
        if let Some(Value::Text(provider)) = schema.datasource("provider") {
            tree.provider = Some(provider);
        }
        tree.url = schema.datasource("url");
        tree.direct_url = schema.datasource("directUrl");
    }
    if let (None, Some(configuration)) = (&tree.url, configuration) {
        tree.url = configuration.within("datasource", "url");
        tree.direct_url = configuration.within("datasource", "directUrl");
        tree.configured = true;
    }
    if let Some(provider) = lock.as_deref().and_then(provider) {
        tree.provider = Some(provider);
    }
    tree
}

/// The provider of a `migration_lock.toml`, read line by line as Prisma does.
fn provider(lock: &str) -> Option<String> {
    lock.lines().find_map(|line| {
        let value = line.trim().strip_prefix("provider")?.trim_start();
        let value = value.strip_prefix('=')?.trim().strip_prefix('"')?;
        Some(value.split('"').next()?.to_owned())
    })
}

/// The file with the `datasource` block: `schema.prisma`, or one of several.
fn schema(root: &Path, folder: &str) -> Option<Literals> {
    let mut files = vec![below(folder, "schema.prisma")];
    for folder in [folder.to_owned(), below(folder, "schema")] {
        let inner = names(&root.join(&folder), |path| path.is_file());
        let inner = inner.into_iter().filter(|name| name.ends_with(".prisma"));
        files.extend(inner.map(|name| below(&folder, &name)));
    }
    let texts = files.iter().filter_map(|file| text(&root.join(file)));
    let mut schemas: Vec<Literals> = texts.map(|text| Literals::read(&text)).collect();
    let place = schemas
        .iter()
        .position(|schema| schema.datasource("provider").is_some());
    (!schemas.is_empty()).then(|| schemas.swap_remove(place.unwrap_or(0)))
}

/// `"prisma": { "schema": ... }` in a `package.json`: the setting before `prisma.config.ts`.
fn of_package_json(root: &Path, package: &str) -> Option<String> {
    let json: serde_json::Value =
        serde_json::from_str(&text(&root.join(below(package, "package.json")))?).ok()?;
    join(package, json["prisma"]["schema"].as_str()?)
}

/// The folder that migrations stand beside a schema in, where that schema is there.
fn folder_of(root: &Path, schema: &str) -> Option<String> {
    let parent = || {
        schema
            .rsplit_once('/')
            .map_or("", |(parent, _)| parent)
            .to_owned()
    };
    let path = root.join(schema);
    if path.is_file() {
        Some(parent())
    } else if path.is_dir() {
        let beside = root.join(below(&parent(), "migrations")).is_dir();
        let inside = path.join("migrations").is_dir();
        Some(if beside && !inside {
            parent()
        } else {
            schema.to_owned()
        })
    } else {
        None
    }
}

/// A path that starts in a folder, or nothing where it leads out of the repository.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', ':']) || path.chars().any(char::is_control) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A name in a folder; the empty folder is the repository itself.
pub(super) fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

fn folders(path: &Path) -> Vec<String> {
    let mut names = names(path, Path::is_dir);
    names.retain(|name| name != "node_modules");
    names
}

/// The names in a folder, sorted. One that is no text, or could not be written into a file of text
/// as it is, is passed over.
pub(super) fn names(path: &Path, wanted: fn(&Path) -> bool) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| wanted(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.chars().any(char::is_control))
        .collect();
    names.sort();
    names
}

/// The text of a file of a reasonable size, where there is one.
#[expect(
    clippy::disallowed_methods,
    reason = "the repository is cli's to look at"
)]
pub(super) fn text(path: &Path) -> Option<String> {
    let size = std::fs::metadata(path).ok()?;
    if !size.is_file() || size.len() > LIMIT {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    Some(
        String::from_utf8_lossy(&bytes)
            .trim_start_matches('\u{feff}')
            .to_owned(),
    )
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test makes the files that are read"
)]
mod tests {
    use super::*;

    fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn look_at(files: &[(&str, &str)]) -> Option<(Tree, Vec<String>)> {
        look(repository(files).path())
    }

    const LOCK: &str = "# do not edit\nprovider = \"postgresql\"\n";

    #[test]
    fn a_plain_folder_is_not_prismas() {
        assert_eq!(look_at(&[]), None);
        assert_eq!(
            look_at(&[("migrations/1_a/migration.sql", ""), ("package.json", "{}")]),
            None
        );
        assert_eq!(look_at(&[("packages/ui/package.json", "{}")]), None);
    }

    #[test]
    fn the_usual_places() {
        for (path, package) in [
            ("prisma", ""),
            ("packages/database/prisma", "packages/database"),
            ("apps/web/prisma", "apps/web"),
            ("packages/prisma", "packages/prisma"),
        ] {
            let lock = format!("{path}/migrations/migration_lock.toml");
            let script = format!("{path}/migrations/1_a/migration.sql");
            let (tree, others) = look_at(&[(&lock, LOCK), (&script, "")]).unwrap();
            assert_eq!(tree.migrations, format!("{path}/migrations"));
            assert_eq!(
                (tree.package.as_str(), tree.folder.as_str()),
                (package, path)
            );
            assert_eq!((tree.count, others.len()), (1, 0));
            assert_eq!(tree.provider.as_deref(), Some("postgresql"));
        }
    }

    #[test]
    fn of_several_the_one_with_migrations_and_a_lock() {
        let (tree, others) = look_at(&[
            ("prisma/schema.prisma", ""),
            ("apps/web/prisma/migrations/1_a/migration.sql", ""),
            ("packages/database/prisma/migrations/1_a/migration.sql", ""),
            (
                "packages/database/prisma/migrations/migration_lock.toml",
                LOCK,
            ),
            ("packages/ui/prisma/readme.md", ""),
        ])
        .unwrap();
        assert_eq!(tree.migrations, "packages/database/prisma/migrations");
        assert_eq!(others, ["apps/web/prisma/migrations", "prisma/migrations"]);
    }

    #[test]
    fn a_configuration_may_name_the_folder_if_it_is_there() {
        let config =
            "export default { schema: './db/schema.prisma', migrations: { path: 'db/sql' } }";
        let there = [
            ("prisma.config.ts", config),
            ("db/sql/migration_lock.toml", LOCK),
            ("db/schema.prisma", ""),
        ];
        let (tree, _) = look_at(&there).unwrap();
        assert_eq!(
            (tree.migrations.as_str(), tree.folder.as_str()),
            ("db/sql", "db")
        );
        let (tree, _) = look_at(&[there[0], there[2]]).unwrap();
        assert_eq!(tree.migrations, "db/migrations");
        let (tree, _) = look_at(&[there[0]]).unwrap();
        assert_eq!(tree.migrations, "prisma/migrations");
        let out = "{ migrations: { path: '../sql' } }";
        let (tree, _) = look_at(&[("apps/a/prisma.config.mjs", out)]).unwrap();
        assert_eq!(tree.migrations, "apps/a/prisma/migrations");
    }

    #[test]
    fn the_package_is_looked_at_where_the_repository_names_its_schema() {
        let (tree, _) = look_at(&[
            (
                "prisma.config.ts",
                "{ schema: 'packages/db/prisma/schema.prisma' }",
            ),
            ("packages/db/prisma/schema.prisma", ""),
        ])
        .unwrap();
        assert_eq!(tree.places(), ["", "packages/db", "packages/db/prisma"]);
    }

    #[test]
    fn package_json_may_name_the_schema() {
        let (tree, _) = look_at(&[
            (
                "package.json",
                r#"{"prisma": {"schema": "./server/db/schema.prisma"}}"#,
            ),
            (
                "server/db/schema.prisma",
                "datasource db { provider = \"sqlite\" }",
            ),
        ])
        .unwrap();
        assert_eq!(tree.migrations, "server/db/migrations");
        assert_eq!(tree.provider.as_deref(), Some("sqlite"));
    }

    #[test]
    fn a_schema_may_have_several_files() {
        let (tree, _) = look_at(&[
            ("prisma/schema/a.prisma", "model A {}"),
            (
                "prisma/schema/db.prisma",
                "datasource db { provider = \"sqlite\"\nurl = \"file:./dev.db\" }",
            ),
            (
                "prisma/schema/migrations/migration_lock.toml",
                "provider = \"sqlite\"",
            ),
        ])
        .unwrap();
        assert_eq!(tree.migrations, "prisma/schema/migrations");
        assert_eq!(tree.url, Some(Value::Text("file:./dev.db".to_owned())));
    }

    #[test]
    fn paths_stay_in_the_repository() {
        assert_eq!(
            join("packages/a", "./prisma//x").as_deref(),
            Some("packages/a/prisma/x")
        );
        assert_eq!(join("packages/a", "../b").as_deref(), Some("packages/b"));
        assert_eq!(join("a", "../../b"), None);
        assert_eq!(join("", "/etc"), None);
        assert_eq!(join("", "C:\\x"), None);
    }
}
