use proptest::prelude::*;

use super::*;

fn object(kind: &str, name: &str, properties: &[(&str, &str)]) -> SchemaObject {
    let mut object = SchemaObject::new(kind, name);
    for (key, value) in properties {
        object.push(key, value);
    }
    object
}

fn schema(objects: &[SchemaObject]) -> Schema {
    Schema::new(objects.to_vec()).unwrap()
}

#[test]
fn objects_are_sorted_and_each_is_there_once() {
    let (a, b) = (object("table", "a", &[]), object("index", "b", &[]));
    let sorted = schema(&[a.clone(), b.clone()]);
    assert_eq!(sorted.objects(), [b.clone(), a.clone()]);
    assert_eq!(sorted.get("table", "a"), Some(&a));
    assert_eq!(sorted.get("table", "b"), None);
    let other = object("table", "a", &[("owner", "ada")]);
    let twice = Schema::new(vec![a, b, other]).unwrap_err();
    assert_eq!(twice.to_string(), "there are two of table a");
}

#[test]
fn the_text_is_one_line_for_each_object() {
    let schema = schema(&[
        object("table", "public.\"t\n\"", &[("owner", "ada")]),
        object("enum", "mood", &[("labels", "'low'\n'high'")]),
    ]);
    assert_eq!(
        schema.to_text(),
        r#"["enum","mood","labels:\n  'low'\n  'high'\n"]
["table","public.\"t\n\"","owner: ada\n"]
"#
    );
    assert_eq!(Schema::from_text(&schema.to_text()), Ok(schema));
    assert_eq!(Schema::default().to_text(), "");
    assert_eq!(Schema::from_text(""), Ok(Schema::default()));
}

/// Golden: kept digests would say that every schema changed.
#[test]
fn the_digest_is_frozen() {
    let schema = schema(&[object("table", "public.t", &[("owner", "ada")])]);
    assert_eq!(
        schema.digest().to_string(),
        "8a00e5707ef871471e894759454f946a295be86a0d6a0164d5e330c6460afd79"
    );
    assert_eq!(schema.digest(), Schema::digest_of(&schema.to_text()));
}

#[test]
fn only_its_own_text_is_read() {
    for (text, line) in [
        ("[\"table\",\"t\",\"\"]", 1),
        ("[\"table\", \"t\", \"\"]\n", 1),
        ("[\"table\",\"t\"]\n", 1),
        ("[\"table\",\"t\",\"\"]\n\n", 2),
        ("[\"table\",\"t\",\"\"]\n[\"index\",\"t\",\"\"]\n", 1),
        ("[\"index\",\"t\",\"\"]\n[\"table\",\"\\u0074\",\"\"]\n", 2),
        ("\n", 1),
    ] {
        assert_eq!(
            Schema::from_text(text),
            Err(SchemaError::Line(line)),
            "{text}"
        );
    }
    let twice = "[\"table\",\"t\",\"\"]\n[\"table\",\"t\",\"x\"]\n";
    assert!(matches!(
        Schema::from_text(twice),
        Err(SchemaError::Twice { .. })
    ));
}

#[test]
fn a_difference_names_the_object_and_its_lines() {
    let before = schema(&[
        object("column", "t.a", &[("type", "text")]),
        object("table", "t", &[("owner", "ada"), ("grants", "x: A\ny: B")]),
    ]);
    let after = schema(&[
        object("column", "t.b", &[("type", "text")]),
        object("table", "t", &[("owner", "ada"), ("grants", "x: A\nz: B")]),
    ]);
    let found = diff(&before, &after);
    let names: Vec<_> = found.iter().map(|one| (&*one.kind, &*one.name)).collect();
    assert_eq!(
        names,
        [("column", "t.a"), ("column", "t.b"), ("table", "t")]
    );
    assert_eq!(found[0].change, SchemaChange::Removed);
    assert_eq!(found[1].change, SchemaChange::Added);
    assert_eq!(found[0].lines(), DifferingLines::default());
    let lines = found[2].lines();
    assert_eq!(
        (lines.before, lines.after),
        (vec!["  y: B"], vec!["  z: B"])
    );
}

/// The rank of a label is where it stands.
#[test]
fn lines_in_another_order_are_told_whole() {
    let labels = |text| schema(&[object("enum", "mood", &[("labels", text)])]);
    let found = diff(&labels("'a'\n'b'"), &labels("'b'\n'a'"));
    let lines = found[0].lines();
    assert_eq!(lines.before, ["labels:", "  'a'", "  'b'"]);
    assert_eq!(lines.after, ["labels:", "  'b'", "  'a'"]);
}

#[test]
fn a_value_cannot_look_like_a_property() {
    let one = object("table", "t", &[("comment", "x\nowner: ada")]);
    let two = object("table", "t", &[("comment", "x"), ("owner", "ada")]);
    assert_ne!(one.definition, two.definition);
}

#[test]
fn the_order_of_columns_can_be_left_out() {
    let table = object("table", "t", &[]);
    let order = |columns| object(COLUMN_ORDER, "t", &[("columns", columns)]);
    let (one, two) = (
        schema(&[table.clone(), order("a, b")]),
        schema(&[table, order("b, a")]),
    );
    assert_ne!(one.digest(), two.digest());
    assert_eq!(one.without_column_order(), two.without_column_order());
}

fn any_schema() -> impl Strategy<Value = Schema> {
    let word = || proptest::sample::select(vec!["", "a", "b", "a\nb", "\"", "é: ", "\u{1}"]);
    proptest::collection::vec((word(), word(), word()), 0..5).prop_map(|rows| {
        let mut objects: Vec<SchemaObject> = Vec::new();
        for (kind, name, definition) in rows {
            if !objects
                .iter()
                .any(|one| one.kind == kind && one.name == name)
            {
                let definition = definition.to_owned();
                objects.push(SchemaObject {
                    definition,
                    ..SchemaObject::new(kind, name)
                });
            }
        }
        Schema::new(objects).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_differs_where_the_digests_are_equal(one in any_schema(), two in any_schema()) {
        prop_assert_eq!(diff(&one, &two).is_empty(), one.digest() == two.digest());
        prop_assert_eq!(diff(&one, &one.clone()), Vec::new());
        prop_assert_eq!(diff(&one, &two).len(), diff(&two, &one).len());
        prop_assert_eq!(Schema::from_text(&one.to_text()), Ok(one));
    }
}
