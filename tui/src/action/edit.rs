//! Keys that are text: for the composer, and for the fields of overlays.

use std::time::Duration;

use baton_shared::ConversationId;
use crossterm::event::KeyCode;

use super::{offer, thread, with_thread};
use crate::{
    composer::Editor,
    event::Effects,
    keys::{Action, Chord},
    local::Slot,
    state::{Mode, State, layout::Layout, overlay::Overlay, toast::Tone},
};

/// After the last key one still counts as typing.
const TYPING: Duration = Duration::from_secs(4);

/// A key in the composer that no action has.
pub(super) fn key(state: &mut State, chord: Chord, _out: &mut Effects) {
    match chord.code {
        KeyCode::PageUp => return thread::half_page(state, -1),
        KeyCode::PageDown => return thread::half_page(state, 1),
        _ => {}
    }
    let width = Layout::of(state).chat.map_or(1, |chat| usize::from(chat.editor.width));
    let mut is_at_edge = false;
    write(state, |editor| is_at_edge = !apply(editor, chord, width));
    // Up from the first line goes on in the thread.
    if is_at_edge && chord.code == KeyCode::Up {
        with_thread(state, |thread, height, manner| thread.scroll(-1, height, manner));
    }
}

/// Applies an editing key; false if there was nowhere to move.
pub(super) fn apply(editor: &mut Editor, chord: Chord, width: usize) -> bool {
    let Chord { code, ctrl, alt, shift } = chord;
    match code {
        KeyCode::Char('a') if ctrl => editor.line_start(false),
        KeyCode::Char('e') if ctrl => editor.line_end(false),
        KeyCode::Char('b') if ctrl => editor.left(false),
        KeyCode::Char('f') if ctrl => editor.right(false),
        KeyCode::Char('h') if ctrl => editor.backspace(),
        KeyCode::Char('d') if ctrl => editor.delete(),
        KeyCode::Char('k') if ctrl => editor.kill_to_line_end(),
        KeyCode::Char('u') if ctrl => editor.kill_to_line_start(),
        KeyCode::Char('w') if ctrl => editor.kill_word_left(),
        KeyCode::Char('v') if ctrl => editor.yank(),
        KeyCode::Char('b') if alt => editor.word_left(false),
        KeyCode::Char('f') if alt => editor.word_right(false),
        KeyCode::Backspace if alt || ctrl => editor.kill_word_left(),
        KeyCode::Char(letter) if !ctrl && !alt => editor.insert(letter.encode_utf8(&mut [0; 4])),
        KeyCode::Backspace => editor.backspace(),
        KeyCode::Delete => editor.delete(),
        KeyCode::Left if alt || ctrl => editor.word_left(shift),
        KeyCode::Right if alt || ctrl => editor.word_right(shift),
        KeyCode::Left => editor.left(shift),
        KeyCode::Right => editor.right(shift),
        KeyCode::Home if ctrl => editor.start(shift),
        KeyCode::End if ctrl => editor.end(shift),
        KeyCode::Home => editor.line_start(shift),
        KeyCode::End => editor.line_end(shift),
        KeyCode::Up => return editor.up(width, shift),
        KeyCode::Down => return editor.down(width, shift),
        _ => {}
    }
    true
}

pub(super) fn newline(state: &mut State) {
    write(state, Editor::newline);
}

pub(super) fn undo(state: &mut State) {
    let mut undone = false;
    write(state, |editor| undone = editor.undo());
    if !undone {
        state.toast(Tone::Info, "nothing to undo");
    }
}

pub(super) fn redo(state: &mut State) {
    write(state, |editor| {
        editor.redo();
    });
}

