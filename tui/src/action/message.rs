//! One message: copy it, see it as it came, send it again, keep it from going out.

use baton_shared::protocol::Act;

use super::{give, with_thread};
use crate::{
    event::{Effect, Effects},
    state::{
        Pane, State,
        known::Said,
        overlay::{Overlay, React},
        thread::{Entry, Thread},
        toast::Tone,
    },
    text::Clean,
    words,
};

/// Messages that one copy of a thread holds at most.
const COPIED_MAX: usize = 200;

/// Longest message shown as it came.
const RAW_MAX: usize = 64 * 1024;

pub(super) fn copy(state: &mut State, out: &mut Effects) {
    let Some(text) = chosen(state).map(|said| said.text.clone()) else { return };
    out.push(Effect::Copy(text));
    state.toast(Tone::Done, "message copied");
}

pub(super) fn copy_thread(state: &mut State, out: &mut Effects) {
    let Some(thread) = state.open_thread() else { return };
    let first = thread.entries().len().saturating_sub(COPIED_MAX);
    let lines: Vec<String> =
        thread.entries()[first..].iter().filter_map(Entry::said).map(|said| line(state, said)).collect();
    let count = lines.len();
    out.push(Effect::Copy(Clean::from_untrusted(&lines.join("\n"))));
    state.toast(Tone::Done, format!("{} copied", words::count(count, "message")));
}

fn line(state: &State, said: &Said) -> String {
    let who = said.agent.map_or(Clean::from_static(said.author.word()), |agent| state.name(agent));
    let at = words::moment(said.at, baton_shared::Micros::ZERO, &state.given.zone);
    format!("{at} {who}: {}", said.shown())
}

/// As it came, with everything that was made harmless written out.
pub(super) fn raw(state: &mut State) {
    let Some(said) = chosen(state) else { return };
    let raw = said.raw.as_deref().unwrap_or(said.text.as_str());
    let shown: String = raw.chars().take(RAW_MAX).map(visible).collect();
    state.overlays.push(Overlay::Raw { text: Clean::from_untrusted(&shown), scroll: 0 });
}

/// Letters as they are; what cannot be seen, or steers a terminal, as its code point.
fn visible(letter: char) -> String {
    match letter {
        '\n' => "\\n\n".into(),
        ' '..='~' => letter.to_string(),
        _ if letter.is_alphanumeric() => letter.to_string(),
        _ => format!("\\u{{{:x}}}", u32::from(letter)),
    }
}

pub(super) fn resend(state: &mut State) {
    let trouble = state.open_thread().and_then(Thread::trouble).map(|said| said.id);
    if let (Some(conversation), Some(message)) = (state.open, trouble) {
        state.overlays.push(Overlay::Resend { conversation, message });
    }
}

pub(super) fn cancel(state: &mut State, out: &mut Effects) {
    let unsent = state.open_thread().and_then(Thread::unsent).map(|said| said.id);
    if let (Some(conversation), Some(message)) = (state.open, unsent) {
        give(state, conversation, Act::Cancel { message }, out);
    }
}

/// The message under the cursor, or the newest.
pub(super) fn chosen(state: &State) -> Option<&Said> {
    state.open_thread().and_then(Thread::chosen)
}

pub(super) fn chosen_file(state: &State) -> Option<&Said> {
    state.open_thread().and_then(Thread::chosen_file)
}

pub(super) fn react(state: &mut State) {
    let (Some(conversation), Some(message)) = (state.open, chosen(state).map(|said| said.id)) else { return };
    state.overlays.push(Overlay::React(React { conversation, message, at: 0 }));
}

/// Puts the cursor on the message that this one replies to.
pub(super) fn quoted(state: &mut State) {
    let Some(quoted) = chosen(state).and_then(|said| said.quoted) else { return };
    if state.open_thread().is_none_or(|thread| thread.get(quoted).is_none()) {
        state.toast(Tone::Info, "it stands further up than what is loaded: scroll up, then try again");
        return;
    }
    state.focus = Pane::Chat;
    with_thread(state, |thread, height, manner| thread.show(quoted, height, manner));
}
