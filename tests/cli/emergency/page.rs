//! docs/EMERGENCY.md: its transcript is what the program says.

use std::path::Path;

use super::still;
use crate::project::{Project, Shot};
use crate::readme::copy;

/// The commands of the page's `console` blocks, and what they print; what is typed stands behind the questions.
#[test]
fn the_transcript_of_the_page_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/EMERGENCY.md")).unwrap();
    let project = Project::empty();
    let config = std::fs::read_to_string(root.join("tollgate.toml")).unwrap();
    std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
    copy(&root.join("migrations"), &project.path().join("migrations"));
    for command in [
        &["promote", "test"][..],
        &["rehearse", "dev", PAUSED],
        &["promote", "prod"],
    ] {
        assert_eq!(project.run(command).exit, 0);
    }

    let blocks: Vec<&str> = page.split("```console\n").skip(1).collect();
    assert_eq!(
        blocks.len(),
        2,
        "the page has a transcript, and how it goes on"
    );
    let (mut expected, mut actual, mut raw) = (String::new(), String::new(), String::new());
    for block in blocks {
        let block = block.split("```").next().unwrap();
        let (command, said) = block.split_once('\n').unwrap();
        let typed: Vec<&str> = said
            .lines()
            .filter_map(|line| line.split_once(QUESTION))
            .map(|(_, typed)| typed)
            .collect();
        let arguments = words(command.strip_prefix("$ tollgate ").unwrap());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let shot = project.run_typing(&arguments, typed.join("\n").leak());
        let said = text(Shot {
            exit: shot.exit,
            stdout: shot.stdout.clone(),
            stderr: shot.stderr.clone(),
        });
        raw.push_str(&format!("{command}\n{}", echoed(said, &typed)));
        let shot = still(shot);
        expected.push_str(&text(still(Shot {
            exit: shot.exit,
            stdout: String::new(),
            stderr: block.to_owned(),
        })));
        actual.push_str(&format!("{command}\n{}", echoed(text(shot), &typed)));
    }
    assert_eq!(actual, expected, "\nthe transcript should be:\n{raw}");
}

const PAUSED: &str = "20251111133902_add_health_check_paused";
const QUESTION: &str = " [y/N] ";

/// On a terminal the two streams are read as one; progress comes before the result.
fn text(shot: Shot) -> String {
    let mut text = shot.stderr;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&shot.stdout);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A terminal shows what is typed, and goes to the next line.
fn echoed(text: String, typed: &[&str]) -> String {
    let mut pieces = text.split(QUESTION);
    let mut out = pieces.next().unwrap().to_owned();
    for (piece, typed) in pieces.zip(typed) {
        out.push_str(&format!("{QUESTION}{typed}\n{piece}"));
    }
    out
}

/// A command's words, with quotes around some.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, piece) in command.split('\'').enumerate() {
        match place % 2 {
            0 => words.extend(piece.split_whitespace().map(str::to_owned)),
            _ => words.push(piece.to_owned()),
        }
    }
    words
}
