//! `tollgate verify`: the ledger. With environments, see `verify_target`.

use serde_json::json;

use super::verify_target;
use crate::cli::act::act_alone;
use crate::cli::args::{Global, Verify};
use crate::cli::exit::{go_on, set_aside};
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::cli::{Exit, Result};
use crate::ledger::{self, Agreement, LedgerErrorKind, Strays};
use crate::model::entry::Head;
use crate::report::{self, strays};

const CANNOT_SHOW: &str = "a bare chain cannot show that entries after the last were cut off, that a whole writer was\n\
     removed, or that everything was written anew; the receipts in the targets can";

/// What does not hold.
struct Broken {
    json: serde_json::Value,
    told: String,
    remedy: String,
}

/// Scripts that are kept by checksum, with bytes of another one.
fn exchanged(path: &std::path::Path) -> Result<Option<Broken>> {
    let wrong = ledger::exchanged_scripts(path)?;
    Ok(wrong.first().map(|first| Broken {
        json: json!({ "scripts": wrong, "what": "the bytes that are kept have another checksum" }),
        told: match wrong.len() {
            1 => format!("the bytes that it keeps for {first} have another checksum"),
            count => format!(
                "the bytes that it keeps for {first} and {} have another checksum",
                report::count(count - 1, "other script")
            ),
        },
        remedy: set_aside(path),
    }))
}

/// A snapshot that the entries do not add up to.
fn other_state(agreement: Agreement) -> Option<Broken> {
    (agreement == Agreement::Differs).then(|| Broken {
        json: json!({ "snapshot": "differs", "what": "it tells something else than the entries" }),
        told: "its snapshot tells something else than its entries, which are sound".to_owned(),
        remedy: "tollgate verify --rebuild".to_owned(),
    })
}

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Verify) -> Result<Exit> {
    let project = Project::open(output, global)?;
    if !verb.environments.is_empty() {
        return verify_target::run(output, global, &project, verb);
    }
    let path = &project.config.ledger;
    if verb.rebuild && path.exists() {
        act_alone(output, global, &project, |run| {
            Ok(run.ledger.rebuild_snapshot()?)
        })?;
    }
    let mut held = Strays::default();
    let mut snapshot = Agreement::None;
    let (heads, broken) = match ledger::verify(path, &project.config.policy) {
        Ok((loaded, agreement)) => {
            held = loaded.strays;
            // The program ends soon: taking a big state apart, piece by piece, is for nothing.
            std::mem::forget(loaded.view);
            snapshot = agreement;
            let broken = exchanged(path)?.or_else(|| other_state(agreement));
            (loaded.heads, broken)
        }
        Err(error) => match &error.kind {
            LedgerErrorKind::Unsound(unsound) => {
                let broken = Broken {
                    json: json!({
                        "writer": unsound.writer, "number": unsound.number, "what": unsound.what,
                    }),
                    told: unsound.to_string(),
                    remedy: set_aside(path),
                };
                (unsound.sound.clone(), Some(broken))
            }
            LedgerErrorKind::Behind(behind) => {
                let Head { writer, number, .. } = behind.written;
                let broken = Broken {
                    json: json!({
                        "writer": writer, "number": number, "what": "it was written here and is gone",
                    }),
                    told: behind.to_string(),
                    remedy: go_on(path),
                };
                (behind.sound.clone(), Some(broken))
            }
            _ => return Err(error.into()),
        },
    };
    let entries: u64 = heads.iter().map(|head| head.number).sum();
    if output.is_json() {
        let mut document = json!({
            "schema": "tollgate/verify/v1",
            "ledger": path.display().to_string(),
            "sound": broken.is_none(),
            "writers": heads,
            "entries": entries,
            "strays": strays::json(&held),
            "broken": broken.as_ref().map(|broken| &broken.json),
            "cannot_show": CANNOT_SHOW.replace('\n', " "),
        });
        let state = match snapshot {
            Agreement::None => None,
            Agreement::Unused => Some(json!({ "state": "unused" })),
            Agreement::Differs => Some(json!({ "state": "differs" })),
            Agreement::Same(entries) => Some(json!({ "state": "same", "entries": entries })),
        };
        if let Some(state) = state {
            document["snapshot"] = state;
        }
        output.document(&document);
    } else {
        let paint = output.paint();
        let shown = path
            .strip_prefix(&project.config.root)
            .unwrap_or(path)
            .display()
            .to_string();
        let mut text = match &broken {
            None if heads.is_empty() => format!("{shown}: no entries yet\n"),
            None => format!(
                "{} {shown}: {} by {}\n",
                match held.unsettled().next() {
                    None => paint.good("sound:"),
                    Some(_) => paint.bad("contradicted:"),
                },
                report::count(usize::try_from(entries).unwrap_or(usize::MAX), "entry")
                    .replace("entrys", "entries"),
                report::count(heads.len(), "writer")
            ),
            Some(broken) => format!("{} {shown}: {}\n", paint.bad("not sound:"), broken.told),
        };
        for Head {
            writer,
            number,
            hash,
        } in &heads
        {
            text.push_str(&format!(
                "  writer {writer}  sound to entry {number}\n    {hash}\n"
            ));
        }
        match snapshot {
            Agreement::None | Agreement::Differs => {}
            Agreement::Same(count) => text.push_str(&format!(
                "  snapshot  what the first {count} entries add up to\n"
            )),
            Agreement::Unused => text.push_str(
                "  snapshot  damaged or outdated, and not used: the next run that writes makes it anew\n",
            ),
        }
        if let Some(broken) = &broken {
            text.push_str(&format!("\n  remedy   {}\n", broken.remedy));
        }
        let beside = strays::text(&held, paint);
        if !beside.is_empty() {
            text.push_str(&format!("\n{beside}"));
        }
        text.push_str(&format!("\n{CANNOT_SHOW}\n"));
        output.result(&text);
    }
    Ok(if broken.is_some() || held.unsettled().next().is_some() {
        Exit::Contradiction
    } else {
        Exit::Done
    })
}
