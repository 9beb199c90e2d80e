//! The one loop: events in, `update`, effects out, `draw`. Everything that touches the world is here.

mod keyboard;
mod own_editor;
mod paths;
mod porter;
mod world;

use std::{path::PathBuf, sync::Arc, time::Duration};

use baton_shared::{AgentId, Clock, Ids, SystemClock};
use crossterm::event::Event as Input;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

use self::{keyboard::Keyboard, porter::Porter, world::World};
use crate::{
    action,
    config::Config,
    event::{Cause, Event, FileNews, Kept},
    local::{Files, Writer},
    net::{self, Address, Client, NetEvent, Settings, Stop, Timing},
    state::{Given, Left, State},
    term::{Guard, NoTerminal, Signal, Signals, guard, probe},
    text::Clean,
    theme::Theme,
    view,
};

/// At most so many frames a second, but for keys.
const FRAME: Duration = Duration::from_millis(16);

/// How many events are taken before the screen is looked at again.
const BATCH: usize = 1024;

/// An inbox to open.
pub struct Options {
    pub address: Address,
    pub token: String,
    /// Whose drafts these are, and where they lie; `None`: nothing is kept on this disk.
    pub keep: Option<(PathBuf, AgentId)>,
    pub config: Config,
    pub environment: probe::Environment,
    /// The person's own editor: a program and its arguments.
    pub editor: String,
    /// The person's own folder; empty: files go to where this runs.
    pub home: PathBuf,
    pub clock: Arc<dyn Clock>,
    /// Where command ids come from.
    pub ids: Ids,
    /// Where the line's chance comes from.
    pub line_ids: Arc<Ids>,
}

impl Options {
    /// An inbox that keeps nothing on this disk and has its defaults, as a demo wants it.
    pub fn new(address: Address, token: String, environment: probe::Environment) -> Self {
        Self {
            address,
            token,
            keep: None,
            config: Config::default(),
            environment,
            editor: "vi".into(),
            home: PathBuf::new(),
            clock: Arc::new(SystemClock::default()),
            ids: Ids::system(),
            line_ids: Arc::new(Ids::system()),
        }
    }
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Acts that the server has not answered.
    pub unsent: usize,
    /// Why the line stopped for good, if it did.
    pub stopped: Option<Stop>,
}

/// Why the inbox could not be opened, or broke.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    NoTerminal(#[from] NoTerminal),
    #[error(transparent)]
    Keys(#[from] crate::keys::KeymapError),
    #[error("the terminal failed: {0}")]
    Terminal(#[from] std::io::Error),
}

/// Opens the inbox on this process's terminal, until the person leaves.
pub async fn run(options: Options) -> Result<Outcome, RunError> {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(guard::install_panic_hook);
    let guard = Guard::enter(&options.environment)?;
    let mut app = App::new(options, guard)?;
    let outcome = app.run().await;
    app.leave().await;
    outcome
}

struct App {
    keeper: Keeper,
    world: World,
    clock: Arc<dyn Clock>,
    theme: Theme,
    /// `None` while another program reads it.
    keyboard: Option<Keyboard>,
    signals: Signals,
    net: mpsc::Receiver<NetEvent>,
    kept: mpsc::UnboundedReceiver<Kept>,
    files: mpsc::UnboundedReceiver<FileNews>,
    tasks: JoinSet<()>,
    stopped: Option<Stop>,
    title: Clean,
    done: bool,
}

/// Holds what was typed: a crash of this process leaves it on disk.
struct Keeper {
    state: State,
    writer: Option<Writer>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let now = self.state.now;
        for (conversation, composer) in &mut self.state.composers {
            if let (Some(write), Some(writer)) = (composer.due(*conversation, now, true), &self.writer) {
                writer.write(write);
            }
        }
    }
}

