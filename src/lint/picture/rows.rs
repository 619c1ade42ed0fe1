//! What statements about rows make of what stands.

use super::Picture;
use crate::sql::changes::Deed;

impl Picture<'_> {
    pub(super) fn rows(&mut self, deed: &Deed, text: &str) {
        let last = self.scripts.len().saturating_sub(1);
        let asks_null = || {
            let text = text.to_ascii_lowercase();
            text.contains("is null") || text.contains("not exists") || text.contains("coalesce")
        };
        // From the row of another table: meant for every row, as far as that has one.
        let joins = || {
            let mut words = text.split_whitespace();
            words.any(|word| word.eq_ignore_ascii_case("from"))
        };
        match deed {
            Deed::Insert { table, from, .. } => self.copied(table, from, text),
            Deed::Update {
                table,
                columns,
                filtered,
                ..
            } => {
                let fills = !filtered || asks_null();
                let fills_new = fills || joins();
                for column in columns {
                    let Some(made) = self.column_mut(table, column).map(|column| column.made)
                    else {
                        continue;
                    };
                    let fills = if self.is_new(made) { fills_new } else { fills };
                    if let Some(column) = self.column_mut(table, column) {
                        column.filled_by = fills.then_some(last).or(column.filled_by);
                    }
                }
            }
            Deed::Delete {
                table,
                filtered: true,
                ..
            } if asks_null() => {
                if let Some(known) = self.table_mut(table) {
                    let words = text.to_ascii_lowercase();
                    for (name, column) in &mut known.columns {
                        if words.contains(&name.to_ascii_lowercase()) {
                            column.filled_by = Some(last);
                        }
                    }
                }
            }
            Deed::Delete {
                table,
                filtered: false,
                ..
            } => {
                // No row is left that anything could fail on.
                for column in (self.table_mut(table))
                    .into_iter()
                    .flat_map(|known| known.columns.values_mut())
                {
                    column.filled_by = Some(last);
                }
            }
            _ => {}
        }
    }
}
