//! A second opinion on locks: what squawk's rules say of the same statements, and whether it is among the
//! effects that are told here.

use std::collections::BTreeMap;

use squawk_linter::{Linter, Rule};
use squawk_syntax::SourceFile;
use tollgate::lint::{Effect, Look, Work};
use tollgate::sql::changes::Deed;

use super::Migration;

/// How often each of squawk's rules fires, and on how many of its findings there is a lock here.
#[derive(Default)]
pub(super) struct Tally {
    defaults: BTreeMap<String, usize>,
    locks: BTreeMap<(String, &'static str), usize>,
}

/// Its rules about locks.
const LOCKS: [Rule; 8] = [
    Rule::RequireConcurrentIndexCreation,
    Rule::RequireConcurrentIndexDeletion,
    Rule::ConstraintMissingNotValid,
    Rule::AddingForeignKeyConstraint,
    Rule::AddingFieldWithDefault,
    Rule::ChangingColumnType,
    Rule::AddingNotNullableField,
    Rule::DisallowedUniqueConstraint,
];

/// Compares what squawk says of a tree with the effects that were found.
pub(super) fn compare(tree: &[Migration], look: &Look, tally: &mut Tally) {
    for (migration, effects) in tree.iter().zip(&look.effects) {
        let parsed = SourceFile::parse(&migration.text);
        for violation in Linter::with_default_rules().lint(&parsed, &migration.text) {
            *tally
                .defaults
                .entry(violation.code.to_string())
                .or_default() += 1;
        }
        for violation in Linter::from(LOCKS).lint(&parsed, &migration.text) {
            let at = usize::from(violation.text_range.start());
            let effect = effects.iter().find(|effect| effect.range.contains(&at));
            let outcome = judged(migration, effect);
            if outcome == "not explained" {
                println!("  only squawk: {} {} at {at}", violation.code, migration.id);
            }
            *tally
                .locks
                .entry((violation.code.to_string(), outcome))
                .or_default() += 1;
        }
    }
}

fn judged(migration: &Migration, effect: Option<&Effect>) -> &'static str {
    let Some(effect) = effect else {
        return "not explained";
    };
    if effect.lock.is_some_and(|lock| lock != "ROW EXCLUSIVE") {
        return if effect.work == Work::None {
            "a lock here too, held briefly"
        } else {
            "a lock here too, and the table is read or written"
        };
    }
    let made_here = migration.changes.iter().any(|change| match &change.deed {
        Deed::CreateTable { table, .. } => effect
            .touches
            .iter()
            .any(|touched| touched.name == table.name),
        Deed::CreateIndex {
            index: Some(index), ..
        } => effect
            .touches
            .iter()
            .any(|touched| touched.name == index.name),
        _ => false,
    });
    if made_here {
        "nobody waits: the script made the table"
    } else {
        "not explained"
    }
}

impl Tally {
    pub(super) fn print(&self, scripts: usize) {
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        let per_hundred = |count: usize| count as f64 * 100.0 / scripts as f64;
        println!("\n| squawk's defaults | found | per 100 scripts |\n| --- | --- | --- |");
        let mut all = 0;
        for (rule, count) in &self.defaults {
            println!("| `{rule}` | {count} | {:.1} |", per_hundred(*count));
            all += count;
        }
        println!("| together | {all} | {:.1} |", per_hundred(all));
        println!("\n| squawk's rule about locks | and here | times |\n| --- | --- | --- |");
        for ((rule, outcome), count) in &self.locks {
            println!("| `{rule}` | {outcome} | {count} |");
        }
    }
}
