//! Agents who work at random, and clients who prove that they missed nothing.

use std::collections::BTreeMap;

use baton_server::{
    Context,
    inbox::{
        Snapshot, commands,
        roles::Viewer,
        stream::{self, Follower},
    },
    store::agents::Agent,
};
use baton_shared::{
    Control, ConversationId, MessageId, Role,
    protocol::{Act, Answer, Command, Cursor, Row, ServerFrame},
};

use super::truth::Broken;

/// One agent and their client.
pub struct Robot {
    pub agent: Agent,
    follower: Follower,
    through: Option<Cursor>,
    rows: BTreeMap<ConversationId, Row>,
    /// The newest customer message that was on screen, by conversation.
    seen: BTreeMap<ConversationId, MessageId>,
    pub heard: Vec<(String, Option<ConversationId>, Option<MessageId>)>,
    /// Given and not answered: given again, with the same id, until it is.
    pub unanswered: Option<Command>,
    answered: Vec<(Command, Answer)>,
}

impl Robot {
    pub async fn new(context: &Context, agent: Agent) -> Self {
        let viewer = Viewer { agent: agent.clone(), agents_see: context.settings.inbox.agents_see };
        let name = stream::name(context).await.expect("a stream");
        Self {
            agent,
            follower: Follower::new(viewer, name),
            through: None,
            rows: BTreeMap::new(),
            seen: BTreeMap::new(),
            heard: Vec::new(),
            unanswered: None,
            answered: Vec::new(),
        }
    }

    /// Takes the next frame, and proves that it begins where the last one ended.
    pub async fn listen(&mut self, context: &Context) -> Result<bool, Broken> {
        let after = self.follower.cursor();
        let Ok(frame) = stream::after(context, &mut self.follower).await else { return Ok(false) };
        if frame.after != after || self.through.as_ref().is_some_and(|through| *through != frame.after) {
            return Err(Broken { promise: 8, how: "a frame does not begin where the last one ended".into() });
        }
        self.through = Some(frame.through.clone());
        let moved = frame.after != frame.through;
        for row in frame.rows {
            let known = self.rows.get(&row.conversation).map_or(-1, |known| known.version);
            if row.version >= known {
                self.rows.insert(row.conversation, row);
            }
        }
        for event in frame.events {
            if let (Some(conversation), Some(message), "message_in") = (event.conversation, event.message, &*event.kind)
            {
                self.seen.insert(conversation, message);
            }
            self.heard.push((event.kind, event.conversation, event.message));
        }
        Ok(moved)
    }

    /// What they see must be what a new client would see.
    pub async fn compare(&self, context: &Context) -> Result<(), Broken> {
        let mut fresh = self.follower.clone();
        let snapshot = Snapshot::read(context).await.expect("a snapshot");
        for frame in fresh.snapshot(&snapshot) {
            let (ServerFrame::Snapshot { rows, .. } | ServerFrame::Events(baton_shared::protocol::Events { rows, .. })) =
                frame
            else {
                continue;
            };
            for row in rows {
                // What changes nothing that anybody sees (a lease) raises the version only.
                let mine = self.rows.get(&row.conversation).cloned().map(|mine| Row {
                    version: row.version,
                    updated_at: row.updated_at,
                    ..mine
                });
                if mine.as_ref() != Some(&row) {
                    let how = format!("{} shows {mine:?}\n  instead of {row:?}", self.agent.name);
                    return Err(Broken { promise: 8, how });
                }
            }
        }
        Ok(())
    }

    /// What to do next: mostly sense, sometimes nonsense; now and then the same as before.
    pub fn decide(&mut self, context: &Context, colleagues: &[Agent], rng: &mut fastrand::Rng) -> Option<Command> {
        if let Some(command) = &self.unanswered {
            return Some(command.clone());
        }
        if !self.answered.is_empty() && rng.u8(..20) == 0 {
            return Some(self.answered[rng.usize(..self.answered.len())].0.clone());
        }
        let rows: Vec<&Row> = self.rows.values().collect();
        if rows.is_empty() {
            return None;
        }
        let row = rows[rng.usize(..rows.len())];
        let epoch = if rng.u8(..25) == 0 { baton_shared::Epoch(row.epoch.0 - 1) } else { row.epoch };
        let seen = self.seen.get(&row.conversation).copied();
        let mine = row.control.owner() == Some(self.agent.id);
        let words = format!("{} says {}", self.agent.name, rng.u32(..));
        let act = match (row.control, mine, rng.u8(..10)) {
            (Control::Agent { .. }, true, 0..4) => Act::Send { epoch, text: words, seen, reply_to: None },
            (Control::Agent { .. }, true, 4) => Act::Release { epoch },
            (Control::Agent { .. }, true, 5..8) => {
                Act::HandBack { epoch, outcome: "answered".into(), note: words, promised: String::new() }
            }
            (Control::Agent { .. }, true, 8) => Act::Resolve { epoch, outcome: "done".into() },
            (Control::Agent { .. }, true, _) => Act::Note { text: words },
            // Refused: they do not own it.
            (_, false, 0) => Act::Send { epoch, text: words, seen, reply_to: None },
            (Control::Agent { .. }, false, 1..3) => {
                let to = colleagues[rng.usize(..colleagues.len())].id;
                Act::Assign { epoch, to, reason: "lunch".into() }
            }
            (Control::Bot, _, 1) => Act::Escalate { epoch, reason: "please".into() },
            // The bot is left to its work, mostly.
            (Control::Bot, _, 2..7) => return None,
            _ => Act::Take { epoch },
        };
        let id = context.ids.next(context.clock.now());
        Some(Command { id, conversation: row.conversation, act })
    }

    /// Remembers an answer; the same command must never get another one.
    pub fn answer(&mut self, command: &Command, answer: Answer) -> Result<(), Broken> {
        self.unanswered = None;
        if let Some((_, before)) = self.answered.iter().find(|(known, _)| known.id == command.id) {
            if *before != answer {
                return Err(Broken { promise: 9, how: format!("{before:?} became {answer:?}") });
            }
            return Ok(());
        }
        self.answered.push((command.clone(), answer));
        Ok(())
    }

    pub fn is_supervisor(&self) -> bool {
        self.agent.role == Role::Supervisor
    }
}

/// Gives a command; `None` if nobody knows whether it was done.
pub async fn give(context: &Context, agent: &Agent, command: &Command) -> Option<Answer> {
    commands::execute(context, agent.id, command).await.ok()
}
