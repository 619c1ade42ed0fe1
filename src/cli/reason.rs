//! What a person gives as a reason, a note or the name of an incident: it is read by others, and for ever.

use super::Result;
use super::exit::Trouble;
use crate::model::one_line;

/// Longer, in characters, it is no reason but a document.
const LONGEST: usize = 2000;

/// A reason without a word says nothing, and one that was copied as a remedy has it (`<why>`) is nobody's.
pub(crate) fn must_have_a_reason(reason: &str, remedy: &str) -> Result<()> {
    must_say("a reason", reason, remedy)
}

/// As [`must_have_a_reason`], of something else that is asked for, with its article.
pub(crate) fn must_say(thing: &str, said: &str, remedy: &str) -> Result<()> {
    let reason = one_line(said);
    let what = match reason.as_str() {
        "" => format!("{thing} is needed, and this one is empty"),
        said if said.starts_with('<') && said.ends_with('>') => {
            format!("{thing} is needed, and {said} only stands in its place")
        }
        said if !said.contains(char::is_alphanumeric) => {
            format!("{thing} is needed, and {said} has no word in it")
        }
        said if said.chars().count() > LONGEST => format!(
            "{thing} of at most {LONGEST} characters is needed, and this one has {}: it is shown wherever that step is",
            said.chars().count()
        ),
        _ => return Ok(()),
    };
    Err(Trouble::usage(what, remedy))
}
