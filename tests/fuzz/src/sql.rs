//! The script reader: an input is the text of a script, read for both engines.

use tollgate::lint::{Script, allow};
use tollgate::model::entry::Engine;
use tollgate::model::{MigrationId, ReceiptKind};
use tollgate::sql::{
    Analysis, NotAnalysed, StatementKind, analyse, analyse_all, char_position_to_offset, comments,
    line_range, line_text, pipelinable, position,
};

/// Reads a script for both engines and holds the outcome to what is promised of it.
pub fn check(input: &[u8]) {
    let script = String::from_utf8_lossy(input);
    for engine in [Engine::Postgresql, Engine::Sqlite] {
        let analysis = analyse(engine, &script);
        hold(engine, &script, &analysis);
        beside(engine, &script, &analysis);
        assert_eq!(analysis, analyse(engine, &script), "{engine:?}: read twice");
        // Many at once, cut where an input says so, are read as each alone.
        if script.contains('\u{1}') {
            let parts: Vec<&str> = script.split('\u{1}').collect();
            let alone: Vec<Analysis> = parts.iter().map(|part| analyse(engine, part)).collect();
            assert_eq!(analyse_all(engine, &parts), alone, "{engine:?}: together");
        }
    }
    places(&script);
}

fn hold(engine: Engine, script: &str, analysis: &Analysis) {
    let statements = match analysis {
        Analysis::Analysed(statements) => statements,
        Analysis::NotAnalysed(why) => {
            assert!(!pipelinable(analysis));
            assert_eq!(analysis.receipt_kind(), ReceiptKind::Atomic);
            assert!(analysis.statements().is_none());
            match why {
                NotAnalysed::TooLarge { bytes } => assert_eq!(*bytes, script.len()),
                NotAnalysed::TooDeep { offset } | NotAnalysed::ParseError { offset, .. } => {
                    assert!(
                        script.is_char_boundary(*offset),
                        "{engine:?}: the error is at {offset} of {}: {why:?}",
                        script.len()
                    );
                }
            }
            return;
        }
    };
    let mut end = 0;
    for statement in statements {
        let range = statement.range.clone();
        assert!(end <= range.start && range.start < range.end, "{range:?}");
        let text = script.get(range.clone());
        let text = text.unwrap_or_else(|| panic!("{engine:?}: {range:?} is not in the script"));
        nothing_said(engine, &script[end..range.start]);
        end = range.end;
        // Sent alone, it is read as the same one statement.
        if statements.len() <= 6 {
            let Analysis::Analysed(alone) = analyse(engine, text) else {
                panic!("{engine:?}: {text:?} is not read alone");
            };
            assert_eq!(alone.len(), 1, "{engine:?}: {text:?}");
            assert_eq!(alone[0].range, 0..text.len(), "{engine:?}: {text:?}");
            assert_eq!(alone[0].kind, statement.kind, "{engine:?}: {text:?}");
        }
    }
    nothing_said(engine, &script[end..]);
    let ordinary = |kind| kind == StatementKind::Ordinary;
    assert_eq!(
        pipelinable(analysis),
        statements.iter().all(|statement| ordinary(statement.kind))
    );
    assert!(analysis.receipt_kind() == ReceiptKind::Atomic || !pipelinable(analysis));
}

/// Comments stand in order, where the statements leave room for them or within one; what a script allows
/// stands in comments.
fn beside(engine: Engine, script: &str, analysis: &Analysis) {
    let comments = comments(engine, script);
    let mut end = 0;
    for comment in &comments {
        assert!(end <= comment.range.start, "{engine:?}: {comment:?}");
        end = comment.range.end;
        let text = script.get(comment.range.clone());
        let text = text.unwrap_or_else(|| panic!("{engine:?}: {comment:?} is not in the script"));
        let begin = if comment.is_line { "--" } else { "/*" };
        assert!(text.starts_with(begin), "{engine:?}: {text:?}");
    }
    if let Some(statements) = analysis.statements() {
        // Between two statements nothing is left without them but blanks and semicolons.
        let mut at = 0;
        let ranges = statements.iter().map(|statement| statement.range.clone());
        for range in ranges.chain(std::iter::once(script.len()..script.len())) {
            for comment in &comments {
                if !(at..range.start).contains(&comment.range.start) {
                    continue;
                }
                let gap = &script[at..comment.range.start];
                assert!(
                    !gap.contains("--") && !gap.contains("/*"),
                    "{engine:?}: {gap:?}"
                );
                at = comment.range.end;
            }
            at = range.end;
        }
    }
    let migration = MigrationId::new("x");
    let read = allow::read(
        engine,
        &Script {
            migration: &migration,
            text: script,
            analysis,
            changes: &[],
        },
    );
    for allow in &read.allows {
        assert!(comments.iter().any(|comment| comment.range == allow.range));
        assert!(!allow.reason.is_empty());
    }
    for wrong in &read.wrong {
        assert!(script.get(wrong.range.clone()).is_some(), "{wrong:?}");
    }
}

/// What stands between two statements: blanks, semicolons and comments as the engine's own lexer
/// takes them, and nothing else.
fn nothing_said(engine: Engine, gap: &str) {
    let mut rest = gap.as_bytes();
    while let [first, ..] = rest {
        let taken = match first {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b';' => 1,
            0x0b if engine == Engine::Postgresql => 1,
            b'-' if rest.starts_with(b"--") => rest
                .iter()
                // PostgreSQL ends a line at a carriage return too.
                .position(|&byte| byte == b'\n' || byte == b'\r' && engine == Engine::Postgresql)
                .unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => block_comment(engine, rest),
            _ => panic!("{engine:?}: {gap:?} is in no statement"),
        };
        rest = &rest[taken..];
    }
}

/// The length of a comment. PostgreSQL's nest and must end; SQLite's do neither.
fn block_comment(engine: Engine, text: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1);
    while depth > 0 {
        match text.get(at..) {
            Some([b'*', b'/', ..]) => {
                depth -= 1;
                at += 2;
            }
            Some([b'/', b'*', ..]) if engine == Engine::Postgresql => {
                depth += 1;
                at += 2;
            }
            Some([_, ..]) => at += 1,
            _ if engine == Engine::Sqlite => return text.len(),
            _ => panic!("a comment that does not end was taken for one"),
        }
    }
    at
}

/// Lines, columns and offsets, asked at places that the script's own bytes choose.
fn places(script: &str) {
    let asked = script.bytes().take(4).map(usize::from);
    for offset in asked.chain([0, script.len(), script.len() + 1, usize::MAX]) {
        let place = position(script, offset);
        assert!(place.line >= 1 && place.column >= 1);
        let range = line_range(script, offset);
        let text = line_text(script, offset);
        assert_eq!(script.get(range.clone()), Some(text));
        assert!(!text.contains('\n'));
        assert_eq!(position(script, range.start).line, place.line);
        assert_eq!(position(script, range.start).column, 1);
        match char_position_to_offset(script, offset) {
            None => assert_eq!(offset, 0),
            Some(found) => {
                let before = script.get(..found).map(|text| text.chars().count());
                let expected = (offset - 1).min(script.chars().count());
                assert_eq!(before, Some(expected));
            }
        }
    }
}
