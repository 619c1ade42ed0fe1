//! What is made, dropped and renamed as a whole.

use super::deeds::{Columns, Deeds, Step, Undo};
use super::stands::{Made, Space};
use crate::model::entry::Engine;
use crate::sql::changes::{Change, Column, ConstraintKind, Deed, Name, ObjectKind, quoted};
use crate::sql::{Statement, Word, words};

const IF_NOT_EXISTS: &str = "IF NOT EXISTS does not say whether it was there before";

impl Deeds<'_> {
    /// `CREATE`.
    pub(super) fn create(
        &mut self,
        statement: &Statement,
        change: &Change,
        words: &[Word],
    ) -> Result<Step, Undo> {
        match &change.deed {
            Deed::CreateTable {
                table,
                if_not_exists,
                columns,
                constraints,
                temporary,
                ..
            } => {
                let made = made(*temporary, *if_not_exists);
                let id = self.stands.add(
                    Space::Relation,
                    ObjectKind::Table,
                    table.clone(),
                    None,
                    made,
                );
                let undo = match made {
                    Made::ForSession => Undo::Nothing,
                    Made::Before => Undo::open(IF_NOT_EXISTS),
                    Made::Here => Undo::Sql(format!("DROP TABLE {}", table.sql())),
                };
                let mut step = self.step(statement, &change.range, Some(id), undo);
                step.loses = (made == Made::Here).then_some(id);
                step.refers = columns
                    .iter()
                    .filter_map(|column| column.references.clone())
                    .collect();
                for constraint in constraints {
                    if let ConstraintKind::Foreign(other) = &constraint.kind {
                        step.refers.push(other.clone());
                    }
                    if let Some(name) = &constraint.name {
                        self.stands.add(
                            Space::Constraint,
                            ObjectKind::Other,
                            Name::plain(name.clone()),
                            Some(id),
                            made,
                        );
                    }
                }
                Ok(step)
            }
            Deed::CreateIndex { .. } => self.create_index(statement, change),
            Deed::CreateType { name, labels } => {
                let id = self.stands.add(
                    Space::Type,
                    ObjectKind::Type,
                    name.clone(),
                    None,
                    Made::Here,
                );
                // A base type needs functions that need the type.
                let is_plain = labels.is_some()
                    || words
                        .windows(2)
                        .any(|pair| pair[0].is("as") && (pair[1].is("(") || pair[1].is("range")));
                let undo = match is_plain {
                    true => Undo::Sql(format!("DROP TYPE {}", name.sql())),
                    false => Undo::open("functions and a type that need each other"),
                };
                Ok(self.step(statement, &change.range, Some(id), undo))
            }
            Deed::Create {
                kind,
                name,
                on,
                if_not_exists,
                or_replace,
                temporary,
                signature,
            } => {
                let Some(space) = Space::of(*kind) else {
                    let why = format!(
                        "what {} did is not all known",
                        first_words(words, statement, self)
                    );
                    return Err(Undo::Open(why));
                };
                let table = on.as_ref().map(|on| self.stands.relation(on));
                let known = match space {
                    Space::Routine => Name {
                        schema: name.schema.clone(),
                        name: format!("{}{signature}", name.name),
                    },
                    _ => name.clone(),
                };
                if *or_replace && !temporary {
                    let made = self.stands.find_made(space, &known, table);
                    let undo = self.replaced(*kind, name, &known, made);
                    return Ok(self.step(statement, &change.range, made, undo));
                }
                let for_session = table.is_some_and(|id| self.stands.is_for_session(id));
                let made = made(*temporary || for_session, *if_not_exists);
                let covered = table.is_some_and(|id| {
                    self.stands.is_made(id) && !self.stands.may_depend_on_later(id)
                });
                let id = self.stands.add(space, *kind, known, table, made);
                let undo = match made {
                    Made::ForSession => Undo::Nothing,
                    Made::Before => Undo::open(IF_NOT_EXISTS),
                    // It goes with its table.
                    Made::Here if covered => Undo::Nothing,
                    Made::Here => Undo::Sql(drop_statement(
                        self.engine,
                        *kind,
                        name,
                        on.as_ref(),
                        signature,
                    )),
                };
                let mut step = self.step(statement, &change.range, table, undo).about(id);
                // A trigger on a table that stays is no part of it.
                step.about
                    .retain(|&thing| thing == id || self.stands.is_made(thing));
                Ok(step)
            }
            _ => Err(Undo::Nothing),
        }
    }

    fn create_index(&mut self, statement: &Statement, change: &Change) -> Result<Step, Undo> {
        let Deed::CreateIndex {
            index,
            table,
            if_not_exists,
            columns,
            more,
            ..
        } = &change.deed
        else {
            return Err(Undo::Nothing);
        };
        let on = self.stands.relation(table);
        let covered = self.stands.is_made(on);
        let must_go = *more && self.stands.may_depend_on_later(on);
        let name = index.as_ref().map(|index| Name {
            schema: index.schema.clone().or_else(|| table.schema.clone()),
            name: index.name.clone(),
        });
        let undo = match &name {
            _ if self.stands.is_for_session(on) || covered && !must_go => Undo::Nothing,
            None => Undo::open("the server chose the name of the index"),
            Some(_) if *if_not_exists => Undo::open(IF_NOT_EXISTS),
            Some(name) => Undo::Sql(format!("DROP INDEX {}", name.sql())),
        };
        let columns = match columns.is_empty() || *more {
            true => Columns::Any,
            false => Columns::Of(columns.clone()),
        };
        let mut step = self
            .step(statement, &change.range, covered.then_some(on), undo)
            .on(on, columns);
        if let Some(name) = name {
            let made = match (covered, *if_not_exists) {
                _ if self.stands.is_for_session(on) => Made::ForSession,
                (_, true) => Made::Before,
                (_, false) => Made::Here,
            };
            let id = (self.stands).add(Space::Relation, ObjectKind::Index, name, Some(on), made);
            step.about.push(id);
        }
        Ok(step)
    }

    /// What undoes `OR REPLACE`: what stood there is made again, where its text is certain.
    fn replaced(&self, kind: ObjectKind, name: &Name, known: &Name, made: Option<usize>) -> Undo {
        let earlier = match kind {
            // Columns that came with the new one do not go by a replacement.
            ObjectKind::View => {
                (self.past.view(name)).map(|sql| format!("DROP VIEW {};\n{sql}", name.sql()))
            }
            ObjectKind::Function | ObjectKind::Procedure => {
                self.past.routine(known).map(or_replace)
            }
            _ => None,
        };
        // Nothing that has to be undone before came between the two.
        let is_next = made.is_some_and(|id| {
            let since = self.steps.iter().rev();
            let mut since = since.take_while(|step| !step.about.contains(&id));
            since.all(|step| step.undo == Undo::Nothing)
        });
        match (earlier, made) {
            _ if is_next => Undo::Nothing,
            (Some(sql), _) => Undo::Sql(sql),
            (None, Some(_)) if kind != ObjectKind::View => Undo::Nothing,
            (None, Some(_)) => {
                Undo::open("it may have come to need what the script made before it")
            }
            (None, None) => Undo::open("OR REPLACE does not say what was there before"),
        }
    }

    /// `DROP` of an object.
    pub(super) fn drop(&mut self, statement: &Statement, change: &Change) -> Result<Step, Undo> {
        let Deed::Drop {
            kind,
            name,
            on,
            cascade,
            ..
        } = &change.deed
        else {
            return Err(Undo::Nothing);
        };
        let words = kind_words(*kind);
        let why = match words {
            Some(words) => format!(
                "DROP {words} says nothing of what the {} was",
                words.to_lowercase()
            ),
            None => "it does not say what it was".to_owned(),
        };
        let space = Space::of(*kind).filter(|space| *space != Space::Routine);
        let Some(space) = space else {
            return Err(Undo::Open(why));
        };
        let table = on.as_ref().map(|on| self.stands.relation(on));
        let found = self.stands.find_made(space, name, table);
        let earlier = match kind {
            ObjectKind::Index => self.past.index(name),
            ObjectKind::View => self.past.view(name),
            _ => None,
        };
        let earlier = earlier.filter(|_| !cascade).map(str::to_owned);
        let on_made = table.is_some_and(|table| self.stands.is_made(table));
        match found {
            Some(_) if *cascade => Err(Undo::open("CASCADE does not say what else went with it")),
            Some(id)
                if self
                    .stands
                    .things
                    .get(id)
                    .is_some_and(|thing| thing.kind != *kind) =>
            {
                Err(Undo::Open(why))
            }
            Some(id) => {
                self.gone(id);
                Err(Undo::Nothing)
            }
            // Whatever it was, the script made it.
            None if on_made => Err(Undo::Nothing),
            None => {
                // Its name is free for another one.
                let found = self.stands.find(space, name, table);
                let id = found.unwrap_or_else(|| {
                    (self.stands).add(space, *kind, name.clone(), table, Made::Before)
                });
                self.gone_unmade(id);
                match earlier {
                    Some(sql) => Ok(self.step(statement, &change.range, None, Undo::Sql(sql))),
                    None => Err(Undo::Open(why)),
                }
            }
        }
    }

    /// Takes note that something which stood before is dropped.
    fn gone_unmade(&mut self, id: usize) {
        for (other, thing) in self.stands.things.iter_mut().enumerate() {
            if other == id || thing.on == Some(id) {
                thing.gone = true;
            }
        }
    }

    /// `RENAME TO` and `SET SCHEMA`.
    pub(super) fn rename(&mut self, statement: &Statement, change: &Change) -> Result<Step, Undo> {
        let (kind, name, on, now, may_be_missing) = match &change.deed {
            Deed::Rename {
                kind,
                name,
                on,
                to,
                if_exists,
            } => {
                let now = Name {
                    schema: name.schema.clone(),
                    name: to.clone(),
                };
                (*kind, name, on.as_ref(), now, *if_exists)
            }
            Deed::SetSchema { kind, name, to } => {
                let now = Name {
                    schema: Some(to.clone()),
                    name: name.name.clone(),
                };
                (*kind, name, None, now, false)
            }
            _ => return Err(Undo::Nothing),
        };
        let moves = matches!(change.deed, Deed::SetSchema { .. });
        let words = kind_words(kind);
        let space = Space::of(kind).filter(|space| *space != Space::Routine);
        let (Some(words), Some(space)) = (words, space) else {
            return Err(Undo::open("the text does not say which one it is now"));
        };
        let table = on.map(|on| self.stands.relation(on));
        let found = self
            .stands
            .find(space, name, table)
            .unwrap_or_else(|| (self.stands).add(space, kind, name.clone(), table, Made::Before));
        let on_table = on.map_or_else(String::new, |on| format!(" ON {}", on.sql()));
        let undo = if self.stands.is_for_session(found) {
            Undo::Nothing
        } else if may_be_missing && !self.stands.is_made(found) {
            Undo::open("IF EXISTS does not say whether it was there")
        } else if moves {
            match &name.schema {
                Some(schema) => Undo::Sql(format!(
                    "ALTER {words} {} SET SCHEMA {}",
                    now.sql(),
                    quoted(schema)
                )),
                None => Undo::open("SET SCHEMA does not say which schema it was in"),
            }
        } else {
            Undo::Sql(format!(
                "ALTER {words} {}{on_table} RENAME TO {}",
                now.sql(),
                quoted(&name.name)
            ))
        };
        if kind == ObjectKind::Schema {
            for thing in &mut self.stands.things {
                if thing.name.schema.as_ref() == Some(&name.name) {
                    thing.name.schema = Some(now.name.clone());
                }
            }
        }
        if let Some(thing) = self.stands.things.get_mut(found) {
            thing.name = now;
        }
        let made = self.stands.is_made(found).then_some(found);
        Ok(self.step(statement, &change.range, made, undo))
    }
}

