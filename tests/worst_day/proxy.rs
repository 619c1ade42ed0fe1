//! A TCP proxy that breaks one connection at one byte.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

/// The way that bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
}

/// What happens at the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Both ends get a reset (RST).
    Reset,
    /// Both ends get an end (FIN).
    Close,
    /// The receiving end gets an end (FIN); what comes after it this way is thrown away. The other way
    /// stays open.
    HalfClose,
    /// The rest this way comes so much later.
    Delay(Duration),
    /// Nothing goes on in either way, and both ends stay open, until [`Proxy::cut`].
    Stall,
}

/// One fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Which of the connections, from 0.
    pub(crate) connection: usize,
    pub(crate) direction: Direction,
    /// So many bytes of this direction are passed on first.
    pub(crate) position: u64,
    pub(crate) action: Action,
    /// Who connects afterwards is turned away.
    pub(crate) stays_down: bool,
}

/// A proxy on a port of its own, until it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

struct Shared {
    fault: Option<Fault>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Bytes passed on, by connection: to the server, to the client.
    passed: Vec<[u64; 2]>,
    fired: bool,
    stalled: bool,
    /// The stall is over: nothing more is passed on.
    cut: bool,
    ended: bool,
}

/// A connection's two ends.
struct Pair {
    number: usize,
    client: TcpStream,
    server: TcpStream,
}

impl Pair {
    fn both(&self) -> [&TcpStream; 2] {
        [&self.client, &self.server]
    }

    /// An end that has gone already is as good as one that goes now.
    fn shut(&self, how: Shutdown) {
        for end in self.both() {
            let _ = end.shutdown(how);
        }
    }
}

impl Proxy {
    /// Passes every connection on to `upstream`, and breaks the one that the fault names.
    pub(crate) fn start(upstream: SocketAddr, fault: Option<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            fault,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let ours = Arc::clone(&shared);
        let listener = thread::spawn(move || ours.listen(&listener, upstream));
        Self {
            address,
            shared,
            listener: Some(listener),
        }
    }

    /// The URL with this proxy in the server's place, without TLS, so that positions mean the same in
    /// every run.
    pub(crate) fn url(&self, url: &str) -> String {
        let (lead, place) = url.split_once('@').expect("credentials in the URL");
        let (_, database) = place.split_once('/').expect("a database in the URL");
        format!("{lead}@{}/{database}?sslmode=disable", self.address)
    }

    /// Bytes passed on, by connection: to the server, to the client.
    pub(crate) fn passed(&self) -> Vec<[u64; 2]> {
        self.shared.state().passed.clone()
    }

    /// Whether the fault's byte was reached.
    pub(crate) fn has_fired(&self) -> bool {
        self.shared.state().fired
    }

    /// Ends a stall: both ends get an end.
    pub(crate) fn cut(&self) {
        self.shared.state().cut = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state();
            state.ended = true;
            state.cut = true;
        }
        self.shared.changed.notify_all();
        // Wakes the listener, which looks at `ended` first.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the proxy panics")
    }

    fn listen(self: Arc<Self>, listener: &TcpListener, upstream: SocketAddr) {
        for client in listener.incoming() {
            let number = {
                let mut state = self.state();
                if state.ended {
                    return;
                }
                if state.fired && self.fault.is_some_and(|fault| fault.stays_down) {
                    // Dropped as it is: the one who asked gets an end.
                    continue;
                }
                state.passed.push([0; 2]);
                state.passed.len() - 1
            };
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(upstream)) else {
                continue;
            };
            for end in [&client, &server] {
                // Small messages go as they come; a peer that takes nothing holds no thread for ever.
                let _ = end.set_nodelay(true);
                let _ = end.set_write_timeout(Some(Duration::from_secs(20)));
            }
            let pair = Arc::new(Pair {
                number,
                client,
                server,
            });
            for direction in [Direction::ToServer, Direction::ToClient] {
                let (shared, pair) = (Arc::clone(&self), Arc::clone(&pair));
                thread::spawn(move || shared.pump(&pair, direction));
            }
        }
    }

    fn pump(&self, pair: &Pair, direction: Direction) {
        let (mut from, mut to) = match direction {
            Direction::ToServer => (&pair.client, &pair.server),
            Direction::ToClient => (&pair.server, &pair.client),
        };
        let fault = self
            .fault
            .filter(|fault| fault.connection == pair.number && fault.direction == direction);
        let mut passed = 0;
        let mut discards = false;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = from.read(&mut buffer).unwrap_or(0);
            if read == 0 {
                break;
            }
            let mut bytes = &buffer[..read];
            if let Some(fault) = fault
                && (passed..passed + read as u64).contains(&fault.position)
                && !self.state().fired
            {
                let first = usize::try_from(fault.position - passed).unwrap_or(0);
                if !self.pass(pair, direction, &bytes[..first], &mut to) {
                    break;
                }
                passed += first as u64;
                bytes = &bytes[first..];
                self.state().fired = true;
                match fault.action {
                    Action::Reset => {
                        for end in pair.both() {
                            let _ = SockRef::from(end).set_linger(Some(Duration::ZERO));
                        }
                        // Wakes the other pump and tells the peers nothing; they hear of it when the
                        // last of us has let go of the pair.
                        pair.shut(Shutdown::Read);
                        return;
                    }
                    Action::Close => {
                        pair.shut(Shutdown::Both);
                        return;
                    }
                    Action::HalfClose => {
                        let _ = to.shutdown(Shutdown::Write);
                        discards = true;
                    }
                    Action::Delay(by) => thread::sleep(by),
                    Action::Stall => self.state().stalled = true,
                }
            }
            if discards {
                continue;
            }
            if !self.pass(pair, direction, bytes, &mut to) {
                break;
            }
            passed += bytes.len() as u64;
        }
        // An end is passed on like bytes are.
        if self.flows(pair) && !self.is_reset(pair) {
            let _ = to.shutdown(Shutdown::Write);
        }
    }

    /// Whether this connection ends by a reset: then no end may be sent before it.
    fn is_reset(&self, pair: &Pair) -> bool {
        self.fault.is_some_and(|fault| {
            fault.connection == pair.number && fault.action == Action::Reset && self.state().fired
        })
    }

    /// Waits while this connection is stalled. `false`: it was cut.
    fn flows(&self, pair: &Pair) -> bool {
        let ours = self
            .fault
            .is_some_and(|fault| fault.connection == pair.number);
        let mut state = self.state();
        while ours && state.stalled && !state.cut {
            state = self
                .changed
                .wait(state)
                .expect("no thread of the proxy panics");
        }
        let cut = ours && state.stalled;
        drop(state);
        if cut {
            pair.shut(Shutdown::Both);
        }
        !cut
    }

    /// Passes bytes on, unless nothing is passed on any more: `false`.
    fn pass(&self, pair: &Pair, direction: Direction, bytes: &[u8], to: &mut &TcpStream) -> bool {
        if !self.flows(pair) {
            return false;
        }
        if to.write_all(bytes).is_err() {
            return false;
        }
        let way = usize::from(direction == Direction::ToClient);
        if let Some(counts) = self.state().passed.get_mut(pair.number) {
            counts[way] += bytes.len() as u64;
        }
        true
    }
}
