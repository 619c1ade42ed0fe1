//! Trees as they are found in the world, and everything that can be wrong with one.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test panics where something is wrong, and makes the files that it needs"
)]

use std::path::Path;

use tempfile::TempDir;
use tollgate::catalog::{Catalog, CatalogError, MAX_SCRIPT_BYTES, read};
use tollgate::digest::{Checksum, Sha256};
use tollgate::model::MigrationId;

struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    fn read(&self) -> Catalog {
        read(self.root(), MAX_SCRIPT_BYTES).unwrap()
    }

    /// The errors, with the root left out.
    fn errors(&self) -> Vec<String> {
        let root = format!("{}/", self.root().canonicalize().unwrap().display());
        let given = format!("{}/", self.root().display());
        let show = |error: &CatalogError| error.to_string().replace(&given, "").replace(&root, "");
        read(self.root(), 1000)
            .unwrap_err()
            .iter()
            .map(show)
            .collect()
    }
}

#[test]
fn names_are_taken_as_they_are_in_byte_order() {
    let names = [
        ".hidden",
        "0_init",
        "001_short_stamp",
        "20251103_eight",
        "202511031200_twelve",
        "20251103270000_impossible",
        "20251104093000_",
        "20251104093000_a",
        "20251104093000_b",
        "20251104093000_has a space",
        "20251104093000_name.sql",
        "99999999999999_far",
        "Add_Capitals",
        "add_nothing",
        "é_accent",
    ];
    let tree = Tree::new();
    for name in names.iter().rev() {
        tree.put(&format!("{name}/migration.sql"), format!("-- {name}\n"));
    }
    tree.put("migration_lock.toml", "provider = \"sqlite\"\n")
        .put("README.md", "")
        .put("x.sql", "");
    let catalog = tree.read();
    let found: Vec<&str> = catalog.migrations.iter().map(|m| m.id.as_str()).collect();
    let mut sorted = names.map(str::as_bytes);
    sorted.sort_unstable();
    assert_eq!(
        found.iter().map(|name| name.as_bytes()).collect::<Vec<_>>(),
        sorted
    );
    assert!(catalog.skipped.is_empty());
    let one = catalog.get(&MigrationId::new("0_init")).unwrap();
    assert_eq!(one.script, "-- 0_init\n");
    assert_eq!(one.path, tree.root().join("0_init").join("migration.sql"));
    assert_eq!(catalog.get(&MigrationId::new("1_init")), None);
}

#[test]
fn the_exact_bytes_are_kept_and_hashed() {
    let tree = Tree::new();
    let script = "CREATE TABLE é (id);\r\n\tSELECT 1;\n\n  ";
    tree.put("1_a/migration.sql", script)
        .put("1_a/down.sql", "DROP TABLE é;")
        .put("2_empty/migration.sql", "")
        .put("3_comment/migration.sql", "-- nothing\n")
        .put("3_comment/down.sql/not_a_file", "");
    let catalog = tree.read();
    let [a, empty, comment] = &catalog.migrations[..] else {
        panic!("{catalog:?}")
    };
    assert_eq!(a.script, script);
    assert_eq!(a.checksum, Checksum::of(script.as_bytes()));
    assert_eq!(a.sha256, Sha256::of(script.as_bytes()));
    let down = a.down.as_ref().map(|down| (&*down.script, down.checksum));
    assert_eq!(
        down,
        Some(("DROP TABLE é;", Checksum::of("DROP TABLE é;".as_bytes())))
    );
    assert!(empty.down.is_none() && comment.down.is_none());
    assert_eq!(empty.checksum, Checksum::of(b""));
    assert_eq!(comment.script, "-- nothing\n");
}

#[test]
fn folders_that_are_no_migrations_are_told() {
    let tree = Tree::new();
    tree.put("1_a/migration.sql", "")
        .put("snippets/one.sql", "")
        .put("notes/x/migration.sql", "");
    std::fs::create_dir(tree.root().join("empty")).unwrap();
    let skipped: Vec<_> = tree
        .read()
        .skipped
        .into_iter()
        .map(|skipped| {
            (
                skipped
                    .path
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
                skipped.why,
            )
        })
        .collect();
    let why = "it has no migration.sql".to_owned();
    let expected = ["empty", "notes", "snippets"].map(|name| (name.to_owned(), why.clone()));
    assert_eq!(skipped, expected);
}

