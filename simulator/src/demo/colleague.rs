//! A scripted agent on a real websocket: takes, answers, hands back, drops the line and comes back.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use baton::net::{Client, NetEvent, Stats};
use baton_shared::{
    AgentId, Clock, CommandId, Control, ConversationId, MessageId, Micros, Role,
    message::{Author, Delivery},
    protocol::{Act, Answer, Command, Refusal, Row},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{picture::Picture, speech};
use crate::{Span, chance::Chance};

/// How an agent works.
#[derive(Clone, Debug)]
pub(super) struct Temper {
    /// Between two looks at the queue.
    pub(super) look: Span,
    /// Conversations in hand at once.
    pub(super) hands: usize,
    /// So many of those who wait longest are left to others.
    pub(super) leaves: usize,
    /// How likely they are, at a look, to take what the bot is about to answer.
    pub(super) snatch: f64,
    /// How likely the line breaks at a look.
    pub(super) drop: f64,
    /// How likely the line breaks just after an act was given.
    pub(super) drop_in_act: f64,
    /// Answers until they let a conversation go.
    pub(super) answers: u32,
    /// Signs and counts every word, so that a double is found.
    pub(super) signs: bool,
}

/// Whether agents act or only look on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Working,
    Resting,
}

/// What came of one act.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) command: Command,
    pub(super) answer: Answer,
    pub(super) answered_at: Micros,
    /// From act to answer, if the line held that long.
    pub(super) took: Option<Duration>,
}

/// What an agent has seen and done so far; others may look.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) picture: Picture,
    pub(super) deeds: Vec<Deed>,
    pub(super) stats: Stats,
    pub(super) unanswered: usize,
    /// Commands that were given back unsent.
    pub(super) expired: usize,
    /// The client will never connect again.
    pub(super) stopped: bool,
}

pub(super) type SharedDesk = Arc<Mutex<Desk>>;

/// Looks at a desk, whatever became of who sat there.
pub(super) fn lock(desk: &SharedDesk) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Colleague {
    client: Client,
    desk: SharedDesk,
    temper: Temper,
    clock: Arc<dyn Clock>,
    rng: fastrand::Rng,
    name: String,
    cases: BTreeMap<ConversationId, Case>,
    given: HashMap<CommandId, Option<Instant>>,
    /// Open threads, the oldest first.
    open: VecDeque<ConversationId>,
    said: u32,
}

/// A conversation in hand.
#[derive(Debug, Default)]
struct Case {
    waits_for: Option<CommandId>,
    answers: u32,
    /// The customer wrote while the agent did: what the server says is the newest.
    newest: Option<MessageId>,
    looks: u32,
}

/// What an agent's eye falls on in the queue.
struct Glance {
    mine: Vec<Row>,
    /// A word of the bot's that is queued or on its way: to be there first.
    about_to_be_said: Option<Row>,
    /// Of those who wait, whose turn it is for this agent.
    next: Option<Row>,
    /// For a supervisor: somebody's conversation that somebody else could have.
    to_share: Option<(Row, AgentId)>,
}

/// More threads than this are closed again, the oldest first.
const OPEN: usize = 24;

/// An agent whose customer says nothing more lets go after so many looks.
const PATIENCE: u32 = 14;

impl Colleague {
    pub(super) fn new(client: Client, name: String, temper: Temper, clock: Arc<dyn Clock>, rng: fastrand::Rng) -> Self {
        Self {
            client,
            desk: SharedDesk::default(),
            temper,
            clock,
            rng,
            name,
            cases: BTreeMap::new(),
            given: HashMap::new(),
            open: VecDeque::new(),
            said: 0,
        }
    }

    pub(super) fn desk(&self) -> SharedDesk {
        self.desk.clone()
    }

    /// Works until `stop`, then says goodbye.
    pub(super) async fn run(mut self, mood: watch::Receiver<Mood>, stop: CancellationToken) {
        let mut next_look = self.next_look();
        loop {
            let works = *mood.borrow() == Mood::Working;
            tokio::select! {
                () = stop.cancelled() => break,
                event = self.client.next() => match event {
                    Some(event) => self.hear(event),
                    None => break,
                },
                () = sleep_until(next_look) => {
                    if works {
                        self.look();
                    }
                    next_look = self.next_look();
                }
            }
            let mut desk = lock(&self.desk);
            (desk.stats, desk.unanswered) = (self.client.stats(), self.client.unanswered());
        }
        self.client.close().await;
    }

