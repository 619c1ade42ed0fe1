//! Reading an entry in the very form in which it is written, in one pass: a ledger may hold a million.
//!
//! Where anything is in another place, or wrong, nothing is read here: the longer way finds out what.

mod facts;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{ENTRY_VERSION, Entry, Fact};
use crate::digest::{ChainHash, unhex};
use crate::model::{EnvironmentName, MigrationId, Provenance, WriterId};

/// What the entry before said and the next one most often says again: read once, and shared.
#[derive(Debug, Default, Clone)]
pub(crate) struct Last {
    /// Who wrote it, and the very text that says so: a run's entries all say the same.
    by: Option<(String, Arc<Provenance>)>,
    /// The few environments that there are.
    environments: Vec<EnvironmentName>,
    /// The migration that was spoken of last.
    migration: Option<MigrationId>,
}

/// So many environments are looked through for one that was named before.
const REMEMBERED: usize = 8;

impl Last {
    fn environment(&mut self, name: &str) -> Option<EnvironmentName> {
        let known = self
            .environments
            .iter()
            .find(|known| known.as_str() == name);
        if let Some(known) = known {
            return Some(known.clone());
        }
        let read: EnvironmentName = name.parse().ok()?;
        if self.environments.len() < REMEMBERED {
            self.environments.push(read.clone());
        }
        Some(read)
    }

    fn migration(&mut self, name: &str) -> MigrationId {
        match &self.migration {
            Some(known) if known.as_str() == name => known.clone(),
            _ => {
                let read = MigrationId::new(name);
                self.migration = Some(read.clone());
                read
            }
        }
    }
}

