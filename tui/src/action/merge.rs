//! Two conversations that became one, and one that became two.

use baton_shared::{ConversationId, protocol::Event};

use super::queue;
use crate::{
    event::{Effect, Effects},
    local::{Desk, Slot, Write},
    net::Request,
    state::{State, overlay::Overlay, toast::Tone},
};

/// Asks before it splits.
pub(super) fn ask(state: &mut State) {
    let Some(conversation) = state.current_id() else { return };
    state.overlays.push(Overlay::Split { conversation });
}

/// An event may say that two became one, or one two: what is open follows.
pub(super) fn tell(state: &mut State, event: &Event, out: &mut Effects) {
    let Some(conversation) = event.conversation else { return };
    match event.kind.as_str() {
        "merged" => {
            let Some(gone) = event.detail.as_deref().and_then(|id| id.parse().ok()) else { return };
            let news = news(state, event, gone);
            follow(state, gone, conversation, out);
            if let Some((tone, sentence)) = news {
                state.news.lost += usize::from(tone == Tone::Warn);
                state.toast(tone, sentence);
            }
        }
        "split" => {
            state.merged.retain(|gone, _| *gone != conversation);
            look_again(state, conversation, out);
        }
        _ => {}
    }
}

/// As it looks to this person, before anything has moved.
fn news(state: &State, event: &Event, gone: ConversationId) -> Option<(Tone, String)> {
    let (into, me) = (event.conversation?, state.my_id());
    let was_mine = |id| state.queue.get(id).is_some_and(|row| state.is_mine(row));
    let matters = was_mine(gone) || was_mine(into) || state.open == Some(gone) || state.open == Some(into);
    let row = state.queue.get(into)?;
    let name = &row.customer;
    if event.agent.is_some() && event.agent == me {
        let owner = state.owner_words(&row.control);
        let has_text = state.composers.get(&gone).is_some_and(|composer| composer.has_draft());
        let kept = if has_text { "; your text is kept" } else { "" };
        return Some((Tone::Warn, format!("your conversation and another one are both with {name}: {owner}{kept}")));
    }
    matters.then(|| (Tone::Info, format!("two conversations were both with {name}: they are one now")))
}

/// What is open, typed and under way in the one is in the other from now on.
pub(super) fn follow(state: &mut State, gone: ConversationId, into: ConversationId, out: &mut Effects) {
    state.merged.insert(gone, into);
    state.merged.remove(&into);
    state.commands.follow(gone, into);
    take_texts(state, gone, into, out);
    let was_open = state.open == Some(gone);
    if state.followed.contains(&gone) {
        state.followed.retain(|followed| *followed != gone);
        out.push(Effect::Net(Request::Close(gone)));
    }
    state.threads.remove(&gone);
    state.queue.remove(gone);
    look_again(state, into, out);
    if was_open {
        let (focus, mode, slot) = (state.focus, state.mode, state.composer(into).slot);
        queue::open(state, into, out);
        (state.focus, state.mode) = (focus, mode);
        state.composer(into).slot = slot;
    }
}

/// A thread on screen is not what it was: all of it is asked for anew.
fn look_again(state: &mut State, conversation: ConversationId, out: &mut Effects) {
    if let Some(thread) = state.threads.get_mut(&conversation) {
        thread.outdated = true;
    }
    if state.followed.contains(&conversation) {
        out.push(Effect::Net(Request::Open(conversation)));
    }
}

/// On disk they are there before they are here no more.
fn take_texts(state: &mut State, gone: ConversationId, into: ConversationId, out: &mut Effects) {
    let Some(left) = state.composers.remove(&gone) else { return };
    let now = state.now;
    let slot = left.slot;
    let composer = state.composer(into);
    let desk = left.desk();
    if desk.is_empty() {
        return;
    }
    for (slot, kept) in desk.texts {
        composer.give_back(slot, &kept.text, now);
    }
    for text in desk.stash {
        composer.stash_text(Slot::Reply, text, now);
    }
    composer.slot = slot;
    out.extend(composer.due(into, now, true).map(Effect::Keep));
    out.push(Effect::Keep(Write::Desk { conversation: gone, desk: Desk::default(), slot: Slot::Reply }));
}

