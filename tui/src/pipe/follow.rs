//! `baton tail`, and the inbox for screen readers: what happens, a line each, as it happens.

use std::{collections::HashSet, io::Write};

use baton_shared::{
    Control, ConversationId, MessageId, Micros,
    message::{Author, Delivery},
    protocol::{Event, Events, ServerFrame, Thread},
};
use jiff::tz::TimeZone;

use super::{Format, Output, PipeError, Present};
use crate::{
    net::{Client, NetEvent},
    state::known::{Conversation, Said},
    text::Clean,
    words,
};

/// Messages of the past that a followed conversation begins with.
const BEFORE: usize = 10;

/// Follows the queue, or one conversation's messages, until the reader or the server ends it.
pub async fn follow<W: Write>(
    client: &mut Client,
    mut present: Present,
    only: Option<ConversationId>,
    zone: &TimeZone,
    output: &mut Output<W>,
) -> Result<(), PipeError> {
    if let Some(conversation) = only {
        client.open(conversation);
    }
    let mut told = Told { zone, messages: HashSet::new() };
    while let Some(event) = client.next().await {
        match event {
            NetEvent::Frame(frame) => match *frame {
                ServerFrame::Thread(thread) => told.thread(&present, *thread, output)?,
                ServerFrame::Events(events) => told.events(&mut present, events, only, output)?,
                ServerFrame::Snapshot { rows, .. } => {
                    present.rows = rows.into_iter().map(|row| (row.conversation, row)).collect();
                }
                _ => {}
            },
            // Standard output carries what happened; this is about the line.
            NetEvent::Lost { why, .. } => eprintln!("OFFLINE  {}", Clean::line(&why)),
            NetEvent::Welcome { .. } => eprintln!("LIVE"),
            NetEvent::Stopped(stop) => return Err(stop.into()),
            NetEvent::Connecting { .. } | NetEvent::Answer { .. } | NetEvent::Expired(_) | NetEvent::RoundTrip(_) => {}
        }
    }
    Ok(())
}

/// What has been told, so that nothing is told twice.
struct Told<'a> {
    zone: &'a TimeZone,
    messages: HashSet<(MessageId, Option<Delivery>)>,
}

impl Told<'_> {
    fn thread<W: Write>(&mut self, present: &Present, thread: Thread, output: &mut Output<W>) -> Result<(), PipeError> {
        let first = thread.messages.len().saturating_sub(BEFORE);
        for message in thread.messages.into_iter().skip(first) {
            self.message(present, message, output)?;
        }
        Ok(())
    }

    fn events<W: Write>(
        &mut self,
        present: &mut Present,
        events: Events,
        only: Option<ConversationId>,
        output: &mut Output<W>,
    ) -> Result<(), PipeError> {
        present.now = events.now;
        for row in events.rows {
            present.rows.insert(row.conversation, row);
        }
        for event in events.events.into_iter().filter(|event| only.is_none() || event.conversation == only) {
            self.event(present, &event, only.is_some(), output)?;
        }
        for message in events.messages {
            self.message(present, message, output)?;
        }
        for gone in events.gone {
            present.rows.remove(&gone);
        }
        Ok(())
    }

    fn event<W: Write>(
        &self,
        present: &Present,
        event: &Event,
        in_thread: bool,
        output: &mut Output<W>,
    ) -> Result<(), PipeError> {
        if output.format == Format::Json {
            return Ok(output.json(event)?);
        }
        if let Some(line) = announcement(present, event, in_thread) {
            output.line(&format!("{} {line}", self.clock(event.at)))?;
        }
        Ok(())
    }

    fn message<W: Write>(
        &mut self,
        present: &Present,
        message: baton_shared::message::Message,
        output: &mut Output<W>,
    ) -> Result<(), PipeError> {
        if !self.messages.insert((message.id, message.delivery)) {
            return Ok(());
        }
        if output.format == Format::Json {
            return Ok(output.json(&message)?);
        }
        let conversation = message.conversation;
        let said = Said::from(message);
        let who = speaker(present, conversation, &said);
        let state = said.delivery.map(|delivery| format!(" [{delivery}]")).unwrap_or_default();
        let text = said.shown();
        output.line(&format!("{} {who}{state}: {}", self.clock(said.at), text.as_str().replace('\n', " / ")))?;
        Ok(())
    }

    fn clock(&self, at: Micros) -> String {
        words::clock_seconds(at, self.zone)
    }
}

