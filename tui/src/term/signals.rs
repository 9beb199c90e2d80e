//! What the system tells the client, as values for its one loop.

/// A signal that means something to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Stop in order: SIGTERM, SIGINT.
    Terminate,
    /// The terminal is gone.
    Hangup,
    /// Somebody wants us stopped: call [`super::Guard::suspend`].
    Suspend,
    /// We go on after having been stopped: call [`super::Guard::resume`].
    Continue,
}

#[cfg(unix)]
pub use unix::Signals;

#[cfg(unix)]
mod unix {
    use std::io;

    use signal_hook::consts::{SIGCONT, SIGTSTP};
    use tokio::signal::unix::{self, SignalKind, signal};

    use super::Signal;

    /// Listens from when it is made.
    #[derive(Debug)]
    pub struct Signals {
        terminate: unix::Signal,
        interrupt: unix::Signal,
        hangup: unix::Signal,
        stop: unix::Signal,
        go_on: unix::Signal,
    }

    impl Signals {
        /// # Errors
        /// If the system does not let us listen.
        pub fn listen() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hangup: signal(SignalKind::hangup())?,
                stop: signal(SignalKind::from_raw(SIGTSTP))?,
                go_on: signal(SignalKind::from_raw(SIGCONT))?,
            })
        }

        /// The next one; can be dropped and asked again without losing any.
        pub async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.terminate.recv() => Signal::Terminate,
                _ = self.interrupt.recv() => Signal::Terminate,
                _ = self.hangup.recv() => Signal::Hangup,
                _ = self.stop.recv() => Signal::Suspend,
                _ = self.go_on.recv() => Signal::Continue,
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use signal_hook::{consts::SIGHUP, low_level::raise};

        use super::*;

        #[tokio::test]
        async fn signals_arrive_as_values() {
            let mut signals = Signals::listen().unwrap();
            for (number, expected) in
                [(SIGTSTP, Signal::Suspend), (SIGCONT, Signal::Continue), (SIGHUP, Signal::Hangup)]
            {
                raise(number).unwrap();
                assert_eq!(signals.next().await, expected);
            }
        }
    }
}

/// Windows has only Ctrl+C, which raw mode turns into a key.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub async fn next(&mut self) -> Signal {
        std::future::pending().await
    }
}
