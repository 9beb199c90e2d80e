//! Why an action cannot be done just now.

use baton_shared::{
    Control,
    content::MediaState,
    message::{Author, Delivery},
    protocol::{Act, PARTS_LIMIT},
};

use super::{Action, Why};
use crate::{
    local::Slot,
    state::{State, known::Conversation, proposal, thread::Thread},
};

type Checked = Result<(), Why>;

pub(super) const fn always(_: &State) -> Checked {
    Ok(())
}

pub(super) fn some_conversation(state: &State) -> Checked {
    conversation(state).map(|_| ())
}

pub(super) fn some_open(state: &State) -> Checked {
    if state.open.is_some() { Ok(()) } else { why("no conversation is open") }
}

pub(super) fn some_message(state: &State) -> Checked {
    let has_messages = state.open_thread().is_some_and(|thread| thread.messages().next().is_some());
    if has_messages { Ok(()) } else { why("no message is on screen") }
}

pub(super) fn quoted(state: &State) -> Checked {
    some_message(state)?;
    let quotes = state.open_thread().and_then(Thread::chosen).is_some_and(|said| said.quoted.is_some());
    if quotes { Ok(()) } else { why("this message replies to none that is here") }
}

pub(super) fn file(state: &State) -> Checked {
    some_message(state)?;
    let file = state.open_thread().and_then(Thread::chosen_file).and_then(|said| said.file.as_ref());
    match file.map(|file| (file.state, &file.problem)) {
        None | Some((None, _)) => why("no file is chosen"),
        Some((Some(MediaState::Stored), _)) => Ok(()),
        Some((_, Some(problem))) => why(problem.as_str()),
        Some((_, None)) => why("it is not here yet"),
    }
}

pub(super) fn preview(state: &State) -> Checked {
    file(state)?;
    let file = state.open_thread().and_then(Thread::chosen_file).and_then(|said| said.file.as_ref());
    if file.is_some_and(|file| file.thumbnail) { Ok(()) } else { why("there is no preview of it, only the file") }
}

pub(super) fn open(state: &State) -> Checked {
    if state.queue.selected.is_some() { Ok(()) } else { why("the queue is empty") }
}

pub(super) fn urgent(state: &State) -> Checked {
    if state.queue.needing() > 0 { Ok(()) } else { why(state.empty_queue()) }
}

pub(super) fn back(state: &State) -> Checked {
    if state.followed.len() > 1 { Ok(()) } else { why("no other conversation was open") }
}

pub(super) fn take(state: &State) -> Checked {
    let conversation = conversation(state)?;
    if state.is_mine(conversation) {
        return why("it is yours already");
    }
    if is_being_taken(state, conversation) {
        return why("taking over already");
    }
    match conversation.control {
        Control::Agent { agent, .. } if !state.is_supervisor() => {
            why(format!("{} has it; ask for a transfer, or a supervisor", state.name(agent)))
        }
        Control::Agent { .. }
        | Control::Bot
        | Control::Waiting { .. }
        | Control::Phone { .. }
        | Control::Elsewhere
        | Control::Resolved { .. } => Ok(()),
    }
}

pub(super) fn reply(state: &State) -> Checked {
    let conversation = conversation(state)?;
    if !is_being_taken(state, conversation) {
        mine(state, conversation)?;
    }
    window(state, conversation)
}

/// WhatsApp has to know the message that another one refers to.
pub(super) fn reply_to(state: &State) -> Checked {
    reply(state)?;
    let chosen = state.open_thread().and_then(Thread::chosen);
    match chosen {
        None => why("no message is on screen"),
        Some(said) if said.author == Author::Note => why("a note was never sent to anybody"),
        Some(said) if said.delivery.is_some_and(|delivery| !is_known(delivery)) => why("it has not been sent"),
        Some(_) => Ok(()),
    }
}

fn is_known(delivery: Delivery) -> bool {
    use Delivery::{Accepted, Delivered, Played, Read, Sent};
    matches!(delivery, Accepted | Sent | Delivered | Read | Played)
}

/// Also into a closed window.
pub(super) fn template(state: &State) -> Checked {
    let conversation = conversation(state)?;
    mine(state, conversation)
}

