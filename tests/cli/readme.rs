//! The README's transcript is what the program says.

use crate::project::{Project, Shot};

/// Every `console` block of the README, in order: commands after `$ `, and what they print.
#[test]
fn the_transcript_of_the_readme_is_true() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let project = Project::empty();
    let config = std::fs::read_to_string(root.join("tollgate.toml")).unwrap();
    std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
    copy(&root.join("migrations"), &project.path().join("migrations"));

    let mut expected = String::new();
    let mut actual = String::new();
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        expected.push_str(block);
        for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            actual.push_str(&format!("$ {command}\n"));
            actual.push_str(&perform(&project, command));
        }
    }
    assert!(!expected.is_empty(), "the README has a transcript");
    assert_eq!(actual, expected, "\nthe transcript should be:\n{actual}");
}

fn perform(project: &Project, command: &str) -> String {
    // The one line of shell in the transcript: somebody edits a script after it ran.
    if let Some((_, file)) = command
        .strip_prefix("echo ")
        .and_then(|rest| rest.split_once(" >> "))
    {
        let file = project.path().join(file);
        let mut text = std::fs::read_to_string(&file).unwrap();
        text.push_str("-- one more thought\n");
        std::fs::write(file, text).unwrap();
        return String::new();
    }
    let arguments = command
        .strip_prefix("cargo run --release -- ")
        .or_else(|| command.strip_prefix("tollgate "))
        .unwrap_or_else(|| panic!("a command that the test does not know: {command}"));
    let shot = project.run(&arguments.split(' ').collect::<Vec<_>>());
    let shot = still(shot);
    // On a terminal the two streams are read as one; progress comes before the result.
    format!("{}{}", shot.stderr, shot.stdout)
}

/// How long something took is the one thing that is never the same twice.
fn still(mut shot: Shot) -> Shot {
    let end = " ms, the longest that anybody";
    if let Some(place) = shot.stdout.find(end) {
        let before = shot.stdout[..place].trim_end_matches(|c: char| c.is_ascii_digit());
        shot.stdout = format!("{before}5{}", &shot.stdout[place..]);
    }
    shot
}

pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