/// A change of control as a sentence that begins with what it is about.
fn announcement(present: &Present, event: &Event, in_thread: bool) -> Option<String> {
    let row = present.rows.get(&event.conversation?).cloned().map(Conversation::from)?;
    if event.kind == "message_in" && !in_thread {
        let is_mine = row.control.owner() == Some(present.me);
        return is_mine.then(|| format!("WROTE  {}", row.customer));
    }
    if !words::is_milestone(&event.kind) {
        return None;
    }
    let who = event.agent.map(|agent| present.name(agent));
    let detail = event.detail.as_deref().map(|detail| Clean::line(&detail.replace('_', " ")));
    let sentence = words::milestone(&event.kind, who.as_ref().map(Clean::as_str), detail.as_ref().map(Clean::as_str));
    let word = match row.control {
        Control::Waiting { .. } => "NEW  ",
        Control::Agent { .. } => "TAKEN",
        Control::Bot | Control::Phone { .. } | Control::Elsewhere => "AWAY ",
        Control::Resolved { .. } => "DONE ",
    };
    Some(format!("{word}  {}  {sentence}", row.customer))
}

fn speaker(present: &Present, conversation: ConversationId, said: &Said) -> Clean {
    match (said.author, said.agent) {
        (Author::Customer, _) => {
            present.rows.get(&conversation).map_or(Clean::from_static("customer"), |row| Clean::line(&row.customer))
        }
        (Author::Agent, Some(agent)) => present.name(agent),
        (Author::Note, Some(agent)) => Clean::line(&format!("{} (note)", present.name(agent))),
        (author, _) => Clean::from_static(author.word()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{ANA, LUCIA, NOW, agent, conversation, marina, no_events, people, rows, said};

    fn present() -> Present {
        Present {
            me: agent(ANA),
            now: NOW,
            rows: rows().into_iter().map(|row| (row.conversation, row)).collect(),
            people: people().into_iter().map(|person| (person.id, person)).collect(),
        }
    }

    fn told(steps: impl FnOnce(&mut Told<'_>, &mut Present, &mut Output<&mut Vec<u8>>)) -> String {
        let (mut bytes, zone) = (Vec::new(), TimeZone::UTC);
        let mut told = Told { zone: &zone, messages: HashSet::new() };
        steps(&mut told, &mut present(), &mut Output::new(&mut bytes, Format::Text));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_followed_conversation_is_told_once() {
        let text = told(|told, present, output| {
            told.thread(present, marina(), output).unwrap();
            told.thread(present, marina(), output).unwrap();
            let mut events = no_events(NOW);
            events.messages = vec![said(300, Author::Customer, 1, "two\nlines\u{1b}[2J")];
            told.events(present, events, None, output).unwrap();
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 9, "{text}");
        assert_eq!(lines[6], "14:03:00 Ana Lima [read]: Oi Marina, sou a Ana. Já estou vendo a foto.");
        assert_eq!(lines[8], "14:04:59 Marina Souza: two / lines\u{fffd}[2J");
    }

    #[test]
    fn who_newly_waits_is_announced() {
        let text = told(|told, present, output| {
            let event = |kind: &str| Event {
                kind: kind.into(),
                at: NOW,
                conversation: Some(conversation(LUCIA)),
                message: None,
                agent: None,
                detail: Some("low_confidence".into()),
            };
            let mut events = no_events(NOW);
            events.events = vec![event("escalated"), event("message_state"), event("message_in")];
            told.events(present, events, None, output).unwrap();
        });
        assert_eq!(text, "14:05:00 NEW    Lucía Fernández  needs a person: low confidence\n");
    }
}