pub(super) fn send(state: &State) -> Checked {
    let conversation = conversation(state)?;
    let Some(composer) = state.open_composer() else { return why("nothing is written") };
    let editor = composer.current().filter(|editor| !editor.text().trim().is_empty());
    let Some(editor) = editor else { return why("nothing is written") };
    let (over, is_reply) = (editor.over(), composer.slot == Slot::Reply && composer.proposal.is_none());
    if over > 0 && !is_reply {
        return why(format!("{over} characters too long for one message"));
    }
    let parts = composer.parts();
    if parts > PARTS_LIMIT {
        return why(format!("it would become {parts} messages: {PARTS_LIMIT} are possible"));
    }
    if composer.slot == Slot::Note {
        return Ok(());
    }
    if is_being_taken(state, conversation) {
        return why("still taking over; press again in a moment");
    }
    mine(state, conversation)?;
    if composer.later && !conversation.window.is_open(state.now) {
        return if parts > 1 { why("only one message can wait until they write") } else { Ok(()) };
    }
    window(state, conversation)
}

/// Only while nothing but a template goes.
pub(super) fn later(state: &State) -> Checked {
    let conversation = conversation(state)?;
    mine(state, conversation)?;
    if conversation.window.is_open(state.now) { why("the window is open: just reply") } else { Ok(()) }
}

pub(super) fn stash(state: &State) -> Checked {
    let composer = state.open_composer();
    let nothing = composer.is_none_or(|composer| composer.is_empty(composer.slot) && composer.stash.is_empty());
    if nothing { why("nothing is written, and the stash is empty") } else { Ok(()) }
}

pub(super) fn hand_back(state: &State) -> Checked {
    let conversation = conversation(state)?;
    match conversation.control {
        Control::Bot => why("the bot has it already"),
        Control::Waiting { .. } if state.is_supervisor() => Ok(()),
        Control::Agent { .. } => mine_or_supervisor(state, conversation),
        Control::Waiting { .. } | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => {
            mine(state, conversation)
        }
    }
}

pub(super) fn resolve(state: &State) -> Checked {
    let conversation = conversation(state)?;
    match conversation.control {
        Control::Resolved { .. } => why("it is resolved already"),
        Control::Elsewhere => why("another app has it"),
        Control::Bot | Control::Waiting { .. } | Control::Agent { .. } | Control::Phone { .. } => {
            mine_or_supervisor(state, conversation)
        }
    }
}

pub(super) fn release(state: &State) -> Checked {
    let conversation = conversation(state)?;
    match conversation.control {
        Control::Agent { .. } => mine_or_supervisor(state, conversation),
        Control::Waiting { .. } => why("it waits in the queue already"),
        Control::Bot | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => {
            mine(state, conversation)
        }
    }
}

pub(super) fn assign(state: &State) -> Checked {
    let conversation = conversation(state)?;
    match conversation.control {
        Control::Waiting { .. } if state.is_supervisor() => Ok(()),
        Control::Agent { .. } => mine_or_supervisor(state, conversation),
        Control::Waiting { .. } => why("supervisors assign; you can take it yourself"),
        Control::Bot | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => {
            mine(state, conversation)
        }
    }
}

pub(super) fn escalate(state: &State) -> Checked {
    match conversation(state)?.control {
        Control::Bot => Ok(()),
        Control::Waiting { .. } => why("it waits for a person already"),
        Control::Agent { .. } => why("a person has it"),
        Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => why("the bot does not have it"),
    }
}

pub(super) fn board(state: &State) -> Checked {
    if state.is_supervisor() || state.is_admin() { Ok(()) } else { why("the board is for supervisors and admins") }
}

/// What WhatsApp may be asked to give to another app.
pub(super) fn our_thread(state: &State) -> Checked {
    let conversation = conversation(state)?;
    match conversation.control {
        Control::Elsewhere => why("another app has it already"),
        Control::Agent { .. } => mine_or_supervisor(state, conversation),
        Control::Bot | Control::Waiting { .. } | Control::Phone { .. } | Control::Resolved { .. } => Ok(()),
    }
}

