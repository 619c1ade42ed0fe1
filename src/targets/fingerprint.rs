//! What a target keeps of its schema, from one run to the next.

use crate::digest::ChainHash;
use crate::model::Schema;
use crate::model::entry::ReceiptRef;
use crate::model::schema::SchemaError;

/// How this version reads a schema: which kinds, which properties, in which words. To be raised with any
/// change of these, because texts that were read in two ways say nothing when they differ.
pub(super) const READING: &str = "2";

/// The schema as a run left it, as it stands in the target; unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSchema {
    /// The receipt that was the newest then. Where another one is the newest by now, a run came after
    /// this that kept nothing, and a difference may be its own.
    pub receipt: ReceiptRef,
    /// The digest that the row claims.
    pub digest: ChainHash,
    /// The canonical text, as [`Schema::to_text`] writes it.
    pub text: String,
}

impl KeptSchema {
    /// The schema, where text and digest belong together; `None` where the text is not the one that was
    /// hashed.
    ///
    /// # Errors
    /// The text has its digest and cannot be read: a newer version wrote it in another way.
    pub fn read(&self) -> Result<Option<Schema>, SchemaError> {
        if Schema::digest_of(&self.text) != self.digest {
            return Ok(None);
        }
        Schema::from_text(&self.text).map(Some)
    }
}
