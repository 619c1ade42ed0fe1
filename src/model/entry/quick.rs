//! Reading an entry in the order in which it is written, in one pass: a ledger may hold a million.
//!
//! Where anything is in another place, or wrong, nothing is read here: the longer way finds out what.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error, MapAccess, Visitor};

use super::{ENTRY_VERSION, Entry, Fact};
use crate::model::Provenance;

/// The entry; `None` where its bytes are not exactly in the form in which it is written.
pub(super) fn read(body: &str) -> Option<Entry> {
    let mut reader = serde_json::Deserializer::from_str(body);
    let entry = reader.deserialize_map(Written).ok()?;
    reader.end().ok()?;
    Some(entry)
}

struct Written;

/// The next value, if it stands under this name.
macro_rules! next {
    ($map:ident, $name:literal) => {
        match $map.next_key::<&str>()? {
            Some($name) => $map.next_value()?,
            _ => return Err(Error::custom("in another order")),
        }
    };
}

impl<'de> Visitor<'de> for Written {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let version: u32 = next!(map, "v");
        if version != ENTRY_VERSION {
            return Err(Error::custom("another version"));
        }
        let writer = next!(map, "writer");
        let number = next!(map, "number");
        let prev = next!(map, "prev");
        let at = next!(map, "at");
        let by = Provenance {
            actor: next!(map, "actor"),
            origin: next!(map, "origin"),
            git: next!(map, "git"),
            tool: next!(map, "tool"),
        };
        let kind: &str = next!(map, "kind");
        let fact = match (kind, map.next_key::<&str>()?) {
            (kind, Some("payload")) => fact(kind, &mut map)?,
            _ => return Err(Error::custom("in another order")),
        };
        match map.next_key::<&str>()? {
            None => Ok(Entry {
                writer,
                number,
                prev,
                at,
                by,
                fact,
            }),
            Some(_) => Err(Error::custom("a field more")),
        }
    }
}

fn fact<'de, A: MapAccess<'de>>(kind: &str, map: &mut A) -> Result<Fact, A::Error> {
    Ok(match kind {
        "opened" => Fact::Opened(map.next_value()?),
        "bound" => Fact::Bound(map.next_value()?),
        "intent" => Fact::Intent(map.next_value()?),
        "outcome" => Fact::Outcome(map.next_value()?),
        "absorbed" => Fact::Absorbed(map.next_value()?),
        "refused" => Fact::Refused(map.next_value()?),
        "resolved" => Fact::Resolved(map.next_value()?),
        "chained" => Fact::Chained(map.next_value()?),
        "verified" => Fact::Verified(map.next_value()?),
        "rehearsed" => Fact::Rehearsed(map.next_value()?),
        "backed-up" => Fact::BackedUp(map.next_value()?),
        // What is rarer may take the longer way.
        _ => return Err(Error::custom("a rarer kind")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":1,"prev":null,"at":"2025-11-04T09:53:21.007Z","actor":"Ada \"A\" Lovelace","origin":{"kind":"person","host":null},"git":null,"tool":"tollgate 0.1.0","kind":"opened","payload":{"after":null}}"#;

    #[test]
    fn one_pass_reads_what_two_do_and_nothing_else() {
        let entry = read(BODY).unwrap();
        assert_eq!(Ok(entry), Entry::from_other_body(BODY));
        for (this, that) in [
            ("{\"v\":1,", "{\"v\":2,"),
            ("\"number\":1,\"prev\":null,", "\"prev\":null,\"number\":1,"),
            ("\"git\":null,", ""),
            ("\"git\":null,", "\"git\":null,\"git\":null,"),
            ("{\"after\":null}}", "{\"after\":null},\"more\":1}"),
            ("{\"after\":null}}", "{\"after\":null,\"more\":1}}"),
            ("{\"after\":null}}", "{\"after\":null}"),
            ("{\"after\":null}}", "{\"after\":null}}x"),
            ("opened", "waived"),
            ("opened", "nothing"),
        ] {
            let other = BODY.replacen(this, that, 1);
            assert_ne!(other, BODY);
            assert_eq!(read(&other), None, "{other}");
        }
        // Which is why the longer way is asked: this one is an entry all the same.
        let other = BODY.replacen(
            "\"number\":1,\"prev\":null,",
            "\"prev\":null,\"number\":1,",
            1,
        );
        assert_eq!(Entry::from_body(&other), Entry::from_body(BODY));
    }
}