/// The entry; `None` where its bytes are not exactly in the form in which it is written.
pub(super) fn read(body: &str, last: &mut Last) -> Option<Entry> {
    const { assert!(ENTRY_VERSION == 1, "the form below is version 1's") };
    let mut rest = Rest(body);
    rest.skip("{\"v\":1,\"writer\":\"")?;
    let writer = WriterId::from_bytes(rest.digits()?);
    rest.skip("\",\"number\":")?;
    let number = rest.number()?;
    rest.skip(",\"prev\":")?;
    let prev = match rest.skip("null") {
        Some(()) => None,
        None => {
            rest.skip("\"")?;
            let hash = ChainHash::from_bytes(rest.digits()?);
            rest.skip("\"")?;
            Some(hash)
        }
    };
    rest.skip(",\"at\":\"")?;
    let at = rest.take(24)?.parse().ok()?;
    rest.skip("\",")?;
    let by = rest.provenance(last)?;
    rest.skip(",\"kind\":\"")?;
    let kind = rest.take(rest.0.find('"')?)?;
    rest.skip("\",\"payload\":")?;
    let payload = rest.0.strip_suffix('}')?;
    let fact = match facts::read(kind, payload, last) {
        Some(fact) => fact,
        None => Fact::read(kind, payload).ok()?,
    };
    Some(Entry {
        writer,
        number,
        prev,
        at,
        by,
        fact,
    })
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Inlined, so that a text that is known when this is compiled is compared without a call.
    #[inline(always)]
    fn skip(&mut self, text: &str) -> Option<()> {
        let length = text.len();
        if self.0.as_bytes().get(..length)? != text.as_bytes() {
            return None;
        }
        self.0 = self.0.get(length..)?;
        Some(())
    }

    #[inline]
    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Twice as many hexadecimal digits.
    #[inline]
    fn digits<const N: usize>(&mut self) -> Option<[u8; N]> {
        unhex(self.take(2 * N)?)
    }

    fn number(&mut self) -> Option<u64> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.take(digits)?;
        // JSON has no other spelling of a number than the shortest.
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        digits.parse().ok()
    }

    fn value<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter();
        let value = values.next()?.ok()?;
        self.take(values.byte_offset())?;
        Some(value)
    }

    fn provenance(&mut self, last: &mut Last) -> Option<Arc<Provenance>> {
        if let Some((text, by)) = &last.by
            && let Some(rest) = self.0.strip_prefix(text.as_str())
            && rest.starts_with(',')
        {
            self.0 = rest;
            return Some(by.clone());
        }
        let whole = self.0;
        self.skip("\"actor\":")?;
        let actor = self.value()?;
        self.skip(",\"origin\":")?;
        let origin = self.value()?;
        self.skip(",\"git\":")?;
        let git = self.value()?;
        self.skip(",\"tool\":")?;
        let tool = self.value()?;
        let by = Arc::new(Provenance {
            actor,
            origin,
            git,
            tool,
        });
        let text = whole.get(..whole.len() - self.0.len())?;
        last.by = Some((text.to_owned(), by.clone()));
        Some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"v":1,"writer":"3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e","number":1,"prev":null,"at":"2025-11-04T09:53:21.007Z","actor":"Ada \"A\" Lovelace","origin":{"kind":"person","host":null},"git":null,"tool":"tollgate 0.1.0","kind":"opened","payload":{"after":null}}"#;
    const HASH: &str = "\"e9796103707e01b48dcdc867272443cb6f9ba1e6f2ca327660945f33d395140c\"";

    #[test]
    fn one_pass_reads_what_two_do_and_nothing_else() {
        let entry = read(BODY, &mut Last::default()).unwrap();
        assert_eq!(Ok(entry), Entry::from_other_body(BODY));
        for (this, that) in [
            ("{\"v\":1,", "{\"v\":2,"),
            ("\"number\":1,", "\"number\":01,"),
            ("\"number\":1,", "\"number\":1.0,"),
            ("\"number\":1,", "\"number\":,"),
            ("\"number\":1,", "\"number\":99999999999999999999,"),
            ("\"number\":1,\"prev\":null,", "\"prev\":null,\"number\":1,"),
            ("\"prev\":null", "\"prev\":\"e979\""),
            ("\"writer\":\"3e", "\"writer\":\"3E"),
            ("\"git\":null,", ""),
            ("\"git\":null,", "\"git\":null,\"git\":null,"),
            ("\"tool\":", "\"tool\": 7, \"tool\":"),
            ("{\"after\":null}}", "{\"after\":null},\"more\":1}"),
            ("{\"after\":null}}", "{\"after\":null,\"more\":1}}"),
            ("{\"after\":null}}", "{\"after\":null}"),
            ("{\"after\":null}}", "{\"after\":null}}x"),
            ("\"host\":null}", "\"host\":null,\"run\":null}"),
            ("\"kind\":\"person\"", "\"kind\":\"nobody\""),
            ("opened", "waived"),
            ("opened", "nothing"),
            ("opened", "\\u006fpened"),
        ] {
            let other = BODY.replacen(this, that, 1);
            assert_ne!(other, BODY);
            assert_eq!(read(&other, &mut Last::default()), None, "{other}");
        }
        // Which is why the longer way is asked: this one is an entry all the same.
        let other = BODY.replacen(
            "\"number\":1,\"prev\":null,",
            "\"prev\":null,\"number\":1,",
            1,
        );
        assert_eq!(Entry::from_body(&other), Entry::from_body(BODY));
    }

    #[test]
    fn what_the_entry_before_said_is_taken_only_where_this_one_says_the_same() {
        let mut last = Last::default();
        let ci = "{\"kind\":\"ci\",\"system\":\"github\",\"run\":\"7\"}";
        let commit = "{\"commit\":\"c0c0\",\"dirty\":true}";
        for (this, that) in [
            ("\"number\":1", "\"number\":2"),
            ("\"number\":1", "\"number\":18446744073709551615"),
            ("\"prev\":null", &format!("\"prev\":{HASH}")),
            ("Ada", "Bea"),
            ("{\"kind\":\"person\",\"host\":null}", ci),
            ("\"git\":null", &format!("\"git\":{commit}")),
            ("tollgate 0.1.0", "tollgate 0.1.0 "),
            ("tollgate 0.1.0\"", "tollgate 0.1.0\" "),
            ("tollgate 0.1.0", "tollgate 0.1"),
        ] {
            let other = BODY.replacen(this, that, 1);
            assert_ne!(other, BODY);
            for body in [BODY, BODY, other.as_str(), other.as_str(), BODY] {
                let entry = Entry::from_body_after(body, &mut last);
                assert_eq!(entry, Entry::from_other_body(body), "{body}");
                assert!(entry.is_ok(), "{body}");
            }
        }
        // The text of the one before, and more behind it: another value, or none.
        let more = BODY.replacen("tollgate 0.1.0\"", "tollgate 0.1.0\"x", 1);
        assert!(Entry::from_body_after(BODY, &mut last).is_ok());
        assert!(Entry::from_body_after(&more, &mut last).is_err());
    }
}