/// The terminal says that this was pasted: line ends in it are line ends.
pub(super) fn pasted(state: &mut State, text: &str) {
    state.marks_pastes = true;
    if let Some(Overlay::File(sheet)) = state.overlays.last_mut() {
        let (conversation, slot) = (sheet.conversation, sheet.field.slot().unwrap_or(Slot::File));
        sheet.typed(slot);
        let (now, line) = (state.now, text.lines().next().unwrap_or_default());
        return state.composer(conversation).edit(slot, now, |editor| editor.insert(line));
    }
    if let Some(Overlay::Offer(sheet)) = state.overlays.last().cloned() {
        let sheet = offer::pasted(state, sheet, text);
        state.overlays.pop();
        return state.overlays.push(Overlay::Offer(sheet));
    }
    if let Some(overlay) = state.overlays.last_mut() {
        return paste_into(overlay, text);
    }
    match state.mode {
        Mode::Compose => {
            let mut lines = 0;
            write(state, |editor| lines = editor.paste(text));
            state.pasted = Some(state.pasted.unwrap_or(0).max(lines));
        }
        Mode::Filter => {
            let filter = format!("{}{}", state.queue.filter, text.lines().next().unwrap_or_default().to_lowercase());
            state.queue.set_filter(filter);
        }
        Mode::Normal => state.toast(Tone::Warn, "a paste is text: begin a reply or a note first"),
    }
}

fn paste_into(overlay: &mut Overlay, text: &str) {
    let line = text.lines().next().unwrap_or_default();
    match overlay {
        Overlay::Help(picker) | Overlay::Palette(picker) => picker.typed.insert(line),
        Overlay::Take(take) => take.reason.insert(line),
        Overlay::Assign(assign) => assign.reason.insert(line),
        Overlay::Consent(consent) => consent.proof.insert(line),
        Overlay::Save(save) => {
            save.path.insert(line);
            save.replace = false;
        }
        Overlay::Template(sheet) => match &mut sheet.filling {
            Some(filling) => {
                if let Some(value) = filling.values.get_mut(filling.at) {
                    value.insert(line);
                }
            }
            None => sheet.picker.typed.insert(line),
        },
        Overlay::Context { .. }
        | Overlay::Link(_)
        | Overlay::Preview(_)
        | Overlay::File(_)
        | Overlay::Offer(_)
        | Overlay::HandBack(_)
        | Overlay::Resolve(_)
        | Overlay::Resend { .. }
        | Overlay::Split { .. }
        | Overlay::Forget { .. }
        | Overlay::Board(_)
        | Overlay::Block { .. }
        | Overlay::Raw { .. }
        | Overlay::React(_)
        | Overlay::Quit => {}
    }
}

/// Notes when a key came; whether it is too quick to be typed.
pub(super) fn is_burst(state: &mut State) -> bool {
    let is_quick = state.burst.key(Duration::from_micros(u64::try_from(state.now.0).unwrap_or(0)));
    is_quick && !state.marks_pastes
}

/// A key of a paste that the terminal did not announce: Enter and letters are text. Returns whether
/// it was one of these.
pub(super) fn pasted_key(state: &mut State, chord: Chord) -> bool {
    match chord.code {
        KeyCode::Enter => {
            write(state, Editor::newline);
            state.pasted = Some(state.pasted.unwrap_or(1) + 1);
            let key = state.given.keymap.hint(Action::Send).unwrap_or_default();
            state.toast(Tone::Warn, format!("not sent: it came in all at once, as pastes do; {key} again sends it"));
            true
        }
        KeyCode::Char(letter) if !chord.ctrl && !chord.alt => {
            write(state, |editor| editor.insert(letter.encode_utf8(&mut [0; 4])));
            true
        }
        _ => false,
    }
}

/// The person's own editor was closed.
pub(super) fn came_back(state: &mut State, conversation: ConversationId, slot: Slot, text: Option<String>) {
    let now = state.now;
    let Some(text) = text else {
        return state.toast(Tone::Bad, "your editor left nothing behind; the text is as it was");
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    state.composer(conversation).edit(slot, now, |editor| editor.replace(text));
}

fn write(state: &mut State, change: impl FnOnce(&mut Editor)) {
    let (now, Some(conversation)) = (state.now, state.open) else { return };
    let composer = state.composer(conversation);
    composer.edit(composer.slot, now, change);
    state.typing_until = now.plus(TYPING);
}
