//! What became of my acts.

use baton_shared::{
    ConversationId, Epoch, MessageId, Micros,
    message::Author,
    protocol::{Act, Answer, Command, Refusal},
};

use super::{attach, hands, offer, with_thread};
use crate::{
    composer::Editor,
    event::{Effect, Effects},
    keys::Action,
    local::{Slot, Write},
    state::{State, toast::Tone},
};

pub(super) fn came(state: &mut State, mut command: Command, answer: Answer, out: &mut Effects) {
    out.push(Effect::Keep(Write::ForgetCommand(command.id)));
    command.conversation = state.present(command.conversation);
    match answer {
        Answer::Done { epoch, message, last_bot_word, settles_by } => {
            state.commands.answered(command.id, message.filter(|_| makes_message(&command.act)));
            done(state, &command, epoch, last_bot_word.map(|word| (word, settles_by)));
        }
        Answer::WroteMeanwhile { newest } => {
            state.commands.answered(command.id, None);
            wrote_meanwhile(state, command, newest);
        }
        Answer::Refused { code, why, owner } => {
            state.commands.answered(command.id, None);
            let owner = owner.filter(|owner| Some(*owner) != state.my_id());
            let sentence = match owner {
                Some(owner) if code == Refusal::NotYours => format!("{} has it", state.name(owner)),
                Some(_) | None => why,
            };
            refused(state, command, &sentence);
        }
    }
}

/// It could not be delivered for so long that its words may be wrong by now.
pub(super) fn expired(state: &mut State, command: &Command, out: &mut Effects) {
    out.push(Effect::Keep(Write::ForgetCommand(command.id)));
    state.commands.answered(command.id, None);
    give_words_back(state, state.present(command.conversation), &command.act);
    state.toast(Tone::Bad, "not delivered in ten minutes: look into the thread before you send it again");
}

fn done(state: &mut State, command: &Command, epoch: Epoch, last_bot_word: Option<(MessageId, Option<Micros>)>) {
    let (now, me, id) = (state.now, state.my_id(), command.conversation);
    // What follows at once must carry the new epoch, even before the server's row is here.
    state.queue.amend(id, |row| {
        if row.epoch < epoch {
            row.epoch = epoch;
            if let Some(control) = hands::after(&command.act, row, me, now) {
                row.control = control;
            }
        }
    });
    if let Some(thread) = state.threads.get_mut(&id)
        && is_take(&command.act, me)
    {
        thread.last_bot_word = last_bot_word;
    }
    if let Some(sentence) = thanks(&command.act, is_take(&command.act, me), last_bot_word.is_some()) {
        state.toast(Tone::Done, sentence);
        if hands::passes(&command.act) {
            state.toasts.about(id);
        }
    }
    if let Act::SendFile { file, .. } = command.act {
        attach::done(state, file);
    }
    if let Act::Cancel { message } = command.act {
        words_of_cancelled(state, id, message);
    }
    if matches!(command.act, Act::HandBack { .. }) {
        let composer = state.composer(id);
        for slot in [Slot::HandBack, Slot::Promised] {
            composer.edit(slot, now, Editor::take);
        }
    }
}

/// What I wrote and stopped comes back, for whoever wants to say it better.
fn words_of_cancelled(state: &mut State, conversation: ConversationId, message: MessageId) {
    let (now, me) = (state.now, state.my_id());
    let said = state.threads.get(&conversation).and_then(|thread| thread.get(message));
    let mine = said.filter(|said| said.author == Author::Agent && said.agent == me && me.is_some());
    let Some(text) = mine.map(|said| said.text.as_str().to_owned()).filter(|text| !text.trim().is_empty()) else {
        return;
    };
    let composer = state.composer(conversation);
    let place = if composer.is_empty(Slot::Reply) { "in the composer" } else { "in the stash" };
    composer.give_back(Slot::Reply, &text, now);
    state.toast(Tone::Done, format!("it will not be sent; its text is {place}"));
}

fn thanks(act: &Act, is_take: bool, bot_spoke: bool) -> Option<&'static str> {
    match act {
        _ if is_take && bot_spoke => Some("yours; the bot's last word was already on its way and goes before yours"),
        _ if is_take => Some("yours; the bot is silent"),
        Act::Assign { .. } => Some("given away"),
        Act::Release { .. } => Some("back in the queue, with its age"),
        Act::HandBack { note, .. } if note.is_empty() => Some("the bot has it again"),
        Act::HandBack { .. } => Some("the bot has it again, with your note"),
        Act::Resolve { .. } => Some("resolved"),
        Act::Escalate { .. } => Some("in the queue: a person will answer"),
        Act::Thread { .. } => Some("asking WhatsApp for the thread"),
        Act::Block { blocked: true, .. } => Some("asking WhatsApp to block the customer"),
        Act::Block { blocked: false, .. } => Some("asking WhatsApp to unblock the customer"),
        Act::Forget {} => Some("the bot has forgotten it"),
        Act::Split { .. } => Some("two customers again; the other one waits in the queue"),
        Act::Resend { .. } => Some("on its way again"),
        Act::Cancel { .. } => Some("it will not be sent"),
        Act::DropProposal { .. } => Some("proposal put away"),
        Act::React { .. } => Some("reaction on its way"),
        Act::Consent { granted: true, .. } => Some("on record: marketing is welcome"),
        Act::Consent { granted: false, .. } => Some("on record: no marketing"),
        Act::SendTemplate { .. } => Some("template on its way; it reaches them also while the window is closed"),
        Act::SendWhenTheyWrite { .. } => Some("it waits, and goes out when they write if you have them then"),
        Act::Note { .. } => Some("note kept, for colleagues only"),
        Act::Take { .. }
        | Act::Send { .. }
        | Act::SendParts { .. }
        | Act::SendFile { .. }
        | Act::SendOffer { .. }
        | Act::UseProposal { .. }
        | Act::Read { .. } => None,
    }
}