/// The statement that made a routine, as one that makes it anew.
fn or_replace(sql: &str) -> String {
    let words = words(sql).pop().unwrap_or_default();
    let is_new = words.get(1).is_none_or(|word| !word.is("or"));
    match words.first() {
        Some(create) if is_new => {
            let (before, after) = (sql.get(..create.range.end), sql.get(create.range.end..));
            format!(
                "{} OR REPLACE{}",
                before.unwrap_or_default(),
                after.unwrap_or_default()
            )
        }
        _ => sql.to_owned(),
    }
}

const fn made(temporary: bool, if_not_exists: bool) -> Made {
    match (temporary, if_not_exists) {
        (true, _) => Made::ForSession,
        (false, true) => Made::Before,
        (false, false) => Made::Here,
    }
}

/// The first words of a statement, for people.
fn first_words(words: &[Word], statement: &Statement, deeds: &Deeds<'_>) -> String {
    let two: Vec<String> = words
        .iter()
        .take_while(|word| !word.quoted)
        .take(2)
        .map(|word| word.text.to_uppercase())
        .collect();
    match two.is_empty() {
        true => deeds
            .text(&statement.range)
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_uppercase(),
        false => two.join(" "),
    }
}

/// What stands between `DROP` or `ALTER` and the name.
pub(super) const fn kind_words(kind: ObjectKind) -> Option<&'static str> {
    Some(match kind {
        ObjectKind::Schema => "SCHEMA",
        ObjectKind::Table => "TABLE",
        ObjectKind::View => "VIEW",
        ObjectKind::MaterializedView => "MATERIALIZED VIEW",
        ObjectKind::Index => "INDEX",
        ObjectKind::Sequence => "SEQUENCE",
        ObjectKind::Type => "TYPE",
        ObjectKind::Domain => "DOMAIN",
        ObjectKind::Function => "FUNCTION",
        ObjectKind::Procedure => "PROCEDURE",
        ObjectKind::Aggregate => "AGGREGATE",
        ObjectKind::Trigger => "TRIGGER",
        ObjectKind::Rule => "RULE",
        ObjectKind::Policy => "POLICY",
        ObjectKind::ForeignTable => "FOREIGN TABLE",
        ObjectKind::Extension => "EXTENSION",
        ObjectKind::Database => "DATABASE",
        ObjectKind::Role => "ROLE",
        ObjectKind::Other => return None,
    })
}

fn drop_statement(
    engine: Engine,
    kind: ObjectKind,
    name: &Name,
    on: Option<&Name>,
    signature: &str,
) -> String {
    let words = kind_words(kind).unwrap_or_default();
    let on = match (engine, on) {
        (Engine::Postgresql, Some(on)) => format!(" ON {}", on.sql()),
        _ => String::new(),
    };
    format!("DROP {words} {}{signature}{on}", name.sql())
}

/// Whether SQLite lets a column go that `ADD COLUMN` has made.
pub(super) fn sqlite_keeps(column: &Column) -> Option<&'static str> {
    if column.primary_key || column.unique {
        Some("SQLite does not drop a column that is a key")
    } else {
        None
    }
}
