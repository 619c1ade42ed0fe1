//! One file for each verb: the user's vocabulary.

pub(crate) mod apply;
pub(crate) mod backup;
pub(crate) mod baseline;
pub(crate) mod bind;
pub(crate) mod emergency;
pub(crate) mod export;
pub(crate) mod hub;
pub(crate) mod init;
pub(crate) mod lint;
pub(crate) mod log;
pub(crate) mod new;
pub(crate) mod plan;
pub(crate) mod promote;
pub(crate) mod redo;
pub(crate) mod rehearse;
pub(crate) mod reset;
pub(crate) mod resolve;
pub(crate) mod restamp;
pub(crate) mod restore;
pub(crate) mod revert;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod verify;
pub(crate) mod verify_target;
pub(crate) mod waive;
pub(crate) mod why;