impl App {
    fn new(options: Options, guard: Guard) -> Result<Self, RunError> {
        let (net_sender, net) = mpsc::channel(BATCH);
        let (kept_sender, kept) = mpsc::unbounded_channel();
        let (requests, asked) = mpsc::unbounded_channel();
        let (file_sender, files) = mpsc::unbounded_channel();
        let host = options.address.to_string();
        let (left, writer, trouble) = left_behind(&options, &host, kept_sender.clone());

        let mut client = Client::new(line(&options), options.clock.clone(), options.line_ids.clone());
        client.restore(left.commands.clone());
        let mut tasks = JoinSet::new();
        // While the terminal is asked, the line is opened already.
        tasks.spawn(net::serve(client, asked, net_sender));

        let porter = Porter::new(&options, file_sender);
        let environment = options.environment;
        let answers =
            if environment.may_ask { probe::ask(probe::patience(&environment)) } else { probe::Answers::default() };
        let config = &options.config;
        let ascii = config.ascii || environment.ascii || answers.wide_lines;
        let ground = config.ground(answers.ground.or(environment.ground));
        let theme = Theme::new(config.tier(environment.tier), ground, ascii);
        let world = World::new(guard, environment, &options, &answers, requests, kept_sender, porter)?;
        let given = Given {
            label: Clean::line(config.label.as_deref().unwrap_or(host.split("://").last().unwrap_or(&host))),
            is_production: config.production,
            zone: jiff::tz::TimeZone::system(),
            emoji: config.emoji(answers.whole_clusters),
            patience: config.patience(),
            keymap: config.keymap(ascii)?,
            folder: Some(options.home.join("Downloads")).filter(|it| it.is_dir()).unwrap_or(options.home.clone()),
            home: options.home,
            ids: options.ids,
        };
        let mut state = State::new(given, left, world.size(), options.clock.now());
        if let Some(trouble) = trouble {
            state.toast(crate::state::toast::Tone::Bad, trouble);
        }
        Ok(Self {
            keeper: Keeper { state, writer },
            world,
            clock: options.clock,
            theme,
            keyboard: Some(Keyboard::new()),
            signals: Signals::listen()?,
            net,
            kept,
            files,
            tasks,
            stopped: None,
            title: Clean::default(),
            done: false,
        })
    }

    async fn run(&mut self) -> Result<Outcome, RunError> {
        let mut painted_at = Instant::now();
        let (mut dirty, mut urgent) = (true, true);
        while !self.done {
            if dirty && (urgent || painted_at.elapsed() >= FRAME) && self.keyboard.is_some() {
                self.paint()?;
                (dirty, urgent, painted_at) = (false, false, Instant::now());
            }
            let mut wake = Instant::now() + self.sleep();
            if dirty {
                wake = wake.min(painted_at + FRAME);
            }
            for cause in self.wait(wake).await? {
                urgent |= matches!(cause, Cause::Key(_) | Cause::Paste(_) | Cause::Resize { .. });
                dirty = true;
                self.apply(cause)?;
            }
        }
        Ok(Outcome { unsent: self.keeper.state.commands.unsent(), stopped: self.stopped.take() })
    }

    /// Until the state wants to be woken; never a busy loop.
    fn sleep(&self) -> Duration {
        self.keeper.state.wake_at().since(self.clock.now()).clamp(Duration::from_millis(5), Duration::from_secs(1))
    }

    /// The next things that happen, as many as are there.
    async fn wait(&mut self, wake: Instant) -> Result<Vec<Cause>, RunError> {
        let mut batch = Vec::new();
        let mut causes = Vec::new();
        tokio::select! {
            biased;
            signal = self.signals.next() => causes.extend(self.world.signalled(signal)?),
            input = next_input(&mut self.keyboard) => {
                let at = self.clock.monotonic();
                causes.extend(input?.into_iter().filter_map(|input| self.world.understood(input, at)));
            }
            text = self.world.edited() => {
                causes.push(text);
                self.keyboard = Some(Keyboard::new());
            }
            Some(news) = self.files.recv() => causes.push(Cause::File(news)),
            Some(kept) = self.kept.recv() => causes.push(Cause::Kept(kept)),
            count = self.net.recv_many(&mut batch, BATCH), if !self.net.is_closed() || !self.net.is_empty() => {
                tracing::trace!(count, "a batch of events");
                causes.extend(batch.into_iter().map(Cause::Net));
            }
            () = tokio::time::sleep_until(wake) => causes.push(Cause::Tick),
        }
        Ok(causes)
    }

