//! The inbox without a screen: lines for pipes, scripts and screen readers, over the same line to
//! the server.

mod follow;
mod output;
mod queue;
mod send;

use std::{collections::HashMap, time::Duration};

use baton_shared::{
    AgentId, ConversationId, Micros,
    protocol::{Person, Row, ServerFrame},
};

pub use follow::follow;
pub use output::{Format, Output};
pub use queue::queue;
pub use send::send;

use crate::{
    net::{Client, NetEvent, Stop},
    text::Clean,
};

/// How long a command waits for the server.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a command did not do what it should: a sentence.
#[derive(Debug, thiserror::Error)]
pub enum PipeError {
    #[error("no answer from the server: {0}")]
    NoAnswer(String),
    #[error(transparent)]
    Stopped(#[from] Stop),
    #[error("no conversation that you may see is called `{0}`; `baton queue` lists them")]
    NoSuch(String),
    #[error("`{0}` could be several conversations: use the id that `baton queue` shows")]
    Ambiguous(String),
    #[error("not sent: {0}")]
    Refused(String),
    #[error("nothing to send: the text comes from standard input")]
    Nothing,
    #[error("{0}")]
    Output(#[from] std::io::Error),
}

/// What the server showed first.
#[derive(Debug)]
pub struct Present {
    pub me: AgentId,
    pub now: Micros,
    pub rows: HashMap<ConversationId, Row>,
    pub people: HashMap<AgentId, Person>,
}

impl Present {
    /// Waits for the first snapshot.
    pub async fn of(client: &mut Client) -> Result<Self, PipeError> {
        let mut why = "it could not be reached".to_owned();
        let first = tokio::time::timeout(PATIENCE, first_snapshot(client, &mut why)).await;
        first.unwrap_or(Err(PipeError::NoAnswer(why)))
    }

    /// The conversation that `name` means: an id, the end of one, or a customer's name or handle.
    pub fn find(&self, name: &str) -> Result<ConversationId, PipeError> {
        if let Ok(id) = name.parse() {
            return self.rows.contains_key(&id).then_some(id).ok_or_else(|| PipeError::NoSuch(name.into()));
        }
        let wanted = name.to_lowercase();
        let is_meant = |row: &&Row| {
            !wanted.is_empty() && row.conversation.to_string().ends_with(&wanted)
                || row.customer.to_lowercase() == wanted
                || row.handle.to_lowercase() == wanted
        };
        let mut found = self.rows.values().filter(is_meant);
        match (found.next(), found.next()) {
            (Some(row), None) => Ok(row.conversation),
            (Some(_), Some(_)) => Err(PipeError::Ambiguous(name.into())),
            (None, _) => Err(PipeError::NoSuch(name.into())),
        }
    }

    /// A person's name, made harmless.
    pub fn name(&self, agent: AgentId) -> Clean {
        self.people.get(&agent).map_or(Clean::from_static("somebody"), |person| Clean::line(&person.name))
    }
}

async fn first_snapshot(client: &mut Client, why: &mut String) -> Result<Present, PipeError> {
    let mut welcome = None;
    loop {
        match client.next().await {
            Some(NetEvent::Welcome { me, now }) => welcome = Some((me.id, now)),
            Some(NetEvent::Frame(frame)) => {
                if let (ServerFrame::Snapshot { rows, people, .. }, Some((me, now))) = (*frame, welcome) {
                    let rows = rows.into_iter().map(|row| (row.conversation, row)).collect();
                    let people = people.into_iter().map(|person| (person.id, person)).collect();
                    return Ok(Present { me, now, rows, people });
                }
            }
            Some(NetEvent::Lost { why: lost, .. }) => *why = lost,
            Some(NetEvent::Stopped(stop)) => return Err(stop.into()),
            Some(_) => {}
            None => return Err(PipeError::NoAnswer(why.clone())),
        }
    }
}
