//! What is done to constraints.

use super::deeds::{Columns, Deeds, Step, Undo};
use super::stands::{Made, Space};
use crate::model::entry::Engine;
use crate::sql::Statement;
use crate::sql::changes::{Change, Constraint, ConstraintKind, Deed, Name, ObjectKind, quoted};

const KEY: &str =
    "a primary key makes its columns NOT NULL, and the scripts do not say whether they were before";

impl Deeds<'_> {
    /// What `ALTER TABLE` does to a constraint.
    pub(super) fn constraint(
        &mut self,
        statement: &Statement,
        change: &Change,
    ) -> Result<Step, Undo> {
        match &change.deed {
            Deed::AddConstraint { table, constraint } => {
                let on = self.stands.relation(table);
                let undo = self.added(table, on, constraint);
                let columns = match constraint.columns.is_empty() {
                    true => Columns::Any,
                    false => Columns::Of(constraint.columns.clone()),
                };
                let made = self.stands.is_made(on).then_some(on);
                let mut step = self
                    .step(statement, &change.range, made, undo)
                    .on(on, columns);
                if let Some(name) = &constraint.name {
                    let id = self.stands.add(
                        Space::Constraint,
                        ObjectKind::Other,
                        Name::plain(name.clone()),
                        Some(on),
                        Made::Here,
                    );
                    step.about.push(id);
                }
                Ok(step)
            }
            Deed::DropConstraint {
                table,
                constraint,
                cascade,
                ..
            } => {
                let on = self.stands.relation(table);
                let name = Name::plain(constraint.clone());
                let found = self.stands.find_made(Space::Constraint, &name, Some(on));
                match found {
                    Some(_) if *cascade => {
                        Err(Undo::open("CASCADE does not say what else went with it"))
                    }
                    Some(id) => {
                        self.gone(id);
                        Err(Undo::Nothing)
                    }
                    None if self.stands.is_made(on) && !cascade => Err(Undo::Nothing),
                    None if !cascade && let Some(sql) = self.past.constraint(table, constraint) => {
                        let undo = Undo::Sql(sql.to_owned());
                        Ok(self
                            .step(statement, &change.range, None, undo)
                            .on(on, Columns::Any))
                    }
                    None => Err(Undo::open(
                        "DROP CONSTRAINT says nothing of what the constraint was",
                    )),
                }
            }
            Deed::RenameConstraint {
                table,
                constraint,
                to,
            } => {
                let on = self.stands.relation(table);
                let name = Name::plain(constraint.clone());
                let made = if self.stands.is_made(on) {
                    Made::Here
                } else {
                    Made::Before
                };
                let found = self.stands.find(Space::Constraint, &name, Some(on));
                let found = found.unwrap_or_else(|| {
                    (self.stands).add(Space::Constraint, ObjectKind::Other, name, Some(on), made)
                });
                if let Some(thing) = self.stands.things.get_mut(found) {
                    thing.name.name.clone_from(to);
                }
                let undo = match self.stands.is_for_session(on) {
                    true => Undo::Nothing,
                    false => Undo::Sql(format!(
                        "ALTER TABLE {} RENAME CONSTRAINT {} TO {}",
                        table.sql(),
                        quoted(to),
                        quoted(constraint)
                    )),
                };
                let covered = self.stands.is_made(on).then_some(on);
                let mut step = self.step(statement, &change.range, covered, undo);
                if self.stands.is_made(found) {
                    step.about.push(found);
                }
                Ok(step)
            }
            Deed::ValidateConstraint { table, constraint } => {
                let on = self.stands.relation(table);
                let name = Name::plain(constraint.clone());
                let made = self.stands.find_made(Space::Constraint, &name, Some(on));
                Err(match made.is_some() || self.stands.is_made(on) {
                    true => Undo::Nothing,
                    false => Undo::open("VALIDATE CONSTRAINT does not say whether it was valid"),
                })
            }
            _ => Err(Undo::Nothing),
        }
    }

    fn added(&mut self, table: &Name, on: usize, constraint: &Constraint) -> Undo {
        if self.stands.is_for_session(on) {
            return Undo::Nothing;
        }
        let covered = self.stands.is_made(on);
        // It goes with its table, unless it holds on to something that has to go before the table does.
        let holds = match &constraint.kind {
            ConstraintKind::Foreign(other) => self.is_made_after(other, on),
            _ => false,
        };
        if covered && !holds && !self.stands.may_depend_on_later(on) {
            return Undo::Nothing;
        }
        let Some(name) = &constraint.name else {
            return Undo::open("the server chose the name of the constraint");
        };
        let taken_back = Undo::Sql(format!(
            "ALTER TABLE {} DROP CONSTRAINT {}",
            table.sql(),
            quoted(name)
        ));
        if covered {
            return taken_back;
        }
        match (&constraint.kind, &constraint.using_index) {
            (ConstraintKind::PrimaryKey, None) => self
                .key_taken_back(table, on, constraint, name)
                .unwrap_or_else(|| Undo::open(KEY)),
            (ConstraintKind::PrimaryKey, _) => Undo::open(KEY),
            (ConstraintKind::NotNull, _) => {
                Undo::open("it does not say whether the column was NOT NULL before")
            }
            (_, None) => taken_back,
            (_, Some(index)) => {
                let index = Name {
                    schema: table.schema.clone(),
                    name: index.clone(),
                };
                match self.stands.find_made(Space::Relation, &index, Some(on)) {
                    // The index is the constraint's now, and goes with it.
                    Some(id) => {
                        self.gone(id);
                        taken_back
                    }
                    None => Undo::open("the index that it took over is nowhere in the script"),
                }
            }
        }
    }

    /// Takes back a primary key, and `NOT NULL` where its columns were not.
    fn key_taken_back(
        &self,
        table: &Name,
        on: usize,
        constraint: &Constraint,
        name: &str,
    ) -> Option<Undo> {
        if self.engine != Engine::Postgresql || constraint.columns.is_empty() {
            return None;
        }
        let mut sql = format!(
            "ALTER TABLE {} DROP CONSTRAINT {}",
            table.sql(),
            quoted(name)
        );
        for column in &constraint.columns {
            if self.is_null_again(on, column) || self.past.is_not_null(table, column)? {
                continue;
            }
            sql.push_str(&format!(
                ";\nALTER TABLE {} ALTER COLUMN {} DROP NOT NULL",
                table.sql(),
                quoted(column)
            ));
        }
        Some(Undo::Sql(sql))
    }

    /// Whether what follows in the reversal leaves the column as it was: it goes, or `NOT NULL` is taken back.
    fn is_null_again(&self, table: usize, column: &str) -> bool {
        self.stands.column(table, column).is_some()
            || (self.not_null.iter())
                .any(|(on, other)| *on == table && self.stands.same(other, column))
    }
}
