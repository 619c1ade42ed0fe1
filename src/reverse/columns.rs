//! What is done to columns.

use super::deeds::{Columns, Deeds, Step, Undo};
use super::objects::sqlite_keeps;
use super::stands::{Made, Space};
use crate::model::entry::Engine;
use crate::sql::Statement;
use crate::sql::changes::{Change, Deed, Name, ObjectKind, quoted};

impl Deeds<'_> {
    /// What `ALTER TABLE` does to a column.
    pub(super) fn column(&mut self, statement: &Statement, change: &Change) -> Result<Step, Undo> {
        match &change.deed {
            Deed::AddColumn {
                table,
                column,
                if_not_exists,
            } => {
                let on = self.stands.relation(table);
                let covered = self.stands.is_made(on);
                let drop = || {
                    Undo::Sql(format!(
                        "ALTER TABLE {} DROP COLUMN {}",
                        table.sql(),
                        quoted(&column.name)
                    ))
                };
                let undo = if covered {
                    // SQLite's tables are dropped in the order of what they refer to.
                    let holds = self.engine == Engine::Postgresql
                        && (column.references.as_ref())
                            .is_some_and(|other| self.is_made_after(other, on));
                    let needs = holds || self.stands.may_depend_on_later(on);
                    match needs && !self.stands.is_for_session(on) {
                        true => drop(),
                        false => Undo::Nothing,
                    }
                } else if *if_not_exists {
                    Undo::open("IF NOT EXISTS does not say whether the column was there before")
                } else {
                    match self.engine {
                        Engine::Sqlite => sqlite_keeps(column).map_or_else(drop, Undo::open),
                        Engine::Postgresql => drop(),
                    }
                };
                let loses = !covered && matches!(undo, Undo::Sql(_));
                let made = match (covered, *if_not_exists) {
                    _ if self.stands.is_for_session(on) => Made::ForSession,
                    (false, true) => Made::Before,
                    _ => Made::Here,
                };
                let id = self.stands.add(
                    Space::Column,
                    ObjectKind::Other,
                    Name::plain(column.name.clone()),
                    Some(on),
                    made,
                );
                let mut step = self
                    .step(statement, &change.range, covered.then_some(on), undo)
                    .about(id);
                step.loses = loses.then_some(id);
                if let Some(other) = &column.references {
                    self.refers(on, other);
                }
                Ok(step)
            }
            Deed::DropColumn {
                table,
                column,
                cascade,
                ..
            } => {
                let on = self.stands.relation(table);
                let made = self.stands.around(on, column).is_some();
                if made && *cascade {
                    return Err(Undo::open("CASCADE does not say what else went with it"));
                }
                self.column_gone(on, column);
                Err(match made {
                    true => Undo::Nothing,
                    false => Undo::open("DROP COLUMN says nothing of what the column was"),
                })
            }
            Deed::RenameColumn { table, column, to } => {
                let on = self.stands.relation(table);
                let undo = match self.stands.is_for_session(on) {
                    true => Undo::Nothing,
                    false => Undo::Sql(format!(
                        "ALTER TABLE {} RENAME COLUMN {} TO {}",
                        table.sql(),
                        quoted(to),
                        quoted(column)
                    )),
                };
                let mut step = self.step(statement, &change.range, None, undo);
                step.about.extend(self.stands.around(on, column));
                step.about.extend(self.stands.column(on, column));
                self.column_renamed(on, column, to);
                Ok(step.on(on, Columns::Of(vec![to.clone()])))
            }
            Deed::SetType { table, column, .. } => {
                let undo = self.within(table, column, "it does not say what the type was before");
                Err(undo)
            }
            Deed::SetNotNull { table, column } => {
                let on = self.stands.relation(table);
                if self.stands.around(on, column).is_some() {
                    return Err(Undo::Nothing);
                }
                let undo = match self.past.is_not_null(table, column) {
                    // It changed nothing.
                    Some(true) => return Err(Undo::Nothing),
                    Some(false) => altered(table, column, "DROP NOT NULL"),
                    None => {
                        return Err(Undo::open(
                            "whether the column was NOT NULL before is not certain from the earlier scripts",
                        ));
                    }
                };
                self.not_null.push((on, column.clone()));
                let step = self.step(statement, &change.range, None, undo);
                Ok(step.on(on, Columns::Of(vec![column.clone()])))
            }
            Deed::DropNotNull { table, column } => {
                let on = self.stands.relation(table);
                let undo = match self.stands.around(on, column) {
                    Some(_) => return Err(Undo::Nothing),
                    None => match self.past.is_not_null(table, column) {
                        Some(true) => altered(table, column, "SET NOT NULL"),
                        Some(false) => return Err(Undo::Nothing),
                        None => {
                            return Err(Undo::open(
                                "whether the column was NOT NULL before is not certain from the earlier scripts",
                            ));
                        }
                    },
                };
                let step = self.step(statement, &change.range, None, undo);
                Ok(step.on(on, Columns::Of(vec![column.clone()])))
            }
            Deed::SetDefault { table, column, .. } => {
                let on = self.stands.relation(table);
                match self.stands.around(on, column) {
                    // It lets go of what it may have come to need.
                    Some(made)
                        if self.stands.may_depend_on_later(made)
                            && !self.stands.is_for_session(on) =>
                    {
                        let undo = Undo::Sql(format!(
                            "ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT",
                            table.sql(),
                            quoted(column)
                        ));
                        let step = self.step(statement, &change.range, Some(made), undo);
                        Ok(step.on(on, Columns::Of(vec![column.clone()])))
                    }
                    Some(_) => Err(Undo::Nothing),
                    None => self.default_back(statement, change, table, column),
                }
            }
            Deed::DropDefault { table, column } => {
                let on = self.stands.relation(table);
                match self.stands.around(on, column) {
                    Some(_) => Err(Undo::Nothing),
                    None => self.default_back(statement, change, table, column),
                }
            }
            _ => Err(Undo::Nothing),
        }
    }

    /// The default that a column had before, from an earlier script.
    fn default_back(
        &mut self,
        statement: &Statement,
        change: &Change,
        table: &Name,
        column: &str,
    ) -> Result<Step, Undo> {
        let undo = match self.past.default_of(table, column) {
            Some(Some(default)) => altered(table, column, &format!("SET DEFAULT {default}")),
            // Neither was there one, nor is there.
            Some(None) if matches!(change.deed, Deed::DropDefault { .. }) => Undo::Nothing,
            Some(None) => altered(table, column, "DROP DEFAULT"),
            None => {
                return Err(Undo::open(
                    "what the default was before is not certain from the earlier scripts",
                ));
            }
        };
        let on = self.stands.relation(table);
        let step = self.step(statement, &change.range, None, undo);
        Ok(step.on(on, Columns::Of(vec![column.to_owned()])))
    }

    /// Nothing, where the column goes with what the script made and needs nothing that was made since.
    fn within(&mut self, table: &Name, column: &str, why: &str) -> Undo {
        let on = self.stands.relation(table);
        match self.stands.around(on, column) {
            Some(made) if !self.stands.may_depend_on_later(made) => Undo::Nothing,
            Some(_) => Undo::open(
                "the column may have come to need what the script makes after it, and drops before it",
            ),
            None => Undo::open(why),
        }
    }

    fn column_renamed(&mut self, table: usize, column: &str, to: &str) {
        if let Some(id) = self.stands.column(table, column)
            && let Some(thing) = self.stands.things.get_mut(id)
        {
            thing.name.name = to.to_owned();
        }
        let stands = &self.stands;
        for step in &mut self.steps {
            if let Some((on, Columns::Of(columns))) = &mut step.on
                && *on == table
            {
                for other in columns {
                    if stands.same(other, column) {
                        to.clone_into(other);
                    }
                }
            }
        }
        for (on, other) in &mut self.not_null {
            if *on == table && stands.same(other, column) {
                to.clone_into(other);
            }
        }
    }
}

pub(super) fn altered(table: &Name, column: &str, action: &str) -> Undo {
    Undo::Sql(format!(
        "ALTER TABLE {} ALTER COLUMN {} {action}",
        table.sql(),
        quoted(column)
    ))
}