    fn apply(&mut self, cause: Cause) -> Result<(), RunError> {
        if let Cause::Net(NetEvent::Stopped(stop)) = &cause {
            self.stopped = Some(stop.clone());
        }
        let now = self.clock.now();
        let effects = action::update(&mut self.keeper.state, Event { now, cause });
        for effect in effects {
            let next = self.world.perform(effect, self.keeper.writer.as_ref(), self.clock.monotonic())?;
            match next {
                world::Next::GoOn => {}
                // The other program reads the keyboard now.
                world::Next::Editing => self.keyboard = None,
                world::Next::Done => self.done = true,
            }
        }
        Ok(())
    }

    fn paint(&mut self) -> Result<(), RunError> {
        let (state, theme) = (&self.keeper.state, &self.theme);
        self.world.screen.draw(|frame| view::draw(state, theme, frame))?;
        self.world.notify_due(self.clock.monotonic())?;
        let title = state.title();
        if title != self.title {
            self.world.screen.emit(&crate::term::title(&title))?;
            self.title = title;
        }
        Ok(())
    }

    /// Gives the terminal back, then waits until everything is on disk and the server heard goodbye.
    async fn leave(self) {
        let Self { world, keeper, mut tasks, .. } = self;
        drop(world);
        drop(keeper);
        let goodbye = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(Duration::from_millis(1500), goodbye).await.is_err() {
            tracing::debug!("the line did not end in time");
        }
    }
}

fn line(options: &Options) -> Settings {
    Settings {
        address: options.address.clone(),
        token: options.token.clone(),
        build: concat!("baton ", env!("CARGO_PKG_VERSION")).into(),
        timing: Timing::default(),
    }
}

/// What an earlier run left on disk, and the thread that will write there. A disk that cannot be
/// used is a sentence on screen, not the end.
fn left_behind(
    options: &Options,
    host: &str,
    report: mpsc::UnboundedSender<Kept>,
) -> (Left, Option<Writer>, Option<String>) {
    let Some((folder, agent)) = &options.keep else { return (Left::default(), None, None) };
    let opened = Files::open(folder, host, *agent).and_then(|files| {
        let left = Left { desks: files.desks(), commands: files.commands(), settings: files.settings() };
        let writer = Writer::start(files, move |kept| {
            // Nobody listens any more: the inbox is closed, and this write was the last.
            let _closed = report.send(kept);
        })?;
        Ok((left, writer))
    });
    match opened {
        Ok((left, writer)) => (left, Some(writer), None),
        Err(error) => {
            let trouble = format!("{} cannot be used: {error}; a crash would lose what you type", folder.display());
            (Left::default(), None, Some(trouble))
        }
    }
}

async fn next_input(keyboard: &mut Option<Keyboard>) -> std::io::Result<Vec<Input>> {
    match keyboard {
        Some(keyboard) => keyboard.next().await,
        None => std::future::pending().await,
    }
}

/// What a signal means for the inbox.
fn meaning(signal: Signal) -> Option<Cause> {
    match signal {
        Signal::Terminate | Signal::Hangup => Some(Cause::Stop),
        Signal::Suspend | Signal::Continue => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::{ANA, Inbox, MARINA, agent, conversation},
        local::Slot,
    };

    #[test]
    fn promise_9_a_crash_of_the_client_leaves_what_was_typed_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path(), "server", agent(ANA)).unwrap();
        let mut inbox = Inbox::with_marina((120, 36));
        inbox.press("i");
        inbox.types("not saved yet");
        let writer = Writer::start(files.clone(), |_| {}).unwrap();
        let keeper = Keeper { state: inbox.state, writer: Some(writer) };
        let crash = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _keeper = keeper;
            panic!("in the middle of a key");
        }));
        assert!(crash.is_err());
        assert_eq!(files.desks()[&conversation(MARINA)].texts[&Slot::Reply].text, "not saved yet");
    }
}
