//! How often the program waits for PostgreSQL: counted on the wire, because that is what a slow link costs.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::on_postgres::Chain;
use crate::server::Database;

/// How long what the server says is on its way: long enough that nothing of it arrives while a message to
/// it is still being written.
const WAY: Duration = Duration::from_millis(25);

/// A slow link to the server. It counts how often the client speaks after it has heard something, which is
/// how often it waited.
struct Link {
    address: SocketAddr,
    waited: Arc<AtomicUsize>,
}

impl Link {
    fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let waited = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&waited);
        // Ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let server = TcpStream::connect(server).unwrap();
                pass(client, server, &counted);
            }
        });
        Self { address, waited }
    }

    fn url(&self, database: &Database) -> String {
        let url = database.url();
        let (lead, place) = url.split_once('@').unwrap();
        let (_, name) = place.split_once('/').unwrap();
        format!("{lead}@{}/{name}?sslmode=disable", self.address)
    }

    /// How often the client waited since this was asked last.
    fn waited(&self) -> usize {
        self.waited.swap(0, Ordering::SeqCst)
    }
}

fn pass(client: TcpStream, server: TcpStream, waited: &Arc<AtomicUsize>) {
    for end in [&client, &server] {
        end.set_nodelay(true).unwrap();
    }
    let has_heard = Arc::new(AtomicBool::new(true));
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (waited, hears) = (Arc::clone(waited), Arc::clone(&has_heard));
    thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut bytes) {
            // Nobody waits for an answer to a goodbye.
            let is_goodbye = bytes[..read] == *b"X\0\0\0\x04";
            if hears.swap(false, Ordering::SeqCst) && !is_goodbye {
                waited.fetch_add(1, Ordering::SeqCst);
            }
            if to_server.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (sender, pieces) = channel();
    let mut from_server = server;
    thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            if sender
                .send((Instant::now(), bytes[..read].to_vec()))
                .is_err()
            {
                return;
            }
        }
    });
    thread::spawn(move || deliver(client, &pieces, &has_heard));
}

fn deliver(mut client: TcpStream, pieces: &Receiver<(Instant, Vec<u8>)>, has_heard: &AtomicBool) {
    while let Ok((at, piece)) = pieces.recv() {
        thread::sleep(WAY.saturating_sub(at.elapsed()));
        has_heard.store(true, Ordering::SeqCst);
        if client.write_all(&piece).is_err() {
            return;
        }
    }
    let _ = client.shutdown(Shutdown::Write);
}

fn address(url: &str) -> SocketAddr {
    let (_, place) = url.split_once('@').unwrap();
    let (place, _) = place.split_once('/').unwrap();
    place.parse().unwrap()
}

/// Fifty small migrations on a new database, and then a run that finds nothing to do. Three of the trips
/// are the login's (SCRAM).
#[test]
fn fifty_migrations_and_none() {
    let mut chain = Chain::new(&[]);
    for n in 0..50 {
        let script = format!(
            "CREATE TABLE t{n} (id int PRIMARY KEY, a text, b int);\nCREATE INDEX i{n} ON t{n} (a);\n"
        );
        chain
            .project
            .write(&format!("202511{n:02}000000_t{n}"), &script);
    }
    let link = Link::start(address(&chain.databases[0].url()));
    let url = link.url(&chain.databases[0]);
    chain.set_url("dev", url);

    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert_eq!(shot.stderr.matches("  applied   ").count(), 50, "{shot}");
    let fifty = link.waited();
    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 0, "{shot}");
    let none = link.waited();
    for n in 50..100 {
        let script = format!("CREATE TABLE t{n} (id int PRIMARY KEY);\n");
        let id = format!("202512{n:02}000000_t{n}");
        chain.project.write(&id, &script);
    }
    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 0, "{shot}");
    let again = link.waited();
    // Of the last ones four read the schema before and after, and keep it. One more each where the ledger's
    // disk is slower than the link, so that the second half of them goes after something was heard.
    let waited = (fifty, none, again);
    assert!(fifty <= 10 && none <= 4 && again <= 11, "{waited:?}");
}
