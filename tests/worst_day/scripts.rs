//! Every kind of script between two ordinary migrations.
//!
//! Either all three succeed exactly once and nothing of the middle one leaks into the third; or the
//! middle one fails, the third never ran, and what was said about what stands is true: the counter
//! table and the catalog are compared with it.

use std::collections::BTreeMap;

use crate::Random;
use crate::server::{Database, PLAIN};
use crate::small::{Place, Ran, Small};
use crate::workers::try_all;
use crate::world::Verdict;
use crate::{postgres_scripts, sqlite_scripts};

const BEFORE: &str = "20251101000000_before";
/// In the same run as the middle one, so that that one is sent behind it with others.
const LEAD: &str = "20251101120000_lead";
pub(crate) const MIDDLE: &str = "20251102000000_middle";
const AFTER: &str = "20251103000000_after";

/// A script for the middle of three. `@3` in it stands for an INSERT into the counter table that says that
/// it is statement 3 of the script; `{gid}` for a word that no other case has, `{database}` for the
/// database's name, `{pad}` for a comment that is longer than what is analysed.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) script: &'static str,
    /// The statements whose rows stand where the script succeeds. `MUST_FAIL`: it may not succeed.
    pub(crate) stands: &'static [u32],
}

/// What may not succeed, because a receipt beside it would not be true or not be there.
pub(crate) const MUST_FAIL: &[u32] = &[u32::MAX];

/// A case; short, because there are many.
pub(crate) const fn case(name: &'static str, script: &'static str, stands: &'static [u32]) -> Case {
    Case {
        name,
        script,
        stands,
    }
}

/// Who runs the scripts.
#[derive(Debug, Clone, Copy)]
enum Who {
    Superuser,
    Plain,
    Embedded,
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    // The role is there before a script names it.
    drop(Database::plain());
    let mut cases: Vec<(Who, &Case)> = [Who::Superuser, Who::Plain]
        .into_iter()
        .flat_map(|who| postgres_scripts::CASES.iter().map(move |case| (who, case)))
        .chain(
            sqlite_scripts::CASES
                .iter()
                .map(|case| (Who::Embedded, case)),
        )
        .collect();
    if !full {
        for place in (1..cases.len()).rev() {
            let other = random.below(place as u64 + 1);
            cases.swap(place, usize::try_from(other).unwrap_or(0));
        }
        cases.truncate(24);
    }
    let clean_postgres = seen_after(Who::Superuser, "SELECT 1;\n");
    let clean_plain = seen_after(Who::Plain, "SELECT 1;\n");
    let clean_sqlite = seen_after(Who::Embedded, "SELECT 1;\n");
    try_all("scripts", cases, |(who, case)| {
        let clean = match who {
            Who::Superuser => &clean_postgres,
            Who::Plain => &clean_plain,
            Who::Embedded => &clean_sqlite,
        };
        let verdict = judge(who, case, clean).unwrap_or_else(Verdict::Wrong);
        (format!("{who:?}, {}", case.name), verdict)
    })
}

fn project(who: Who, middle: &str) -> Small {
    let small = match who {
        Who::Superuser => Small::on(Database::new()),
        Who::Plain => Small::on(Database::plain()),
        Who::Embedded => Small::on_sqlite(),
    };
    let (database, after) = match &small.place {
        Place::Postgres(database) => (
            database.name().to_owned(),
            include_str!("after_postgres.sql"),
        ),
        Place::Sqlite => (
            small.path().display().to_string(),
            include_str!("after_sqlite.sql"),
        ),
    };
    let mut script = middle
        .replace("{gid}", &database)
        .replace("{database}", &database)
        .replace("{plain}", PLAIN);
    if script.contains("{pad}") {
        // Longer than 4 MiB, which no parser is given.
        let pad = format!("-- {}\n", "a long comment ".repeat(300_000));
        script = script.replace("{pad}", &pad);
    }
    for number in (1..10).rev() {
        let schema = if matches!(who, Who::Embedded) {
            "main"
        } else {
            "public"
        };
        let insert = format!("INSERT INTO {schema}.counter VALUES ('middle', {number})");
        script = script.replace(&format!("@{number}"), &insert);
    }
    small.write(
        BEFORE,
        "CREATE TABLE counter (migration text NOT NULL, number int NOT NULL);\nINSERT INTO counter VALUES ('before', 1);\n",
    );
    let first = small.run(&["apply", "dev"]);
    assert_eq!(first.code, Some(0), "{}", first.text());
    small.write(LEAD, "SELECT 1;\n");
    small.write(MIDDLE, &script);
    small.write(AFTER, after);
    small
}

