//! What must hold of the readers, whatever they are given. Each function takes the bytes of one
//! input and panics where something does not hold. The fuzzer calls them (`targets/`), and so does
//! the test that replays the corpus (`tests/corpus.rs`).

pub mod entries;
pub mod file;
pub mod sql;

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::Builder;

/// Runs a check on one thread with the name and the stack of the parser's, which then needs none of
/// its own for every script: that is most of the time that an input takes.
///
/// A panic of a parser is caught within and becomes an answer, and the fuzzer's panic hook would end
/// the process before that; so the hook keeps quiet on this thread, and what the check itself found
/// is told on the caller's.
pub fn on_parser_thread(check: fn(&[u8]), input: &[u8]) {
    static WORKER: OnceLock<Mutex<Worker>> = OnceLock::new();
    let worker = WORKER.get_or_init(|| {
        let fuzzer = take_hook();
        set_hook(Box::new(move |panic| {
            if std::thread::current().name() == Some(tollgate::sql::PARSER_THREAD) {
                let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
                *last = panic.to_string();
            } else {
                fuzzer(panic);
            }
        }));
        let (send, inputs) = channel::<(fn(&[u8]), Vec<u8>)>();
        let (done, receive) = channel();
        Builder::new()
            .name(tollgate::sql::PARSER_THREAD.to_owned())
            .stack_size(64 * 1024 * 1024)
            .spawn(move || {
                for (check, input) in inputs {
                    let held = catch_unwind(AssertUnwindSafe(|| check(&input))).is_ok();
                    if done.send(held).is_err() {
                        return;
                    }
                }
            })
            .expect("a thread");
        Mutex::new((send, receive))
    });
    let worker = worker.lock().unwrap_or_else(PoisonError::into_inner);
    worker.0.send((check, input.to_vec())).expect("the worker");
    if !worker.1.recv().expect("the worker") {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).clone();
        panic!("{last}");
    }
}

type Worker = (Sender<(fn(&[u8]), Vec<u8>)>, Receiver<bool>);

/// The newest panic on the parser's thread.
static LAST: Mutex<String> = Mutex::new(String::new());
