//! Whose conversation it is has changed, by somebody else: told at once, not by the first refusal.

use baton_shared::{
    AgentId, Control, ConversationId,
    protocol::{Act, Event, Events, Row},
};

use crate::{
    state::{State, known::Conversation, toast::Tone},
    text::Clean,
};

/// The kinds of events that say who did it; what was assigned names whom it was given to.
const DEEDS: [&str; 5] = ["taken", "assigned_by", "released", "handed_back", "resolved"];

pub(super) fn tell(state: &mut State, events: &Events) {
    let Some(me) = state.my_id() else { return };
    for row in &events.rows {
        let known = state.queue.get(row.conversation);
        let is_old = known.is_some_and(|known| known.version >= row.version || known.epoch > row.epoch);
        if is_old || is_my_doing(state, row) {
            continue;
        }
        if known.is_some_and(|known| !is_alike(known.control, row.control)) {
            state.toasts.outdated(row.conversation);
        }
        let (known, deed) = (state.queue.get(row.conversation), deed(events, row.conversation));
        if deed.is_some_and(|deed| deed.agent == Some(me)) {
            continue;
        }
        let was_mine = known.and_then(|known| known.control.owner()) == Some(me);
        match (was_mine, row.control.owner() == Some(me)) {
            (true, false) => lost(state, row, deed),
            (false, true) if known.is_some() || deed.is_some() => given(state, events, row, deed),
            (true, true) | (false, true | false) => {}
        }
    }
}

/// The same owner, since whenever.
fn is_alike(one: Control, other: Control) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other) && one.owner() == other.owner()
}

/// Who changed hands last, in these events.
fn deed(events: &Events, conversation: ConversationId) -> Option<&Event> {
    let here = |event: &&Event| event.conversation == Some(conversation);
    events.events.iter().rev().filter(here).find(|event| DEEDS.contains(&event.kind.as_str()))
}

/// My own act, whose answer is not here yet; of what was answered the row is changed already.
fn is_my_doing(state: &State, row: &Row) -> bool {
    state.commands.is_pending(row.conversation, passes)
}

/// Whether an act changes whose conversation it is.
pub(super) const fn passes(act: &Act) -> bool {
    use Act::{Assign, Escalate, HandBack, Release, Resolve, Take};
    matches!(act, Take { .. } | Assign { .. } | Release { .. } | HandBack { .. } | Resolve { .. } | Escalate { .. })
}

fn given(state: &mut State, events: &Events, row: &Row, deed: Option<&Event>) {
    let (customer, by) = (Clean::line(&row.customer), deed.and_then(|deed| deed.agent));
    let sentence = match by {
        Some(by) => format!("{} gave you {customer}", state.name(by)),
        None => format!("{customer} is yours now"),
    };
    let why = reason(events, row.conversation, by);
    let why = why.map(|why| format!(": {why}")).or_else(|| {
        // A supervisor always says why; it stands in the thread.
        deed.is_some_and(|deed| deed.detail.as_deref() == Some("assignment")).then(|| "; a note says why".into())
    });
    state.news.given += 1;
    state.toast(Tone::Warn, sentence + &why.unwrap_or_default());
}

/// The note that came with it, if the conversation is followed.
fn reason(events: &Events, conversation: ConversationId, by: Option<AgentId>) -> Option<Clean> {
    let is_it = |message: &&baton_shared::message::Message| {
        message.conversation == conversation
            && message.author == baton_shared::message::Author::Note
            && by.is_some()
            && message.agent == by
    };
    events.messages.iter().rev().find(is_it).map(|message| Clean::line(&message.body.text))
}

fn lost(state: &mut State, row: &Row, deed: Option<&Event>) {
    let customer = Clean::line(&row.customer);
    let by = deed.and_then(|deed| deed.agent).or(row.control.owner()).map(|by| state.name(by));
    let sentence = match (row.control, by) {
        (Control::Agent { agent, .. }, _) => format!("{} has {customer} now; a note says why", state.name(agent)),
        (Control::Waiting { .. }, Some(by)) => format!("{by} put {customer} back into the queue"),
        (Control::Waiting { .. }, None) => format!("{customer} is back in the queue"),
        (Control::Bot, Some(by)) => format!("{by} handed {customer} back to the bot"),
        (Control::Bot, None) => format!("the bot has {customer} again"),
        (Control::Resolved { .. }, Some(by)) => format!("{by} resolved {customer}"),
        (Control::Resolved { .. }, None) => format!("{customer} is resolved"),
        (Control::Phone { .. }, _) => format!("somebody answers {customer} on the phone now"),
        (Control::Elsewhere, _) => format!("another app has {customer} now"),
    };
    let has_text = state.composers.get(&row.conversation).is_some_and(|composer| composer.has_draft());
    let kept = if has_text { "; your text is kept" } else { "" };
    state.news.lost += 1;
    state.toast(Tone::Warn, format!("{sentence}{kept}"));
}

/// Who has it after an act of mine, before the server's row says so.
pub(super) fn after(act: &Act, row: &Conversation, me: Option<AgentId>, now: baton_shared::Micros) -> Option<Control> {
    match act {
        Act::Take { .. } => me.map(|agent| Control::Agent { agent, since: now }),
        Act::Assign { to, .. } => Some(Control::Agent { agent: *to, since: now }),
        Act::Release { .. } => Some(Control::Waiting { since: row.waiting_since.unwrap_or(now) }),
        Act::HandBack { .. } => Some(Control::Bot),
        Act::Resolve { .. } => Some(Control::Resolved { at: now }),
        Act::Escalate { .. } => Some(Control::Waiting { since: now }),
        Act::Send { .. }
        | Act::SendWhenTheyWrite { .. }
        | Act::SendParts { .. }
        | Act::SendFile { .. }
        | Act::SendOffer { .. }
        | Act::Note { .. }
        | Act::UseProposal { .. }
        | Act::Split { .. }
        | Act::Forget {}
        | Act::Thread { .. }
        | Act::Block { .. }
        | Act::Resend { .. }
        | Act::Cancel { .. }
        | Act::React { .. }
        | Act::SendTemplate { .. }
        | Act::Consent { .. }
        | Act::DropProposal { .. }
        | Act::Read { .. } => None,
    }
}