#[test]
fn many_migrations_are_read_alike_on_several_threads() {
    let tree = Tree::new();
    for number in 0..821 {
        tree.put(
            &format!("2025{number:010}_m/migration.sql"),
            format!("SELECT {number};"),
        );
    }
    let catalog = tree.read();
    assert_eq!(catalog.migrations.len(), 821);
    for (number, migration) in catalog.migrations.iter().enumerate() {
        assert_eq!(migration.script, format!("SELECT {number};"));
        assert_eq!(
            migration.checksum,
            Checksum::of(migration.script.as_bytes())
        );
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let tree = Tree::new();
    tree.put("1_bom/migration.sql", b"\xEF\xBB\xBFSELECT 1;")
        .put("2_nul/migration.sql", b"SELECT 1;\0")
        .put("3_latin/migration.sql", b"SELECT '\xE9';")
        .put("4_utf16/migration.sql", b"\xFF\xFES\0E\0")
        .put("5_long/migration.sql", vec![b'-'; 1001])
        .put("6_folder/migration.sql/x", "")
        .put("7_all/migration.sql", b"\xEF\xBB\xBF\0\xE9")
        .put("8_good/migration.sql", "SELECT 1;")
        .put("9_fits/migration.sql", vec![b'-'; 1000]);
    assert_eq!(
        tree.errors(),
        [
            "1_bom/migration.sql begins with a byte-order mark (byte 0)",
            "2_nul/migration.sql holds a NUL byte (byte 9)",
            "3_latin/migration.sql is not UTF-8 (byte 8)",
            "4_utf16/migration.sql is UTF-16, not UTF-8 (byte 0)",
            "5_long/migration.sql has 1001 bytes, more than the limit of 1000",
            "6_folder/migration.sql is not a file",
            "7_all/migration.sql begins with a byte-order mark (byte 0)",
            "7_all/migration.sql holds a NUL byte (byte 3)",
            "7_all/migration.sql is not UTF-8 (byte 4)",
        ]
    );
    assert!(
        read(tree.root(), 1000)
            .unwrap_err()
            .iter()
            .all(|error| error.remedy.is_some())
    );
}

#[test]
fn a_root_that_is_no_folder_is_told() {
    let tree = Tree::new();
    let error = read(&tree.root().join("none"), 1000).unwrap_err().remove(0);
    assert_eq!(error.what, "does not exist");
    assert!(error.remedy.is_some());
    tree.put("file", "");
    let error = read(&tree.root().join("file"), 1000).unwrap_err().remove(0);
    assert_eq!(error.what, "is not a folder");
    assert!(read(tree.root(), 1000).unwrap().migrations.is_empty());
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn links_inside_the_tree_are_followed_and_links_out_of_it_refused() {
        let outside = Tree::new();
        outside
            .put("folder/migration.sql", "SELECT 'out';")
            .put("file", "");
        let tree = Tree::new();
        tree.put("1_a/migration.sql", "SELECT 1;")
            .put("2_b/down.sql", "");
        symlink("1_a", tree.root().join("3_same")).unwrap();
        symlink(
            "../1_a/migration.sql",
            tree.root().join("2_b/migration.sql"),
        )
        .unwrap();
        symlink(outside.root().join("file"), tree.root().join("notes.txt")).unwrap();
        symlink("nowhere", tree.root().join("dangling")).unwrap();
        let catalog = tree.read();
        let found: Vec<_> = catalog.migrations.iter().map(|m| m.id.as_str()).collect();
        assert_eq!(found, ["1_a", "2_b", "3_same"]);
        assert_eq!(catalog.skipped.len(), 1);
        assert_eq!(
            catalog.skipped[0].why,
            "it is a symbolic link that leads nowhere"
        );

        symlink(outside.root().join("folder"), tree.root().join("4_out")).unwrap();
        std::fs::create_dir(tree.root().join("5_out")).unwrap();
        let target = outside.root().join("folder/migration.sql");
        symlink(&target, tree.root().join("5_out/migration.sql")).unwrap();
        std::fs::create_dir(tree.root().join("6_lost")).unwrap();
        symlink("nowhere", tree.root().join("6_lost/migration.sql")).unwrap();
        let out = "is a symbolic link that leads out of the migrations folder, to";
        let there = outside.root().canonicalize().unwrap().join("folder");
        assert_eq!(
            tree.errors(),
            [
                format!("4_out {out} {}", there.display()),
                format!(
                    "5_out/migration.sql {out} {}/migration.sql",
                    there.display()
                ),
                "6_lost/migration.sql cannot be read: it is a symbolic link that leads nowhere"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn a_name_that_is_not_utf8_is_refused() {
        let tree = Tree::new();
        let folder = tree.root().join(OsStr::from_bytes(b"1_\xE9"));
        if std::fs::create_dir(&folder).is_err() {
            return; // This file system has only names in UTF-8.
        }
        assert_eq!(tree.read().skipped.len(), 1);
        std::fs::write(folder.join("migration.sql"), "").unwrap();
        assert_eq!(tree.errors(), ["1_\u{FFFD} has a name that is not UTF-8"]);
    }

    #[test]
    fn a_script_that_may_not_be_read_is_told() {
        let tree = Tree::new();
        tree.put("1_a/migration.sql", "SELECT 1;");
        let path = tree.root().join("1_a/migration.sql");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
        if std::fs::read(&path).is_ok() {
            return; // Who runs this may read everything.
        }
        assert_eq!(
            tree.errors(),
            ["1_a/migration.sql cannot be read: Permission denied"]
        );
    }
}

/// Prisma counts folders, and follows no link; elsewhere a link inside the tree is as good as a folder.
#[cfg(unix)]
#[test]
fn in_a_tree_of_prismas_a_link_is_no_migration() {
    let tree = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = tree.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("1_one/migration.sql", "SELECT 1;\n");
    std::os::unix::fs::symlink("1_one", tree.path().join("2_two")).unwrap();
    let ids = || {
        let read = tollgate::catalog::read(tree.path(), 1024).unwrap();
        let ids: Vec<String> = read
            .migrations
            .iter()
            .map(|one| one.id.to_string())
            .collect();
        (ids.join(" "), read.skipped.len(), read.prisma)
    };
    assert_eq!(ids(), ("1_one 2_two".to_owned(), 0, None));
    write("migration_lock.toml", "provider = \"sqlite\"\n");
    let (ids, skipped, prisma) = ids();
    assert_eq!((ids.as_str(), skipped), ("1_one", 1));
    assert_eq!(prisma.unwrap().provider.as_deref(), Some("sqlite"));
}
