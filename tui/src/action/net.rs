//! What comes from the line.

use baton_shared::{
    ConversationId, Micros, Role,
    protocol::{self, Events, ProblemCode, ServerFrame},
};

use super::{answer, board, hands, merge, template};
use crate::{
    event::{Effect, Effects},
    local::Slot,
    net::{NetEvent, Stop},
    state::{
        State,
        composer::Composer,
        known::{Card, Milestone, Person, Said},
        thread::Thread,
        toast::Tone,
    },
    text::Clean,
    words,
};

pub(super) fn happened(state: &mut State, event: NetEvent, local: Micros, out: &mut Effects) {
    match event {
        NetEvent::Connecting { attempt } => state.line.connecting(attempt),
        NetEvent::Welcome { me, now } => welcome(state, me, now, local),
        NetEvent::Frame(frame) => frame_came(state, *frame, local, out),
        NetEvent::Answer { command, answer } => answer::came(state, *command, answer, out),
        NetEvent::Expired(command) => answer::expired(state, &command, out),
        NetEvent::RoundTrip(length) => state.line.round_trip = Some(length),
        NetEvent::Lost { why, retry_in, .. } => lost(state, &why, state.now.plus(retry_in)),
        NetEvent::Stopped(stop) => stopped(state, &stop),
    }
    if !state.focused && matches!(state.line.phase, crate::state::line::Phase::Stopped { .. }) {
        out.push(Effect::Notify(Clean::from_static("the inbox has stopped")));
    }
}

fn welcome(state: &mut State, me: protocol::Person, now: Micros, local: Micros) {
    set_clock(state, now, local);
    let me = Person::from(me);
    state.people.insert(me.id, me.clone());
    state.queue.seen_by(me.id, me.role == Role::Supervisor);
    state.me = Some(me);
    state.line.welcomed();
    forget_unanswered(state);
}

/// What was asked on the connection before will not be answered on this one.
fn forget_unanswered(state: &mut State) {
    for composer in state.composers.values_mut() {
        composer.shared.saying = None;
    }
    for thread in state.threads.values_mut() {
        thread.loading = false;
    }
}

fn lost(state: &mut State, why: &str, until: Micros) {
    state.line.lost(why, until);
    forget_unanswered(state);
}

fn stopped(state: &mut State, stop: &Stop) {
    state.line.stopped(&stop.to_string());
    state.toast(Tone::Bad, stop.to_string());
}

fn frame_came(state: &mut State, frame: ServerFrame, local: Micros, out: &mut Effects) {
    match frame {
        ServerFrame::Snapshot { rows, people, .. } => snapshot(state, rows, people),
        ServerFrame::Events(events) => events_came(state, events, local, out),
        ServerFrame::Board(board) => board::came(state, *board),
        ServerFrame::Merged { gone, into } => merge::follow(state, gone, into, out),
        ServerFrame::Thread(thread) => thread_came(state, *thread),
        ServerFrame::History { conversation, messages, marks, more } => {
            history(state, conversation, messages, marks, more);
        }
        ServerFrame::Templates { conversation, templates } => template::came(state, conversation, templates),
        ServerFrame::DraftSaved { conversation, revision } => state.composer(conversation).said(revision),
        ServerFrame::DraftDiffers { conversation, revision, text, written_at } => {
            drafts_differ(state, conversation, revision, &text, written_at);
        }
        ServerFrame::Presence { here } => state.here = here,
        ServerFrame::Problem { code, why, .. } => problem(state, code, &why),
        // The line deals with these itself.
        ServerFrame::Welcome { .. }
        | ServerFrame::Answer { .. }
        | ServerFrame::Resync { .. }
        | ServerFrame::Moving { .. }
        | ServerFrame::Unknown => {}
    }
}

fn snapshot(state: &mut State, rows: Vec<protocol::Row>, people: Vec<protocol::Person>) {
    know(state, people);
    state.queue.replace(rows.into_iter().map(Into::into).collect());
    // It says nothing of messages: what was missed of them comes with the pages that follow.
    state.threads.values_mut().for_each(|thread| thread.outdated = true);
    state.line.caught_up(state.now);
}

fn know(state: &mut State, people: Vec<protocol::Person>) {
    state.people = people.into_iter().map(|person| (person.id, Person::from(person))).collect();
    if let Some(me) = state.me.clone() {
        state.people.insert(me.id, me);
    }
}

fn events_came(state: &mut State, events: Events, local: Micros, out: &mut Effects) {
    set_clock(state, events.now, local);
    if !events.people.is_empty() {
        know(state, events.people.clone());
    }
    count_words_to_me(state, &events.rows);
    hands::tell(state, &events);
    state.put_rows(events.rows);
    for event in events.events {
        merge::tell(state, &event, out);
        refused(state, &event);
        milestone_came(state, event);
    }
    for message in events.messages {
        if let Some(thread) = state.threads.get_mut(&message.conversation) {
            thread.put(Said::from(message));
        }
    }
    for card in events.cards {
        if let Some(thread) = state.threads.get_mut(&card.conversation) {
            put_card(thread, card);
        }
    }
    for conversation in events.gone {
        gone(state, conversation);
    }
    state.line.caught_up(state.now);
}

