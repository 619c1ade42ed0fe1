//! The `down.sql` of a new migration, which nobody has written yet.

const BEFORE_THE_NAME: &str = "-- The prepared reversal of ";
const AFTER_THE_NAME: &str = ": what its migration.sql did, undone in reverse order.";

/// The `down.sql` of a new migration, which somebody has to write yet.
#[must_use]
pub fn template(id: &str) -> String {
    format!("{BEFORE_THE_NAME}{id}{AFTER_THE_NAME}\n\n")
}

/// Whether nobody wrote anything into it yet.
#[must_use]
pub fn is_to_be_written(down: &str) -> bool {
    let down = down.trim_start_matches('\u{feff}').trim();
    down.is_empty()
        || (down.lines().count() == 1
            && down.starts_with(BEFORE_THE_NAME)
            && down.ends_with(AFTER_THE_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_is_told_from_what_nobody_wrote() {
        for nothing in ["", " \r\n", "\u{feff}", &template("20251104101200_a")] {
            assert!(is_to_be_written(nothing), "{nothing:?}");
        }
        for something in [
            "-- later",
            "DROP TABLE a;",
            &format!("{}DROP TABLE a;", template("20251104101200_a")),
        ] {
            assert!(!is_to_be_written(something), "{something:?}");
        }
    }
}
