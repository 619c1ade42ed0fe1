//! What the scripts of the population destroy, by their texts.

use std::collections::BTreeMap;

use super::Known;
use crate::lint::{self, Script, Topic};
use crate::model::MigrationId;
use crate::sql::changes::changes_all;
use crate::sql::{analyse_all, position};

/// Whether a script could be read, and what it destroys.
type Destroys = (bool, Vec<String>);
pub(super) type AllDestroy = BTreeMap<MigrationId, Destroys>;

/// What each script destroys of what stood before it, by its text: of all, also where a part is asked for, because
/// what stood there before the part came from outside it. It is found out first, and what it takes is given back
/// before the rows are made.
pub(super) fn destroys(known: &Known<'_>) -> AllDestroy {
    let bytes = super::newest_bytes(known);
    let texts: Vec<(&MigrationId, &str)> = bytes
        .iter()
        .filter_map(|(id, (blake3, _))| Some((id, known.inputs.scripts.get(blake3)?.as_str())))
        .collect();
    let texts = texts.as_slice();
    let engine = known.engine();
    let scripts: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
    let analyses = analyse_all(engine, &scripts);
    let pairs: Vec<_> = scripts.iter().copied().zip(&analyses).collect();
    let deeds = changes_all(engine, &pairs);
    let read: Vec<Script<'_>> = texts
        .iter()
        .zip(&analyses)
        .zip(&deeds)
        .map(|(((migration, text), analysis), changes)| Script {
            migration,
            text,
            analysis,
            changes,
        })
        .collect();
    let places: Vec<usize> = (0..read.len()).collect();
    let look = lint::look_each(engine, &read, &places);
    let mut out: AllDestroy = read
        .iter()
        .map(|script| {
            (
                script.migration.clone(),
                (script.analysis.statements().is_some(), Vec::new()),
            )
        })
        .collect();
    let text_of: BTreeMap<&MigrationId, &str> = texts.iter().copied().collect();
    for finding in look
        .findings
        .iter()
        .filter(|it| it.rule.topic == Topic::DataLoss)
    {
        let text = text_of.get(&finding.migration).copied().unwrap_or_default();
        let line = position(text, finding.range.start).line;
        let allowed = finding.allowed.as_ref();
        let allowed = allowed.map_or_else(String::new, |why| {
            format!("; accepted in the script: {why}")
        });
        if let Some((_, all)) = out.get_mut(&finding.migration) {
            all.push(format!(
                "line {line}: {}: {}{allowed}",
                finding.fact, finding.consequence
            ));
        }
    }
    out
}