/// What the third migration finds in its session after a script that leaves nothing behind.
fn seen_after(who: Who, middle: &str) -> Vec<String> {
    let small = project(who, middle);
    let ran = small.run(&["apply", "dev"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text());
    seen(&small).expect("what the third migration saw")
}

fn seen(small: &Small) -> Result<Vec<String>, String> {
    let table = match small.place {
        Place::Postgres(_) => "public.seen",
        Place::Sqlite => "seen",
    };
    small.rows(&format!(
        "SELECT what, value FROM {table} ORDER BY what, value"
    ))
}

/// How often each row of the counter table is there, by migration and statement.
fn counted(small: &Small) -> Result<BTreeMap<(String, u32), u32>, String> {
    let table = match small.place {
        Place::Postgres(_) => "public.counter",
        Place::Sqlite => "counter",
    };
    let rows = small.rows(&format!(
        "SELECT migration, number, count(*) FROM {table} GROUP BY migration, number"
    ))?;
    let read = |row: &String| {
        let mut cells = row.split('|');
        let migration = cells.next()?.to_owned();
        Some((
            (migration, cells.next()?.parse().ok()?),
            cells.next()?.parse().ok()?,
        ))
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// Everything that is not a row, as text.
fn catalog(small: &Small) -> Result<Vec<String>, String> {
    small.rows(match small.place {
        Place::Postgres(_) => include_str!("objects_postgres.sql"),
        // The picture of the schema is kept after the newest receipt.
        Place::Sqlite => {
            "SELECT type, name, tbl_name, sql FROM sqlite_schema \
             WHERE tbl_name <> 'tollgate_fingerprint' ORDER BY 1, 2, 3, 4"
        }
    })
}

fn receipts(small: &Small) -> Result<Vec<String>, String> {
    small.rows(match small.place {
        Place::Postgres(_) => "SELECT migration FROM tollgate.receipt ORDER BY seq",
        Place::Sqlite => "SELECT migration FROM tollgate_receipt ORDER BY seq",
    })
}

fn judge(who: Who, case: &Case, clean: &[String]) -> Result<Verdict, String> {
    let small = project(who, case.script);
    let before = catalog(&small)?;
    let verdict = after(case, &small, &before, clean);
    if let Place::Postgres(database) = &small.place {
        // A prepared transaction is the whole server's, and keeps its database from being dropped.
        let _ = database.run(&format!("ROLLBACK PREPARED '{}'", database.name()));
    }
    verdict
}

/// What a run that did not succeed said about what stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// All of it was rolled back.
    Nothing,
    /// So many statements stand.
    Stands(u32),
    /// So many statements stand and nothing else; the same command goes on after them.
    GoesOn(u32),
    /// How it ended is not known.
    Unknown,
    /// It was not begun.
    Refused,
}

impl Said {
    fn by(ran: &Ran) -> Option<Self> {
        let told = &ran.stderr;
        if ran.code == Some(3) {
            Some(Self::Refused)
        } else if told.contains("is as it was: the whole script was rolled back.")
            || told.contains("nothing was planned or applied")
            || told.contains("nothing of it stands")
        {
            Some(Self::Nothing)
        } else if told.contains("is not known") {
            Some(Self::Unknown)
        } else {
            let goes_on = told.contains("and nothing else of it");
            standing(told).map(if goes_on { Self::GoesOn } else { Self::Stands })
        }
    }
}

/// Runs what is left, and the same command again until nothing changes any more.
fn after(
    case: &Case,
    small: &Small,
    before: &[String],
    clean: &[String],
) -> Result<Verdict, String> {
    let mut ran = small.run(&["apply", "dev"]);
    for round in 0..4 {
        let rows = counted(small)?;
        let wrong = |what: &str| Err(format!("{what}; rows {rows:?}\n{}", ran.text()));
        let of = |migration: &str| -> Vec<u32> {
            let ours = rows.iter().filter(|((name, _), _)| name == migration);
            ours.map(|((_, number), _)| *number).collect()
        };
        let middle = of("middle");
        if ran.hung || !matches!(ran.code, Some(0 | 1 | 3)) {
            return wrong("an end that is not expected");
        }
        if rows.values().any(|&times| times > 1) {
            return wrong("doubled: a statement ran twice");
        }
        if of("before") != [1] {
            return wrong("lost: the first migration's row is gone");
        }
        if ran.code == Some(0) {
            return succeeded(case, small, &ran, &middle, &of("after"), clean);
        }
        let third = |all: Vec<String>| all.iter().any(|migration| migration == AFTER);
        if !of("after").is_empty() || receipts(small).is_ok_and(third) {
            return wrong("the third migration ran although the second had not succeeded");
        }
        let Some(said) = Said::by(&ran) else {
            return wrong("it was not said what stands");
        };
        match said {
            Said::Nothing | Said::Refused if round == 0 || said == Said::Nothing => {
                if !middle.is_empty() {
                    return wrong("nothing is said to stand, and rows do");
                }
                let now = catalog(small)?;
                if now != before {
                    let what = difference(before, &now);
                    return wrong(&format!(
                        "nothing is said to stand, and this does: {what:?}"
                    ));
                }
            }
            Said::Stands(done) | Said::GoesOn(done) => {
                // The statement that failed may have left something.
                let most = done + u32::from(matches!(said, Said::Stands(_)));
                // A script that was not analysed counts as one statement, whatever it holds.
                let whole = ran.stderr.contains("of its 1 statements")
                    || ran.stderr.contains("of 1 statements");
                let of_those = |number: &&u32| case.stands != MUST_FAIL && **number <= done;
                let gone = case.stands.iter().filter(of_those);
                if !whole && gone.into_iter().any(|number| !middle.contains(number)) {
                    return wrong("lost: statements are said to stand that do not");
                }
                if !whole && middle.iter().any(|&number| number > most) {
                    return wrong("more stands than was said");
                }
            }
            Said::Unknown | Said::Nothing | Said::Refused => {}
        }
        if said == Said::Refused {
            // A person is asked; the same command changes nothing.
            verify(small)?;
            let left = round > 0 || !middle.is_empty();
            return Ok(if left {
                Verdict::Human
            } else {
                Verdict::Recovered
            });
        }
        let again = small.run(&["apply", "dev"]);
        if said == Said::Nothing && again.code == Some(1) && counted(small)? == rows {
            // It leaves nothing, however often it is tried.
            verify(small)?;
            return Ok(Verdict::Recovered);
        }
        if matches!(said, Said::Stands(_)) && (again.code == Some(0) || counted(small)? != rows) {
            return wrong(&format!("what stands was run over: {}", again.text()));
        }
        ran = again;
    }
    verify(small)?;
    // A script that ends its own session does so each time.
    let rows = counted(small)?;
    let stands = rows.keys().any(|(migration, _)| migration == "middle");
    Ok(if stands {
        Verdict::Human
    } else {
        Verdict::Recovered
    })
}

fn succeeded(
    case: &Case,
    small: &Small,
    ran: &Ran,
    middle: &[u32],
    third: &[u32],
    clean: &[String],
) -> Result<Verdict, String> {
    if case.stands == MUST_FAIL {
        return Err(format!("it may not succeed: {}", ran.text()));
    }
    if middle != case.stands {
        return Err(format!(
            "lost: it succeeded with the rows {middle:?} in place of {:?}\n{}",
            case.stands,
            ran.text()
        ));
    }
    if third != [1] {
        return Err(format!(
            "lost: the third migration succeeded without its row\n{}",
            ran.text()
        ));
    }
    let now = seen(small)?;
    if now != clean {
        return Err(format!(
            "it leaked into the third migration: {:?}\n{}",
            difference(clean, &now),
            ran.text()
        ));
    }
    let receipts = receipts(small)?;
    if receipts != [BEFORE, LEAD, MIDDLE, AFTER] {
        return Err(format!(
            "lost: the receipts are {receipts:?}\n{}",
            ran.text()
        ));
    }
    let rows = counted(small)?;
    let again = small.run(&["apply", "dev"]);
    if again.code != Some(0) || !again.stdout.contains("nothing to do") {
        return Err(format!("the same command again: {}", again.text()));
    }
    if counted(small)? != rows {
        return Err("doubled: the same command again wrote rows".to_owned());
    }
    verify(small)?;
    Ok(Verdict::Recovered)
}

fn verify(small: &Small) -> Result<(), String> {
    let ran = small.run(&["verify"]);
    if ran.code == Some(0) {
        Ok(())
    } else {
        Err(format!("the ledger is not sound: {}", ran.text()))
    }
}

/// The number of statements that are said to stand.
fn standing(told: &str) -> Option<u32> {
    if told.contains("none of its ") {
        return Some(0);
    }
    let (lead, _) = told.split_once(" statements stand in the target")?;
    let mut words = lead.rsplit([' ', '\n']);
    words.next()?;
    words.next()?;
    words.next()?.parse().ok()
}

fn difference(before: &[String], now: &[String]) -> Vec<String> {
    let gone = before.iter().filter(|line| !now.contains(line));
    let new = now.iter().filter(|line| !before.contains(line));
    gone.map(|line| format!("- {line}"))
        .chain(new.map(|line| format!("+ {line}")))
        .collect()
}