/// Customers of mine that wrote, for whoever looks elsewhere.
fn count_words_to_me(state: &mut State, rows: &[protocol::Row]) {
    let me = state.my_id();
    let wrote = rows.iter().filter(|row| me.is_some() && row.control.owner() == me).filter(|row| {
        let known = state.queue.get(row.conversation).map_or(0, |known| known.unread);
        row.unread > known
    });
    state.news.wrote += wrote.count();
}

/// What I asked Meta for was not done: told wherever I look by now.
fn refused(state: &mut State, event: &protocol::Event) {
    let (Some(conversation), true) = (event.conversation, event.kind == "errand_refused") else { return };
    if event.agent.is_none() || event.agent != state.my_id() {
        return;
    }
    let sentence = words::errand_refused(event.detail.as_deref().unwrap_or_default());
    let customer = state.queue.get(conversation).filter(|_| state.open != Some(conversation));
    let whose = customer.map(|row| format!("{}: ", row.customer)).unwrap_or_default();
    state.toast(Tone::Bad, format!("{whose}{sentence}"));
}

fn milestone_came(state: &mut State, event: protocol::Event) {
    let Some(thread) = event.conversation.and_then(|id| state.threads.get_mut(&id)) else { return };
    if words::is_milestone(&event.kind) {
        let mark = protocol::Mark { at: event.at, kind: event.kind, agent: event.agent, detail: event.detail };
        thread.mark(Milestone::from(mark));
    }
}

fn put_card(thread: &mut Thread, card: protocol::Card) {
    if card.version >= thread.card.version {
        thread.card = Card::from(card);
    }
}

/// This client may not see it any more; what was typed for it stays on disk.
fn gone(state: &mut State, conversation: ConversationId) {
    state.queue.remove(conversation);
    state.threads.remove(&conversation);
    state.followed.retain(|followed| *followed != conversation);
    if state.open == Some(conversation) {
        state.open = None;
        state.focus = crate::state::Pane::Queue;
        state.mode = crate::state::Mode::Normal;
        state.zoom = false;
        state.toast(Tone::Warn, "this conversation is not visible to you any more; what you typed is kept");
    }
}

fn thread_came(state: &mut State, came: protocol::Thread) {
    let conversation = came.row.conversation;
    let unread = came.row.unread;
    state.put_rows(vec![came.row]);
    if !state.followed.contains(&conversation) {
        return;
    }
    let is_new = !state.threads.contains_key(&conversation);
    let thread = state.threads.entry(conversation).or_default();
    let joins = came.messages.iter().any(|message| thread.get(message.id).is_some());
    // More may have been missed than one page: a thread with a hole, or with old ticks, would lie.
    let anew = is_new || thread.outdated || (!joins && came.more);
    thread.loading = false;
    if anew {
        thread.replace(|thread| fill(thread, came.messages, came.marks), came.more);
    } else {
        fill(thread, came.messages, came.marks);
    }
    put_card(thread, came.card);
    if is_new {
        thread.note_unread(unread);
    }
    if let Some(draft) = came.draft {
        drafts_differ(state, conversation, draft.revision, &draft.text, draft.written_at);
    }
}

fn history(
    state: &mut State,
    conversation: ConversationId,
    messages: Vec<baton_shared::message::Message>,
    marks: Vec<protocol::Mark>,
    more: bool,
) {
    let Some(thread) = state.threads.get_mut(&conversation) else { return };
    thread.loading = false;
    thread.more = more;
    fill(thread, messages, marks);
}

fn fill(thread: &mut Thread, messages: Vec<baton_shared::message::Message>, marks: Vec<protocol::Mark>) {
    for message in messages {
        thread.put(Said::from(message));
    }
    for mark in marks {
        thread.mark(Milestone::from(mark));
    }
}

fn drafts_differ(state: &mut State, conversation: ConversationId, revision: i64, text: &str, written_at: Micros) {
    let now = state.now;
    let composer = state.composer(conversation);
    let had_text = !composer.is_empty(Slot::Reply);
    if composer.meet(text, revision, written_at, now) && had_text {
        state.toast(Tone::Info, "a newer draft of yours came from elsewhere; the one here is in the stash");
    }
}

fn problem(state: &mut State, code: ProblemCode, why: &str) {
    let tone = if code == ProblemCode::Unavailable { Tone::Bad } else { Tone::Warn };
    state.toast(tone, why);
    for thread in state.threads.values_mut() {
        thread.loading = false;
    }
    // It may have been about a draft, which would be refused again: it goes out when it changes.
    state.composers.values_mut().for_each(Composer::not_said);
}

fn set_clock(state: &mut State, server: Micros, local: Micros) {
    state.ahead = server.0.saturating_sub(local.0);
    state.now = server;
    state.line.moved(server);
}
