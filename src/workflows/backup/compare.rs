//! Whether what came out of a backup is what went in.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::Source;
use crate::model::data::{self, DataDifference};
use crate::model::schema::{SchemaChange, diff, without_parts};
use crate::model::{Data, Schema, SchemaDifference, SchemaObject};
use crate::targets::backup::Rights;

/// How a restored copy compares with its source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Objects that are not what they were.
    pub schema: Vec<SchemaDifference>,
    /// Tables whose data is not what it was.
    pub data: Vec<DataDifference>,
    /// What was not compared, a clause each.
    pub not_compared: Vec<String>,
    /// How many tables were compared.
    pub tables: u64,
    /// How many rows they have.
    pub rows: u64,
}

impl Comparison {
    /// Whether all that was compared is equal.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.schema.is_empty() && self.data.is_empty()
    }
}

/// The kind of a view that keeps rows: a restore fills it anew, from what its tables have then.
const FILLED_ANEW: &str = "materialized view";

/// Compares. What a restore changes by its nature is left out, and told.
pub(super) fn compare(
    source: &Source,
    schema: &Schema,
    data: Option<&Data>,
    rights: Rights,
) -> Comparison {
    let mut out = Comparison::default();
    let mut sides = [&source.schema, schema].map(|side| side.objects().to_vec());
    if rights == Rights::Left {
        for side in &mut sides {
            without_rights(side);
        }
        out.not_compared.push(
            "owners and grants: this role may not give things to others, so the copy was restored without them"
                .to_owned(),
        );
    }
    let unseen = unseen(&source.schema, schema);
    let [_, copied] = &mut sides;
    copied.retain(|object| !is_of(&unseen, object));
    for one in &unseen {
        out.not_compared
            .push(format!("schema {one}: another role owns it in the source"));
    }
    let [before, after] = sides.map(|side| Schema::new(side).unwrap_or_default());
    let (same, differences): (Vec<_>, Vec<_>) = without_parts(diff(&before, &after))
        .into_iter()
        .partition(only_casts_moved);
    if !same.is_empty() {
        out.not_compared.push(format!(
            "how the server writes casts of lists, which a restore changes without changing what they mean: {}",
            names(same.iter().map(|one| format!("{} {}", one.kind, one.name)))
        ));
    }
    out.schema = differences;
    if source
        .schema
        .objects()
        .iter()
        .any(|one| one.kind == "sequence")
    {
        out.not_compared
            .push("the last values of sequences".to_owned());
    }
    if let (Some((_, before)), Some(after)) = (&source.data, data) {
        let filled_anew = |name: &str| source.schema.get(FILLED_ANEW, name).is_some();
        let views: Vec<String> = before
            .tables
            .keys()
            .filter(|name| filled_anew(name))
            .cloned()
            .collect();
        let before = tables(before, filled_anew);
        let after = tables(after, |name| unseen.contains(first_part(name)));
        out.tables = before.tables.len() as u64;
        out.rows = before.tables.values().map(|table| table.rows).sum();
        out.data = data::diff(&before, &after);
        if !views.is_empty() {
            out.not_compared.push(format!(
                "the rows of what a restore fills anew: {}",
                names(
                    views
                        .into_iter()
                        .map(|name| format!("{FILLED_ANEW} {name}"))
                )
            ));
        }
    }
    out
}