#[cfg(test)]
mod tests {
    use baton_shared::{
        Control,
        protocol::{self, Act, Events, Merged, Row, ServerFrame, Thread},
    };

    use crate::{
        event::Effect,
        fixture::*,
        local::{Slot, Write},
        net::Request,
        state::{Mode, overlay::Overlay},
    };

    const SIZE: (u16, u16) = (120, 36);

    /// Marina's conversation went into João's; `lost_by` had it.
    fn merged(lost_by: Option<u64>) -> ServerFrame {
        let event = protocol::Event {
            kind: "merged".into(),
            at: NOW,
            conversation: Some(conversation(JOAO)),
            message: None,
            agent: lost_by.map(agent),
            detail: Some(conversation(MARINA).to_string()),
        };
        let row = Row { version: 9, ..rows().remove(2) };
        let row = match lost_by {
            Some(_) => Row { control: Control::Agent { agent: agent(LEO), since: ago(900) }, ..row },
            None => row,
        };
        ServerFrame::Events(Events {
            events: vec![event],
            rows: vec![row],
            gone: vec![conversation(MARINA)],
            ..no_events(NOW)
        })
    }

    #[test]
    fn promise_9_what_was_typed_goes_where_the_conversation_goes() {
        let mut inbox = Inbox::with_marina(SIZE);
        inbox.press("i");
        inbox.types("Cai em");
        let effects = inbox.server(merged(None));
        assert_eq!((inbox.state.open, inbox.state.mode), (Some(conversation(JOAO)), Mode::Compose));
        assert_eq!(inbox.written(), "Cai em");
        assert!(effects.contains(&Effect::Net(Request::Open(conversation(JOAO)))));
        // On disk it is there before it is here no more.
        let desks = effects.iter().filter_map(|effect| match effect {
            Effect::Keep(Write::Desk { conversation, desk, .. }) => Some((*conversation, desk.is_empty())),
            _ => None,
        });
        assert_eq!(desks.collect::<Vec<_>>(), [(conversation(JOAO), false), (conversation(MARINA), true)]);
        assert!(inbox.toast().contains("they are one now"), "{}", inbox.toast());
        inbox.types(" dois");
        assert_eq!(inbox.written(), "Cai em dois");
    }

    #[test]
    fn two_texts_are_both_kept() {
        let mut inbox = Inbox::with_marina(SIZE);
        let now = inbox.state.now;
        inbox.state.composer(conversation(JOAO)).edit(Slot::Reply, now, |editor| editor.insert("for João"));
        inbox.press("i");
        inbox.types("for Marina");
        inbox.server(merged(None));
        assert_eq!(inbox.written(), "for João");
        assert_eq!(inbox.state.composer(conversation(JOAO)).stash, ["for Marina"]);
    }

    #[test]
    fn whoever_loses_it_is_told() {
        let mut inbox = Inbox::with_marina(SIZE);
        inbox.press("i");
        inbox.types("Cai em");
        inbox.server(merged(Some(ANA)));
        let toast = inbox.toast();
        assert!(toast.contains("Leo Duarte has it") && toast.contains("your text is kept"), "{toast}");
    }

    #[test]
    fn a_conversation_that_went_while_nobody_listened_is_followed() {
        let mut inbox = Inbox::with_marina(SIZE);
        inbox.server(ServerFrame::Merged { gone: conversation(MARINA), into: conversation(JOAO) });
        assert_eq!(inbox.state.open, Some(conversation(JOAO)));
    }

    #[test]
    fn it_is_split_after_a_question() {
        let mut inbox = Inbox::with_marina(SIZE);
        inbox.press("D");
        assert!(inbox.toast().contains("nothing was merged"), "{}", inbox.toast());
        let mut thread: Thread = marina();
        thread.card.version = 9;
        thread.card.merged = Some(Merged { at: ago(600), handle: "+55 ***4821".into(), messages: 3 });
        inbox.server(ServerFrame::Thread(Box::new(thread)));
        inbox.press("D");
        assert!(matches!(inbox.state.overlays.last(), Some(Overlay::Split { .. })));
        let effects = inbox.press("enter");
        let given = effects.iter().any(|effect| matches!(effect, Effect::Keep(Write::Command(one)) if matches!(one.command.act, Act::Split { .. })));
        assert!(given, "{effects:?}");
    }
}
