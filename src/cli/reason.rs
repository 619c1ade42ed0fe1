//! The reason that a person gives: it is read by others, and for ever.

use super::Result;
use super::exit::Trouble;
use crate::model::one_line;

/// Longer, in characters, it is no reason but a document.
const LONGEST: usize = 2000;

/// A reason without a word says nothing, and one that was copied as a remedy has it (`<why>`) is nobody's.
pub(crate) fn must_have_a_reason(reason: &str, remedy: &str) -> Result<()> {
    let reason = one_line(reason);
    let what = match reason.as_str() {
        "" => "a reason is needed, and this one is empty".to_owned(),
        said if said.starts_with('<') && said.ends_with('>') => {
            format!("a reason is needed, and {said} only stands in its place")
        }
        said if !said.contains(char::is_alphanumeric) => {
            format!("a reason is needed, and {said} has no word in it")
        }
        said if said.chars().count() > LONGEST => format!(
            "the reason has {} characters, and {LONGEST} are the most: it is shown wherever that step is",
            said.chars().count()
        ),
        _ => return Ok(()),
    };
    Err(Trouble::usage(what, remedy))
}
