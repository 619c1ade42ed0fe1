//! The server refuses the opening of a transaction: somebody cancels just then, or a timeout that the script
//! set runs out. What was to run in it must not run outside of it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tollgate::model::entry::{Engine, Progress};
use tollgate::sql::analyse;
use tollgate::targets::ApplyError;
use tollgate::targets::postgres::open;

use crate::bench::{Bench, failed};
use crate::support::{Database, settings};

/// Passes everything on, and spoils one message that opens a transaction: the one after so many.
struct Relay {
    address: SocketAddr,
    left: Arc<AtomicUsize>,
}

const NONE: usize = usize::MAX;

impl Relay {
    fn new(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let left = Arc::new(AtomicUsize::new(NONE));
        let ours = Arc::clone(&left);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(upstream).unwrap();
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let left = Arc::clone(&ours);
                thread::spawn(move || pass(client, server, &left));
                thread::spawn(move || {
                    let (mut from, mut to) = back;
                    let _ = std::io::copy(&mut from, &mut to);
                });
            }
        });
        Self { address, left }
    }

    fn spoil(&self, after: usize) {
        self.left.store(after, Ordering::SeqCst);
    }

    fn has_spoiled(&self) -> bool {
        self.left.load(Ordering::SeqCst) == NONE
    }
}

/// Message by message, to the server: the first one has no type.
fn pass(mut client: TcpStream, mut server: TcpStream, left: &AtomicUsize) {
    let mut lead = 0;
    loop {
        let mut head = vec![0; lead + 4];
        if client.read_exact(&mut head).is_err() {
            return;
        }
        let length = u32::from_be_bytes(head[lead..].try_into().unwrap());
        let mut body = vec![0; length as usize - 4];
        if client.read_exact(&mut body).is_err() {
            return;
        }
        let opens = lead == 1
            && head[0] == b'Q'
            && (body == b"BEGIN\0"
                || body.starts_with(b"BEGIN; SET LOCAL tollgate.attempt")
                || body.starts_with(b"BEGIN; PREPARE"));
        if opens && left.load(Ordering::SeqCst) != NONE {
            match left.load(Ordering::SeqCst) {
                0 => {
                    body[4] = b'X';
                    left.store(NONE, Ordering::SeqCst);
                }
                more => left.store(more - 1, Ordering::SeqCst),
            }
        }
        head.append(&mut body);
        if server.write_all(&head).is_err() {
            return;
        }
        lead = 1;
    }
}

fn bench() -> (Bench, Relay) {
    let database = Database::new();
    let server = database.settings();
    let upstream: SocketAddr = format!("{}:{}", server.host, server.port).parse().unwrap();
    let relay = Relay::new(upstream);
    let url = database.url();
    let (lead, place) = url.split_once('@').unwrap();
    let (_, name) = place.split_once('/').unwrap();
    let url = format!("{lead}@{}/{name}?sslmode=disable", relay.address);
    let target = open(&settings(&url)).unwrap();
    (Bench::with(database, target), relay)
}

#[test]
fn a_statement_never_runs_outside_the_transaction_of_its_row() {
    let (mut bench, relay) = bench();
    bench.apply("CREATE TABLE t (id int);").unwrap();
    let script = "INSERT INTO t VALUES (1); CREATE INDEX CONCURRENTLY i ON t (id); INSERT INTO t VALUES (2);";
    for (after, stands) in [(0, 0), (1, 2)] {
        bench.database.run("DELETE FROM t").unwrap();
        bench.database.run("DROP INDEX IF EXISTS i").unwrap();
        relay.spoil(after);
        let (error, left) = failed(bench.apply(script));
        assert!(relay.has_spoiled());
        assert!(error.message.contains("BEGIX"), "{error:?}");
        assert_eq!(left.map_or(0, |left| left.done), stands);
        let ran = bench.database.ask("SELECT count(*) FROM t");
        assert_eq!(ran, stands.min(1).to_string(), "after {after}");
    }
    bench.between("CREATE TABLE next (id int)").unwrap();
}

#[test]
fn a_script_that_is_sent_message_by_message_stops_at_its_opening() {
    let unread = "CREATE TABLE t (id int);";
    let isolated = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE t (id int);";
    for script in [unread, isolated] {
        let (mut bench, relay) = bench();
        relay.spoil(0);
        let outcome = match script == unread {
            true => bench.apply_unread(script),
            false => bench.apply(script),
        };
        let (error, left) = failed(outcome);
        assert!(relay.has_spoiled());
        assert!(error.message.contains("BEGIX"), "{error:?}");
        assert_eq!(left, None, "{script}");
        assert!(!bench.has_table("t"), "{script}");
        bench.between("CREATE TABLE next (id int)").unwrap();
    }
}

#[test]
fn a_script_that_is_sent_with_its_opening_is_told_to_stand_where_it_does() {
    let (mut bench, relay) = bench();
    let script = "CREATE TABLE t (id int);";
    assert!(tollgate::sql::pipelinable(&analyse(
        Engine::Postgresql,
        script
    )));
    relay.spoil(0);
    let (error, left) = failed(bench.apply(script));
    assert!(relay.has_spoiled());
    assert!(error.message.contains("BEGIX"), "{error:?}");
    // It runs before anybody knows, and has no receipt: a person is asked.
    assert_eq!(left, Some(Progress { done: 0, of: 1 }));
    assert!(bench.has_table("t"));
    assert_eq!(bench.receipts(), 0);
}

#[test]
fn one_of_several_that_are_sent_at_once_is_told_to_stand_where_it_does() {
    let scripts = [
        "CREATE TABLE a (id int);",
        "CREATE TABLE b (id int);",
        "CREATE TABLE c (id int);",
    ];
    for after in 0..scripts.len() {
        let (mut bench, relay) = bench();
        relay.spoil(after);
        let (heard, ended) = crate::window::send(&mut bench, &scripts, &mut |_| {});
        assert!(relay.has_spoiled());
        let Err(ApplyError::Failed { left, .. }) = ended else {
            panic!("{ended:?}");
        };
        assert_eq!(left, Some(Progress { done: 0, of: 1 }), "after {after}");
        assert_eq!((heard, bench.receipts()), (after, after));
        let stands = ["a", "b", "c"].map(|name| bench.has_table(name));
        assert_eq!(stands, [true, after > 0, after > 1], "after {after}");
    }
}
