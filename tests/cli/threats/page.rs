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
    // Each row of the table has one.
    let rows = page.lines().filter(|line| line.starts_with("| ")).count();
    assert!(named >= rows - page.matches("\n| ---").count() * 2 && named > 20);
}
