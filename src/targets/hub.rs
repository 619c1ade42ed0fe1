//! A team's hub: a PostgreSQL database that holds the entries of all its ledgers.
//!
//! It is a letter box. Nothing is proven by an entry's being there, and nothing depends on trusting the
//! server, its owner, or who else may add entries. What goes wrong there is found like this:
//!
//! | what | found by |
//! | --- | --- |
//! | columns that say another writer or number than the body; a body that is no line of JSON; an entry that follows none that is there | the server, when it is added |
//! | a body that does not have the hash beside it | [`Hub::add`] before it is sent, and whoever reads it: PostgreSQL has no BLAKE3 |
//! | a body or a hash that was altered there, a row that was dropped or put elsewhere | whoever has the chain, by [`HubChain`] beside its own [`digest`]; whoever has not, by walking it |
//! | two entries with one number: a copied ledger, or a forged entry | everybody who reads: both are kept |
//! | newest entries of a chain that were dropped or are held back, and a digest that a server lies about | nobody by the hub alone. Its writer knows its own chain, and a receipt in a target names an entry by number and hash |
//! | a chain of a writer that never was, or entries after the newest one that everybody knows, by somebody who may add entries | nobody: entries are not signed. Only a receipt in a target shows that what an entry tells took place |
//!
//! Rows come back unverified. Whoever reads walks each chain before anything is taken from it.
//!
//! The guards in the database (insert-only triggers, row-level security) stop mistakes and roles that were
//! granted too much; its owner can take them off, and a superuser is not held by them.
//!
//! What a role needs to add and to read, and it can do nothing else with it:
//!
//! ```sql
//! GRANT USAGE ON SCHEMA tollgate_hub TO role;
//! GRANT SELECT, INSERT ON tollgate_hub.entry TO role;
//! ```
//!
//! Whoever owns the table can make it run code as the role that adds to it, as everywhere in PostgreSQL. So
//! that role should be one that may do nothing else on the server.

use sha2::Digest as _;

pub use super::postgres::hub::{Hub, HubRows};
use crate::digest::Sha256;
use crate::model::{Entry, WriterId};

/// What a hub holds of one writer, as the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubChain {
    /// The writer.
    pub writer: WriterId,
    /// How many entries: more than `highest` where two have one number.
    pub entries: u64,
    /// The lowest number: 1, unless somebody took entries away.
    pub lowest: u64,
    /// The highest number.
    pub highest: u64,
    /// Over all of them, in the order of their numbers, and of their hashes where two have one number: see
    /// [`digest`].
    pub digest: Sha256,
}

/// An entry as it stands in a hub: read from there, unverified, or about to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRow {
    /// Its writer.
    pub writer: WriterId,
    /// Its place in that writer's chain, from 1.
    pub number: u64,
    /// The text of the hash column; 64 lower-case hexadecimal digits where all is well.
    pub hash: String,
    /// The exact bytes that are hashed.
    pub body: String,
}

/// What [`HubChain::digest`] is where the hub holds exactly these entries of a writer, in this order: so
/// both sides are compared without sending them.
///
/// SHA-256 over the SHA-256 of each entry's hash and body. The hash is computed from the body here, and
/// taken from its column by the server: an altered hash shows like an altered body.
#[must_use]
pub fn digest<Body: AsRef<str>>(bodies: impl IntoIterator<Item = Body>) -> Sha256 {
    let mut all = sha2::Sha256::new();
    for body in bodies {
        let body = body.as_ref().as_bytes();
        let mut one = sha2::Sha256::new();
        one.update(Entry::hash_of(body).hex());
        one.update(body);
        all.update(one.finalize());
    }
    Sha256::from_bytes(all.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_bodies_their_order_and_their_borders_apart() {
        assert_eq!(digest(["a", "b"]), digest(vec!["a".to_owned(), "b".into()]));
        let all = [
            digest(["a", "b"]),
            digest(["b", "a"]),
            digest(["ab"]),
            digest(["a"]),
            digest([""]),
            digest::<&str>([]),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[..place].contains(one), "{place}");
        }
        assert_eq!(digest::<&str>([]), Sha256::of(b""));
    }
}