    fn next_look(&mut self) -> Instant {
        Instant::now() + self.rng.within(self.temper.look)
    }

    fn hear(&mut self, event: NetEvent) {
        let now = self.clock.now();
        match event {
            NetEvent::Welcome { me, .. } => lock(&self.desk).picture.welcome(me, now),
            NetEvent::Frame(frame) => lock(&self.desk).picture.apply(*frame, now),
            NetEvent::Answer { command, answer } => self.settle(*command, answer, now),
            NetEvent::Lost { .. } => {
                lock(&self.desk).picture.lost();
                // What takes longer now says nothing of the server's speed.
                self.given.values_mut().for_each(|since| *since = None);
            }
            NetEvent::Expired(command) => {
                self.given.remove(&command.id);
                self.cases.remove(&command.conversation);
                lock(&self.desk).expired += 1;
            }
            NetEvent::Stopped(_) => lock(&self.desk).stopped = true,
            NetEvent::Connecting { .. } | NetEvent::RoundTrip(_) => (),
        }
    }

    fn settle(&mut self, command: Command, answer: Answer, now: Micros) {
        let took = self.given.remove(&command.id).flatten().map(|since| since.elapsed());
        if let Some(case) = self.cases.get_mut(&command.conversation) {
            case.waits_for = case.waits_for.filter(|id| *id != command.id);
            match &answer {
                Answer::WroteMeanwhile { newest } => case.newest = Some(*newest),
                Answer::Done { .. } if matches!(command.act, Act::Send { .. }) => {
                    case.answers += 1;
                    case.looks = 0;
                }
                // The row on screen is older than the server's: the next look sees it.
                Answer::Done { .. } | Answer::Refused { code: Refusal::Outdated, .. } => (),
                Answer::Refused { .. } => {
                    self.cases.remove(&command.conversation);
                }
            }
        }
        lock(&self.desk).deeds.push(Deed { command, answer, answered_at: now, took });
    }

    /// One look at the screen, and at most one act a conversation.
    fn look(&mut self) {
        if self.rng.happens(self.temper.drop) {
            self.client.cut();
            return;
        }
        let Some(glance) = self.glance() else { return };
        self.cases.retain(|id, case| case.waits_for.is_some() || glance.mine.iter().any(|row| row.conversation == *id));
        for row in &glance.mine {
            self.go_on_with(row);
        }
        if let Some((row, to)) = glance.to_share
            && self.rng.happens(0.1)
        {
            let act = Act::Assign { epoch: row.epoch, to, reason: "shares the work".into() };
            self.submit(row.conversation, act);
        }
        if self.cases.len() < self.temper.hands {
            let snatches = self.temper.snatch;
            let chosen = glance.about_to_be_said.filter(|_| self.rng.happens(snatches)).or(glance.next);
            if let Some(row) = chosen {
                self.take(&row);
            }
        }
    }

    fn glance(&mut self) -> Option<Glance> {
        let desk = lock(&self.desk);
        let (me, rows) = (desk.picture.me.as_ref()?, desk.picture.rows.values());
        let (mine, others): (Vec<&Row>, Vec<&Row>) = rows.partition(|row| row.control.owner() == Some(me.id));
        let free = others.iter().filter(|row| !self.cases.contains_key(&row.conversation));
        let about_to_be_said = free.clone().filter(|row| is_about_to_be_said(row)).max_by_key(|row| row.updated_at);
        let now = self.clock.now();
        let waiting = free.filter(|row| matches!(row.control, Control::Waiting { .. }) && row.window.is_open(now));
        let mut waiting: Vec<&&Row> = waiting.collect();
        waiting.sort_by_key(|row| (row.waiting_since, row.conversation));
        let next = waiting.into_iter().nth(self.temper.leaves);
        let theirs: Vec<&&Row> = others.iter().filter(|row| row.control.owner().is_some()).collect();
        let agents: Vec<AgentId> =
            desk.picture.people.iter().filter(|one| one.role == Role::Agent).map(|one| one.id).collect();
        let to_share = match (me.role, theirs.is_empty() || agents.is_empty()) {
            (Role::Supervisor, false) => {
                let to = agents[self.rng.usize(..agents.len())];
                let row = theirs[self.rng.usize(..theirs.len())];
                Some(((**row).clone(), to)).filter(|(row, to)| row.control.owner() != Some(*to))
            }
            _ => None,
        };
        Some(Glance {
            mine: mine.into_iter().cloned().collect(),
            about_to_be_said: about_to_be_said.map(|row| (*row).clone()),
            next: next.map(|row| (*row).clone()),
            to_share,
        })
    }

