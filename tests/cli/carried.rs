//! Entries on their way to other machines, in files and folders.

use crate::on_postgres::{CREATE, Chain};
use crate::project::Project;

const ORDERS: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY);\n";

fn project() -> Project {
    let project = Project::with(&[("20251104093000_orders", ORDERS)]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project
}

#[test]
fn an_export_takes_the_place_of_no_database() {
    let project = project();
    for name in ["state/ledger.db", "state/dev.db"] {
        let file = project.path().join(name);
        let before = std::fs::read(&file).unwrap();
        let shot = project.run(&["log", "export", name]);
        assert_eq!(shot.exit, 2, "{shot}");
        assert!(
            shot.stderr
                .contains("is a database, and an export would take its place"),
            "{shot}"
        );
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
    assert_eq!(project.run(&["verify"]).exit, 0);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    use std::os::unix::fs::FileTypeExt as _;

    let project = project();
    let pipe = project.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let name = pipe.clone();
    let reader = std::thread::spawn(move || std::fs::read_to_string(name).unwrap());
    assert_eq!(project.run(&["log", "export", "pipe"]).exit, 0);
    assert_eq!(
        reader.join().unwrap(),
        project.run(&["log", "export", "-"]).stdout
    );
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn what_is_wrong_in_a_folder_is_named_by_its_file() {
    let project = project();
    assert_eq!(project.run(&["log", "export", "--to-dir", "out"]).exit, 0);
    let of_writer = std::fs::read_dir(project.path().join("out"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let mut files: Vec<_> = std::fs::read_dir(of_writer.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let whole = std::fs::read_to_string(&files[1]).unwrap();
    let marked = format!("<<<<<<< HEAD\n{whole}\n=======\n{whole}\n>>>>>>> theirs\n");
    for text in [marked.as_str(), &whole[..40], ""] {
        std::fs::write(&files[1], text).unwrap();
        let shot = project.run(&["sync", "--from-dir", "out"]);
        assert_eq!(shot.exit, 4, "{shot}");
        let name = files[1].file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            shot.stderr.contains(&format!("{name} holds no entry")),
            "{shot}"
        );
        assert!(
            shot.stderr.contains("nothing of the folder was taken in"),
            "{shot}"
        );
    }
    // What was only cut short, as by a loss of power, is written again.
    std::fs::write(&files[1], &whole[..40]).unwrap();
    assert_eq!(project.run(&["log", "export", "--to-dir", "out"]).exit, 0);
    assert_eq!(std::fs::read_to_string(&files[1]).unwrap(), whole);
}

#[test]
fn a_source_that_is_no_ledger_is_not_to_be_moved_away() {
    let project = project();
    let shot = project.run(&["sync", "--from", "state/dev.db"]);
    assert_eq!(shot.exit, 4, "{shot}");
    assert!(
        shot.stderr.contains("nothing of it was taken in") && !shot.stderr.contains("mv "),
        "{shot}"
    );
}

#[test]
fn a_hubs_url_is_told_as_the_hubs() {
    let mut project = project();
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    for (hub, url, told) in [
        (
            "env:",
            "",
            "what follows env: in the hub's url is no name of a variable",
        ),
        (
            "env:postgresql://u:hunter22@h/d",
            "",
            "what follows env: in the hub's url is no name of a variable",
        ),
        (
            "env:HUB",
            "mysql://u:hunter22@h/d",
            "the hub's URL begins with mysql:",
        ),
        (
            "env:HUB",
            "",
            "HUB is not set, and holds the url of the hub",
        ),
    ] {
        std::fs::write(&config, format!("hub = \"{hub}\"\n{text}")).unwrap();
        project.variables.insert("HUB".to_owned(), url.to_owned());
        for arguments in [["push"].as_slice(), &["apply", "dev"]] {
            let shot = project.run(arguments);
            assert!(shot.stderr.contains(told), "{shot}");
            assert!(!shot.to_string().contains("hunter22"), "{shot}");
            assert_eq!(
                shot.exit,
                if arguments == ["push"] { 2 } else { 0 },
                "{shot}"
            );
        }
    }
}

/// A team may keep its hub in a database that is a target too: it is not the application's.
#[test]
fn a_hub_in_a_target_is_no_part_of_it_and_outlives_its_reset() {
    let mut chain = Chain::new(&[("20251101000000_users", CREATE)]);
    let url = chain.databases[0].url();
    chain.project.variables.insert("HUB".to_owned(), url);
    let config = chain.project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("hub = \"env:HUB\"\n{text}")).unwrap();
    assert_eq!(chain.run(&["push"]).exit, 0);
    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert!(!shot.stderr.contains("warning"), "{shot}");
    let count = "SELECT count(*) FROM tollgate_hub.entry";
    let before: u32 = chain.databases[0].ask(count).parse().unwrap();
    assert!(before > 0);
    let shot = chain.run(&["reset", "dev", "--yes"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert!(shot.stdout.contains("dropped 1 table"), "{shot}");
    let after: u32 = chain.databases[0].ask(count).parse().unwrap();
    assert!(after > before, "{after} of {before}");
    assert_eq!(chain.run(&["pull"]).exit, 0);
}

/// Whoever holds the same entries comes to the same plan, whatever the clocks said.
#[test]
fn a_clock_that_is_a_day_off_changes_no_plan() {
    const DAY: i64 = 86_400_000;
    for (first, second) in [(DAY, 0), (-DAY, 0), (0, DAY), (0, -DAY)] {
        let target = tempfile::tempdir().unwrap();
        let machine = |id: u64, skew: i64| {
            let mut project = Project::with(&[("20251104093000_orders", ORDERS)]);
            project.begin_ids(id);
            project.now += skew;
            let config = ["dev", "test", "prod"].map(|name| {
                let file = target.path().join(format!("{name}.db"));
                format!(
                    "[[environment]]\nname = \"{name}\"\nurl = \"sqlite:{}\"\n",
                    file.display()
                )
            });
            std::fs::write(project.path().join("tollgate.toml"), config.concat()).unwrap();
            project
        };
        let (ada, ben, cy) = (machine(1, first), machine(2, second), machine(3, 0));
        let give = |from: &Project, to: &Project| {
            let ledger = from.path().join("state/ledger.db").display().to_string();
            let shot = to.run(&["sync", "--from", &ledger]);
            assert_eq!(shot.exit, 0, "{shot}");
        };
        assert_eq!(ada.run(&["apply", "dev"]).exit, 0);
        give(&ada, &ben);
        assert_eq!(ben.run(&["apply", "test"]).exit, 0);
        // Emptied and made anew by one, while the other is a day ahead or behind.
        assert_eq!(ben.run(&["reset", "dev", "--yes"]).exit, 0);
        give(&ben, &ada);
        assert_eq!(ada.run(&["apply", "dev"]).exit, 0);
        for (from, to) in [(&ada, &ben), (&ada, &cy), (&ben, &cy), (&ben, &ada)] {
            give(from, to);
        }
        for environment in ["dev", "test", "prod"] {
            let plans = [&ada, &ben, &cy].map(|project| project.json(&["plan", environment]).1);
            let told = |plan: &serde_json::Value| [plan["id"].clone(), plan["verdict"].clone()];
            assert_eq!(told(&plans[0]), told(&plans[1]), "{environment}");
            assert_eq!(told(&plans[0]), told(&plans[2]), "{environment}");
            let due = if environment == "prod" {
                "ready"
            } else {
                "up-to-date"
            };
            assert_eq!(
                plans[0]["verdict"], due,
                "{first} {second} {environment}: {}",
                plans[0]
            );
        }
    }
}
