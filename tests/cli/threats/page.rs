//! docs/THREATS.md: every test that it names is there.

#[test]
fn every_test_that_the_page_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/THREATS.md")).unwrap();
    let mut named = 0;
    for part in page.split("[`").skip(1) {
        let (name, rest) = part.split_once("`](../").unwrap();
        let (file, _) = rest.split_once(')').unwrap();
        let text = std::fs::read_to_string(root.join(file))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let is_there = ["(", "<"]
            .iter()
            .any(|end| text.contains(&format!("fn {name}{end}")));
        assert!(is_there, "{file} has no {name}");
        named += 1;
    }
    assert!(named > 20);
    let rows = page.lines().filter(|line| {
        let is_head = line.starts_with("| ---") || line.starts_with("| What they do ");
        line.starts_with("| ") && !is_head
    });
    for row in rows {
        assert!(row.contains("[`"), "no test does what this row says: {row}");
    }
}