fn is_take(act: &Act, me: Option<baton_shared::AgentId>) -> bool {
    match act {
        Act::Take { .. } => true,
        Act::Assign { to, .. } => Some(*to) == me,
        _ => false,
    }
}

fn makes_message(act: &Act) -> bool {
    matches!(
        act,
        Act::Send { .. }
            | Act::SendWhenTheyWrite { .. }
            | Act::SendParts { .. }
            | Act::SendFile { .. }
            | Act::SendOffer { .. }
            | Act::Note { .. }
            | Act::UseProposal { .. }
    )
}

/// Nothing was sent: the customer's new words come on screen, and mine back into the composer.
fn wrote_meanwhile(state: &mut State, command: Command, newest: MessageId) {
    give_words_back(state, command.conversation, &command.act);
    state.composer(command.conversation).in_spite_of = Some(newest);
    if state.open == Some(command.conversation) {
        with_thread(state, |thread, height, manner| match thread.get(newest) {
            Some(_) => thread.show(newest, height, manner),
            None => thread.to_end(),
        });
    }
    let name = state.queue.get(command.conversation).map(|row| row.customer.clone()).unwrap_or_default();
    let sheet = match command.act {
        Act::SendFile { .. } => state.given.keymap.hint(Action::Attach),
        Act::SendOffer { .. } => state.given.keymap.hint(Action::Offer),
        _ => None,
    };
    let again = sheet.map_or("Enter again to send".to_owned(), |key| format!("{key} and Enter send it all the same"));
    state.toast(Tone::Warn, format!("{name} wrote meanwhile; {again}"));
}

fn refused(state: &mut State, command: Command, why: &str) {
    give_words_back(state, command.conversation, &command.act);
    let label = label(&command.act);
    // The server's sentence may end here, or go on.
    let sentence = match has_words(&command.act) {
        true => format!("{label}: {}; your text is kept", why.trim_end_matches('.')),
        false => format!("{label}: {why}"),
    };
    state.toast(Tone::Bad, sentence);
}

fn give_words_back(state: &mut State, conversation: ConversationId, act: &Act) {
    match act {
        Act::SendFile { file, caption, .. } => return attach::give_back(state, conversation, *file, caption),
        Act::SendOffer { offer, .. } => return offer::give_back(state, conversation, offer),
        _ => {}
    }
    let now = state.now;
    let composer = state.composer(conversation);
    match act {
        Act::Send { text, reply_to, .. } | Act::SendParts { text, reply_to, .. } => {
            composer.give_back(Slot::Reply, text, now);
            composer.reply_to = *reply_to;
        }
        Act::SendWhenTheyWrite { text, .. } => composer.give_back(Slot::Reply, text, now),
        Act::Note { text } => composer.give_back(Slot::Note, text, now),
        Act::UseProposal { text, proposal, .. } => {
            let was_empty = composer.is_empty(Slot::Reply);
            composer.give_back(Slot::Reply, text, now);
            if was_empty {
                composer.proposal = Some(*proposal);
            }
        }
        // These texts stay in their sheet until it worked.
        Act::HandBack { .. }
        | Act::Take { .. }
        | Act::Assign { .. }
        | Act::Release { .. }
        | Act::Resolve { .. }
        | Act::Escalate { .. }
        | Act::Split { .. }
        | Act::Forget {}
        | Act::Thread { .. }
        | Act::Block { .. }
        | Act::Resend { .. }
        | Act::Cancel { .. }
        | Act::React { .. }
        | Act::SendFile { .. }
        | Act::SendOffer { .. }
        | Act::SendTemplate { .. }
        | Act::Consent { .. }
        | Act::DropProposal { .. }
        | Act::Read { .. } => {}
    }
}

fn has_words(act: &Act) -> bool {
    makes_message(act) || matches!(act, Act::HandBack { .. })
}

const fn label(act: &Act) -> &'static str {
    match act {
        Act::Take { .. } => "not taken",
        Act::Assign { .. } => "not given",
        Act::Release { .. } => "not released",
        Act::HandBack { .. } => "not handed back",
        Act::Resolve { .. } => "not resolved",
        Act::Escalate { .. } => "not escalated",
        Act::Split { .. } => "not split",
        Act::Forget {} => "not forgotten",
        Act::Thread { .. } => "not asked",
        Act::Block { .. } => "not blocked",
        Act::Send { .. }
        | Act::SendWhenTheyWrite { .. }
        | Act::SendParts { .. }
        | Act::SendFile { .. }
        | Act::SendOffer { .. }
        | Act::UseProposal { .. }
        | Act::React { .. }
        | Act::SendTemplate { .. } => "not sent",
        Act::Consent { .. } => "not recorded",
        Act::Note { .. } => "note not kept",
        Act::Resend { .. } => "not sent again",
        Act::Cancel { .. } => "not stopped",
        Act::DropProposal { .. } => "not put away",
        Act::Read { .. } => "not marked as read",
    }
}