fn tables(data: &Data, left_out: impl Fn(&str) -> bool) -> Data {
    let tables = data.tables.iter().filter(|(name, _)| !left_out(name));
    Data {
        tables: tables
            .map(|(name, table)| (name.clone(), table.clone()))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// What the names of these kinds begin with is not the schema that they stand in: they stand in none, or
/// their names are those of others.
const IN_NO_SCHEMA: [&str; 7] = [
    "cast",
    "default privileges",
    "event trigger",
    "extension",
    "foreign data wrapper",
    "foreign server",
    "publication",
];

/// The schemas that the copy has and of which the source's fingerprint says nothing: there another role
/// owns them and all that stands in them, and what a restore without owners makes of them is this role's.
/// Nothing is known of how they were, so nothing can be said of how they are.
fn unseen(source: &Schema, copy: &Schema) -> BTreeSet<String> {
    let seen: BTreeSet<&str> = source.objects().iter().filter_map(space).collect();
    let spaces = copy.objects().iter().filter(|one| one.kind == "schema");
    spaces
        .map(|one| one.name.as_str())
        .filter(|name| !seen.contains(name))
        .map(str::to_owned)
        .collect()
}

/// Whether an object is one of these schemas, or stands in one.
fn is_of(spaces: &BTreeSet<String>, object: &SchemaObject) -> bool {
    space(object).is_some_and(|space| spaces.contains(space))
}

/// The schema that an object is, or stands in, as it is quoted.
fn space(object: &SchemaObject) -> Option<&str> {
    (!IN_NO_SCHEMA.contains(&object.kind.as_str())).then(|| first_part(&object.name))
}

/// What stands before the first dot that is not quoted.
fn first_part(name: &str) -> &str {
    let mut is_quoted = false;
    let end = name.find(|c: char| {
        is_quoted ^= c == '"';
        c == '.' && !is_quoted
    });
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// The first few names, and how many more.
fn names(names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 5;
    let all: Vec<String> = names.collect();
    let first = all
        .iter()
        .take(MOST)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match all.len().checked_sub(MOST) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {more} more"),
    }
}

/// Takes owners and grants out of definitions.
fn without_rights(objects: &mut Vec<SchemaObject>) {
    objects.retain(|object| object.kind != "default privileges");
    for object in objects {
        let mut below = false;
        let mut kept = String::new();
        for line in object.definition.split_inclusive('\n') {
            let goes = match line.starts_with("  ") {
                true => below,
                false => line.starts_with("owner:") || line.starts_with("grants:"),
            };
            below = goes;
            if !goes {
                kept.push_str(line);
            }
        }
        object.definition = kept;
    }
}

/// Whether two definitions differ only in where a list is cast: as a whole, or each of its elements. The
/// server writes `x IN ('a', 'b')` of a `varchar` in the first way, reads its own text in the second, and
/// so a restored copy never has the text of its source.
fn only_casts_moved(difference: &SchemaDifference) -> bool {
    match &difference.change {
        SchemaChange::Changed { before, after } => moved(before) == moved(after),
        SchemaChange::Added | SchemaChange::Removed => false,
    }
}

/// The text with every `(ARRAY[a, b])::t[]` written as `ARRAY[(a)::t, (b)::t]`.
fn moved(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(place) = rest.find("(ARRAY[") {
        let (before, found) = rest.split_at(place);
        out.push_str(before);
        if let Some((elements, kind, after)) = cast_list(found) {
            let cast = elements
                .iter()
                .map(|element| format!("({element})::{kind}"));
            out.push_str(&format!("ARRAY[{}]", cast.collect::<Vec<_>>().join(", ")));
            rest = after;
        } else {
            out.push('(');
            rest = found.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

/// Reads `(ARRAY[a, b])::t[]`: the elements, the type, and what follows.
fn cast_list(text: &str) -> Option<(Vec<&str>, &str, &str)> {
    let inner = text.strip_prefix("(ARRAY[")?;
    let mut elements = Vec::new();
    let (mut depth, mut begun, mut quote) = (0u32, 0, None);
    for (place, c) in inner.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ']') if depth == 0 => {
                elements.push(inner.get(begun..place)?);
                let cast = inner.get(place + 1..)?.strip_prefix(")::")?;
                let (kind, after) = cast.split_once("[]")?;
                let is_name = |c: char| c.is_alphanumeric() || " _.\"".contains(c);
                return kind.chars().all(is_name).then_some((elements, kind, after));
            }
            (None, ')' | ']') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => {
                elements.push(inner.get(begun..place)?);
                begun = place + 2;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DataMode;

    #[test]
    fn a_list_that_is_cast_whole_is_one_whose_elements_are() {
        let whole = "CHECK (((state)::text = ANY ((ARRAY['a,]'::character varying, 'it''s'::character varying])::text[])))";
        let each = "CHECK (((state)::text = ANY (ARRAY[('a,]'::character varying)::text, ('it''s'::character varying)::text])))";
        assert_eq!(moved(whole), each);
        assert_eq!(moved(each), each);
        for same in ["", "(ARRAY[", "(ARRAY[1, 2])::int", "(ARRAY['a])::text[]"] {
            assert_eq!(moved(same), same);
        }
    }

    #[test]
    fn a_schema_that_the_source_says_nothing_of_is_not_compared() {
        let schema = |objects: &[(&str, &str)]| {
            let objects = objects.iter();
            Schema::new(
                objects
                    .map(|(kind, name)| SchemaObject::new(kind, name))
                    .collect(),
            )
            .unwrap()
        };
        let data = |names: &[&str]| Data {
            tables: names
                .iter()
                .map(|name| ((*name).to_owned(), data::TableData::default()))
                .collect(),
        };
        let seen = [
            ("schema", "public"),
            ("table", "public.a"),
            ("table", "b.c"),
        ];
        let source = Source {
            schema: schema(&seen),
            data: Some((DataMode::Full, data(&["public.a"]))),
        };
        let others = [
            ("schema", "\"a.b\""),
            ("table", "\"a.b\".c"),
            ("column", "\"a.b\".c.d"),
        ];
        let copy = schema(&[&seen[..], &others].concat());
        let copied = data(&["public.a", "\"a.b\".c"]);
        let told = compare(&source, &copy, Some(&copied), Rights::Kept);
        assert!(told.is_equal(), "{told:?}");
        assert_eq!(
            told.not_compared,
            ["schema \"a.b\": another role owns it in the source"]
        );
        assert_eq!(told.tables, 1);
        // A part of a schema that was looked at is compared, and so is all that stands in none.
        for (kind, name) in [
            ("schema", "b"),
            ("table", "public.d"),
            ("extension", "\"a.b\""),
            ("table", "c.d"),
        ] {
            let copy = schema(&[&seen[..], &others, &[(kind, name)]].concat());
            let told = compare(&source, &copy, Some(&copied), Rights::Kept);
            assert_eq!(told.schema.len(), 1, "{kind} {name}");
        }
    }

    #[test]
    fn owners_and_grants_are_taken_out_whole() {
        let mut object = SchemaObject::new("table", "public.a");
        object.push("owner", "alice");
        object.push("options", "x");
        object.push("grants", "alice: SELECT\nbob: SELECT");
        object.push("comment", "owner: nobody\ngrants: none");
        let mut objects = vec![object, SchemaObject::new("default privileges", "of alice")];
        without_rights(&mut objects);
        assert_eq!(objects.len(), 1);
        assert_eq!(
            objects[0].definition,
            "options: x\ncomment:\n  owner: nobody\n  grants: none\n"
        );
    }
}
