//! An approval: somebody read a saved plan and said yes to it. Recorded, not signed.

use serde::{Deserialize, Serialize};

use super::entry::Place;
use super::{Actor, Timestamp};
use crate::digest::ChainHash;

/// What is said of every approval that is shown.
pub const NOT_SIGNED: &str = "recorded, not signed";

/// An approval of a saved plan, as the intent and the receipt of what ran under it carry it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who said yes, by the name that was given.
    pub approver: Actor,
    /// When.
    pub at: Timestamp,
    /// In whose session it was typed, where that was somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed_by: Option<Actor>,
    /// What they had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The entry that says so.
    pub entry: Place,
}

impl Approval {
    fn typed(&self) -> String {
        let typed = self.typed_by.as_ref();
        typed.map_or_else(String::new, |by| {
            format!(" (typed by {})", super::one_line(&by.0))
        })
    }

    /// For people: "bo (typed by alice)".
    #[must_use]
    pub fn by(&self) -> String {
        format!("{}{}", super::one_line(&self.approver.0), self.typed())
    }

    /// For people: "bo, 2025-11-04 10:12 UTC (typed by alice): looks good".
    #[must_use]
    pub fn told(&self) -> String {
        let typed = self.typed();
        let note = self.note.as_ref();
        let note = note.map_or_else(String::new, |note| format!(": {}", super::one_line(note)));
        let approver = super::one_line(&self.approver.0);
        format!("{approver}, {}{typed}{note}", self.at.minute())
    }
}

/// An approval, and the plan that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedPlan {
    /// The saved plan's id.
    pub plan: ChainHash,
    /// Those who said yes to it, in the order of their entries' places.
    pub approvals: Vec<Approval>,
}

/// Characters that are not seen, or turn the text around them.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

impl Actor {
    /// What one person's names are compared by: without blanks around it and runs of them in it, without
    /// what is not seen, in lower case.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.0)
    }

    /// Whether both are the same person, as far as their names tell.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// Whether that is the author of a commit, `name <address>`: by the whole of it, the name, the address,
    /// or the login that an address begins with (`12345+bo@users.noreply.github.com` is `bo`).
    #[must_use]
    pub fn is_author(&self, author: &str) -> bool {
        let of = names(author);
        let own = names(&self.0);
        let mut own = own.iter().take(3).filter(|name| !name.is_empty());
        own.any(|name| of.contains(name))
    }
}

fn key(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    super::one_line(&seen).to_lowercase()
}

/// The whole, the name and the address, and then the login.
fn names(text: &str) -> Vec<String> {
    let whole = key(text);
    let Some((name, address)) = whole
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    else {
        return vec![whole];
    };
    let login = address.split('@').next().unwrap_or(address);
    let account = login.rsplit('+').next().unwrap_or(login);
    [whole.as_str(), name, address, login, account]
        .into_iter()
        .map(|name| name.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &str) -> Actor {
        Actor(name.to_owned())
    }

    #[test]
    fn names_of_one_person_are_one() {
        for (one, other, same) in [
            ("bo", " Bo ", true),
            ("bo  b", "BO B", true),
            ("bo", "b\u{200b}o", true),
            ("bo", "bo\u{fe0f}", true),
            ("ÅSA", "åsa", true),
            ("bo", "bob", false),
            ("", "bo", false),
        ] {
            assert_eq!(actor(one).is_same(&actor(other)), same, "{one:?} {other:?}");
        }
    }

    #[test]
    fn an_author_is_known_by_name_address_and_login() {
        let bo = "Bo Berg <bo@example.org>";
        for (name, author, is) in [
            ("Bo Berg", bo, true),
            ("bo berg", bo, true),
            ("BO@example.org", bo, true),
            ("bo", bo, true),
            (bo, bo, true),
            ("Somebody <bo@example.org>", bo, true),
            ("bo", "B <7+bo@users.noreply.github.com>", true),
            ("bob", bo, false),
            ("berg", bo, false),
            ("example.org", bo, false),
            // Of another address only the whole counts, and not who it begins with.
            ("Somebody <bo@elsewhere.org>", bo, false),
            ("", bo, false),
        ] {
            assert_eq!(actor(name).is_author(author), is, "{name:?} {author:?}");
        }
    }
}
