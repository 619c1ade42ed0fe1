//! How deep a script may nest before it is handed to a parser, and the thread that parses it.
//!
//! PostgreSQL's parser is recursive: `((((` takes a level for each bracket, but so does `NOT NOT`
//! for each word. An overflow of the stack ends the process and cannot be caught, so the depth is
//! bounded before parsing, by something that needs no grammar: a recursive parser can only go
//! deeper by reading a token, and is back at the start of its level at a comma, a semicolon, or the
//! end of a bracket. What bounds its depth is therefore the number of tokens since the last
//! separator at this level, and the same for every level around it. Two words are an exception:
//! after `CASE` and `WITH` a comma may be taken for an error inside, so these hold on to their depth
//! until their bracket or statement ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// The deepest that a script may be, in tokens. PostgreSQL's parser was measured at up to 4 KiB of
/// stack for a token in a build without optimisation.
pub(super) const MAX_DEPTH: usize = 5_000;

/// The stack of the thread that parses: three times what [`MAX_DEPTH`] needs at most. It is only
/// reserved; pages are taken as they are touched.
const STACK: usize = 64 * 1024 * 1024;

/// What a token means for the depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nesting {
    /// A bracket that is closed by this byte.
    Open(u8),
    /// A closing bracket.
    Close(u8),
    /// A comma.
    Comma,
    /// A semicolon.
    Semicolon,
    /// `CASE` or `WITH`: holds until the bracket or the statement ends.
    Holding,
    /// `ATOMIC`, which begins a list of statements with semicolons: holds to the end of the script.
    HoldingForEver,
    /// An operator or a word that wants an operand. Where a separator comes instead, the parser may
    /// take it for an error inside and go on, so that it separates nothing.
    Wanting,
    /// `*`, which is an operator or an operand.
    Star,
    /// Anything else.
    Other,
}

/// Counts the tokens that may each be a level of recursion.
#[derive(Debug, Default)]
pub(super) struct Depth {
    /// The levels around, each with the bracket that ends the one inside.
    around: Vec<(Level, u8)>,
    innermost: Level,
    for_ever: usize,
    total: usize,
    /// Whether an operand is wanted.
    wanting: bool,
}

/// One level of brackets.
#[derive(Debug, Default, Clone, Copy)]
struct Level {
    /// Tokens since its last separator.
    run: usize,
    /// Tokens that hold.
    held: usize,
}

impl Depth {
    /// Takes the next token, and says how deep a parser may be after it.
    pub(super) fn token(&mut self, nesting: Nesting) -> usize {
        let separates = !self.wanting;
        self.wanting = match nesting {
            Nesting::Wanting => true,
            Nesting::Star | Nesting::Comma | Nesting::Semicolon => self.wanting,
            _ => false,
        };
        match nesting {
            Nesting::Comma | Nesting::Semicolon if !separates => self.count(),
            Nesting::Open(closing) => {
                self.count();
                let outer = std::mem::take(&mut self.innermost);
                self.around.push((outer, closing));
            }
            Nesting::Close(closing) => {
                match self.around.pop_if(|(_, expected)| *expected == closing) {
                    Some((outer, _)) => {
                        self.total -= self.innermost.run + self.innermost.held;
                        self.innermost = outer;
                    }
                    // A bracket that closes nothing ends nothing: an error for the parser to report.
                    None => self.count(),
                }
            }
            Nesting::Comma => self.separate(),
            Nesting::Semicolon => {
                self.separate();
                if self.around.is_empty() {
                    self.total -= std::mem::take(&mut self.innermost.held);
                }
            }
            Nesting::Holding => {
                self.innermost.held += 1;
                self.total += 1;
            }
            Nesting::HoldingForEver => {
                self.for_ever += self.total + 1;
            }
            Nesting::Wanting | Nesting::Star | Nesting::Other => self.count(),
        }
        self.total + self.for_ever
    }

    fn count(&mut self) {
        self.innermost.run += 1;
        self.total += 1;
    }

    fn separate(&mut self) {
        self.total -= std::mem::take(&mut self.innermost.run);
    }
}

/// The name of the thread on which scripts are parsed. A panic there is caught and becomes
/// [`NotAnalysed::ParseError`](super::NotAnalysed::ParseError); a panic hook may keep quiet about it.
pub const PARSER_THREAD: &str = "tollgate-sql-parser";

/// Runs a parser where it has the stack that [`MAX_DEPTH`] needs and where its panic ends nothing;
/// says why where it came to no end.
pub(super) fn on_parser_thread<T: Send>(parse: impl FnOnce() -> T + Send) -> Result<T, String> {
    let gave_up = |_| "the parser gave up".to_owned();
    if thread::current().name() == Some(PARSER_THREAD) {
        return catch_unwind(AssertUnwindSafe(parse)).map_err(gave_up);
    }
    thread::scope(|scope| {
        parser_thread()
            .spawn_scoped(scope, parse)
            .map(|thread| thread.join())
    })
    .map_err(|error| format!("no thread to parse on: {error}"))?
    .map_err(gave_up)
}

/// A thread that a parser may run on.
pub(super) fn parser_thread() -> thread::Builder {
    thread::Builder::new()
        .name(PARSER_THREAD.to_owned())
        .stack_size(STACK)
}
