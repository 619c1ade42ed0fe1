//! The driver's errors in our words. No text here can hold the password of the connection: the driver
//! never repeats one, and the server never does. Those of a script, which a server does repeat, are left out.

use std::error::Error as _;
use std::ops::Range;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition, Severity};

use crate::sql::{char_position_to_offset, said_without_passwords};
use crate::targets::{ScriptError, TargetError, TargetErrorKind};

/// What the server said of a script. `text` is the message that was sent, which begins at byte
/// `start` of the script; `fallback` is the statement that failed, where that is known.
pub(super) fn script_error(
    error: &DbError,
    text: &str,
    start: usize,
    fallback: Option<Range<usize>>,
) -> ScriptError {
    let mut context = error.where_().map(str::to_owned);
    let at = match error.position() {
        Some(ErrorPosition::Original(position)) => {
            let position = usize::try_from(*position).unwrap_or(usize::MAX);
            char_position_to_offset(text, position)
                .map(|offset| start + offset..start + offset)
                .or(fallback)
        }
        // A position in a text that the server made, or a function's body: that text is not in the
        // script, so it is told instead of pointed at.
        Some(ErrorPosition::Internal { query, .. }) => {
            let line = format!("in the query: {query}");
            context = Some(match context {
                Some(context) => format!("{context}\n{line}"),
                None => line,
            });
            fallback
        }
        None => fallback,
    };
    let clean = |said: &str| said_without_passwords(said, text);
    ScriptError {
        message: clean(error.message()),
        code: Some(error.code().code().to_owned()),
        detail: error.detail().map(clean),
        hint: error.hint().map(clean),
        context: context.as_deref().map(clean),
        at,
    }
}

/// Whether the server has ended the session with this error.
pub(super) fn is_fatal(error: &DbError) -> bool {
    matches!(
        error.parsed_severity(),
        Some(Severity::Fatal | Severity::Panic)
    )
}

/// Trouble on a session that was open. `doing` completes "while ...".
pub(super) fn session_error(error: &Error, doing: &str) -> TargetError {
    let Some(said) = error.as_db_error() else {
        return TargetError {
            kind: TargetErrorKind::Unreachable,
            fact: format!("the connection broke while {doing}: {}", chain(error)),
            remedy: None,
        };
    };
    let (kind, remedy) = match said.code().code() {
        "25006" => (
            TargetErrorKind::ReadOnly,
            Some("connect as a role, and to a server, that may write".to_owned()),
        ),
        "42501" => (
            TargetErrorKind::Other,
            Some(
                "connect as the role that owns the schema tollgate, or grant what is missing"
                    .to_owned(),
            ),
        ),
        _ => (TargetErrorKind::Other, None),
    };
    TargetError {
        kind,
        fact: format!("the server refused while {doing}: {}", sentence(said)),
        remedy,
    }
}

/// The message with its SQLSTATE.
pub(super) fn sentence(error: &DbError) -> String {
    let code = error.code().code();
    match error.detail() {
        Some(detail) => format!("{} ({detail}) [{code}]", error.message()),
        None => format!("{} [{code}]", error.message()),
    }
}

/// An error and its causes, each said once.
pub(super) fn chain(error: &Error) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !out.contains(&text) {
            out = format!("{out}: {text}");
        }
        cause = next.source();
    }
    out
}
