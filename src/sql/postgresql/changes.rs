//! What the statements of a script do.

use crate::sql::Statement;
use crate::sql::changes::Change;

/// What the statements do, in order.
pub(in crate::sql) fn changes(_script: &str, _statements: &[Statement]) -> Vec<Change> {
    Vec::new()
}