    fn take(&mut self, row: &Row) {
        self.watch(row.conversation);
        self.give(row.conversation, Act::Take { epoch: row.epoch });
    }

    fn go_on_with(&mut self, row: &Row) {
        let id = row.conversation;
        let newest = lock(&self.desk).picture.newest_of_customer(id);
        if newest.is_none() || !self.client.follows(id) {
            self.watch(id);
            return;
        }
        let case = self.cases.entry(id).or_default();
        if case.waits_for.is_some() {
            return;
        }
        case.looks += 1;
        let owed = row.unanswered_since.is_some() || case.answers == 0;
        let open = row.window.is_open(self.clock.now());
        let seen = case.newest.take().or(newest);
        let turn = case.answers;
        let done = case.answers >= self.temper.answers || case.looks > PATIENCE || !open;
        if owed && open && case.looks <= PATIENCE {
            let text = self.words(id, turn);
            self.give(id, Act::Send { epoch: row.epoch, text, seen, reply_to: None });
        } else if done && self.rng.happens(0.5) {
            self.let_go(row);
        }
    }

    fn let_go(&mut self, row: &Row) {
        let epoch = row.epoch;
        let act = match self.rng.u8(..10) {
            0 => Act::Release { epoch },
            1..=2 => Act::Resolve { epoch, outcome: "solved".into() },
            3 => Act::Note { text: format!("{} was here.", self.name) },
            _ => Act::HandBack {
                epoch,
                outcome: "solved".into(),
                note: "All that was asked is settled.".into(),
                promised: "A parcel until Friday.".into(),
            },
        };
        self.give(row.conversation, act);
    }

    fn give(&mut self, conversation: ConversationId, act: Act) {
        let id = self.submit(conversation, act);
        self.cases.entry(conversation).or_default().waits_for = Some(id);
        if self.rng.happens(self.temper.drop_in_act) {
            self.client.cut();
        }
    }

    fn submit(&mut self, conversation: ConversationId, act: Act) -> CommandId {
        let id = self.client.command(conversation, act);
        self.given.insert(id, Some(Instant::now()));
        id
    }

    fn watch(&mut self, conversation: ConversationId) {
        if self.client.follows(conversation) {
            return;
        }
        self.client.open(conversation);
        self.open.retain(|known| *known != conversation);
        self.open.push_back(conversation);
        if self.open.len() > OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            self.client.close_conversation(oldest);
            lock(&self.desk).picture.close(oldest);
        }
    }

    fn words(&mut self, conversation: ConversationId, turn: u32) -> String {
        let sentence = {
            let desk = lock(&self.desk);
            let said = desk.picture.threads.get(&conversation).into_iter().flat_map(|sheet| sheet.messages.values());
            let bridge =
                said.filter(|message| message.author == Author::System).map(|one| one.body.text.as_str()).next();
            speech::say(bridge, turn)
        };
        self.said += 1;
        if self.temper.signs { format!("{sentence} ({} {})", self.name, self.said) } else { sentence.to_owned() }
    }
}

fn is_about_to_be_said(row: &Row) -> bool {
    let by_baton = row.last.as_ref().is_some_and(|last| {
        matches!(last.author, Author::Bot | Author::System)
            && matches!(last.delivery, Some(Delivery::Queued | Delivery::Sending))
    });
    by_baton && matches!(row.control, Control::Bot | Control::Waiting { .. })
}