pub(super) fn block(state: &State) -> Checked {
    opened(state)?;
    if state.is_supervisor() { Ok(()) } else { why("supervisors block customers") }
}

pub(super) fn split(state: &State) -> Checked {
    let conversation = opened(state)?;
    if state.open_thread().is_none_or(|thread| thread.card.merged.is_none()) {
        return why("nothing was merged into this conversation");
    }
    match conversation.control {
        Control::Agent { .. } => mine_or_supervisor(state, conversation),
        Control::Bot
        | Control::Waiting { .. }
        | Control::Phone { .. }
        | Control::Elsewhere
        | Control::Resolved { .. } => Ok(()),
    }
}

pub(super) fn forget(state: &State) -> Checked {
    let conversation = opened(state)?;
    if state.open_thread().is_none_or(|thread| thread.card.facts.is_empty()) {
        return why("the bot remembers nothing of this customer");
    }
    match conversation.control {
        Control::Agent { .. } => mine_or_supervisor(state, conversation),
        Control::Bot
        | Control::Waiting { .. }
        | Control::Phone { .. }
        | Control::Elsewhere
        | Control::Resolved { .. } => Ok(()),
    }
}

pub(super) fn use_proposal(state: &State) -> Checked {
    drop_proposal(state)?;
    let conversation = conversation(state)?;
    mine(state, conversation)?;
    window(state, conversation)
}

pub(super) fn drop_proposal(state: &State) -> Checked {
    opened(state)?;
    proposal::shown(state).map(|_| ()).ok_or_else(|| Why("the bot proposes nothing".into()))
}

pub(super) fn other_proposal(state: &State) -> Checked {
    match proposal::shown(state) {
        Some((.., count)) if count > 1 => Ok(()),
        Some(_) | None => why("there is no other proposal"),
    }
}

pub(super) fn resend(state: &State) -> Checked {
    let conversation = opened(state)?;
    let trouble = state.open_thread().and_then(|thread| thread.trouble());
    if trouble.is_none() {
        return why("nothing failed here");
    }
    mine(state, conversation)?;
    window(state, conversation)
}

pub(super) fn cancel(state: &State) -> Checked {
    opened(state)?;
    let unsent = state.open_thread().and_then(|thread| thread.unsent());
    match unsent.and_then(|said| said.delivery) {
        Some(Delivery::Queued | Delivery::Held) => Ok(()),
        Some(_) | None => why("nothing here waits to be sent"),
    }
}

fn conversation(state: &State) -> Result<&Conversation, Why> {
    state.current().ok_or_else(|| Why("no conversation is chosen".into()))
}

/// The conversation in question, if it is the one on screen: nobody acts on messages unseen.
fn opened(state: &State) -> Result<&Conversation, Why> {
    if state.current_id() == state.open { conversation(state) } else { Err(Why("open the conversation first".into())) }
}

fn is_being_taken(state: &State, conversation: &Conversation) -> bool {
    state.commands.is_pending(conversation.id, |act| matches!(act, Act::Take { .. }))
}

fn mine_or_supervisor(state: &State, conversation: &Conversation) -> Checked {
    if state.is_supervisor() { Ok(()) } else { mine(state, conversation) }
}

fn mine(state: &State, conversation: &Conversation) -> Checked {
    if state.is_mine(conversation) {
        return Ok(());
    }
    let who = state.owner_words(&conversation.control);
    match (state.given.keymap.hint(Action::Take), take(state)) {
        (Some(key), Ok(())) => why(format!("{who}; {key} takes over")),
        (Some(_) | None, _) => why(who.as_str()),
    }
}

fn window(state: &State, conversation: &Conversation) -> Checked {
    if conversation.window.is_open(state.now) {
        return Ok(());
    }
    let hint = |action| state.given.keymap.hint(action).unwrap_or_default();
    let (template, later) = (hint(Action::Template), hint(Action::Later));
    why(format!(
        "the 24-hour window is closed: {template} sends a template, {later} lets a reply wait until they write"
    ))
}

fn why(text: impl Into<String>) -> Checked {
    Err(Why(text.into()))
}
