//! What lies over the inbox: its keys.

use baton_shared::protocol::Act;
use crossterm::event::KeyCode;

use super::{attach, control, draft, edit, file, give, offer, perform, quit as leave, template};
use crate::{
    composer::Editor,
    event::Effects,
    keys::{Action, Chord, EDITING},
    local::Slot,
    state::{
        State,
        overlay::{
            Assign, Board, Consent, Field, OUTCOMES, Overlay, Picker, REACTIONS, React, SHEET_WIDTH, Sheet, Take,
        },
        toast::Tone,
    },
};

/// Wide enough for any line that is typed into an overlay.
pub(super) const LINE: usize = 10_000;

pub(super) fn help(state: &mut State) {
    state.overlays.push(Overlay::Help(Picker::default()));
}

pub(super) fn palette(state: &mut State) {
    state.overlays.push(Overlay::Palette(Picker::default()));
}

/// Leaves, unless something is on its way or somebody waits for me: then it asks.
pub(super) fn quit(state: &mut State, out: &mut Effects) {
    draft::keep_all(state, out);
    if state.commands.unsent() > 0 || state.queue.mine() > 0 || !state.bringing.is_empty() {
        state.overlays.push(Overlay::Quit);
    } else {
        leave(state, out);
    }
}

/// The topmost overlay gets the key.
pub(super) fn key(state: &mut State, chord: Chord, out: &mut Effects) {
    let Some(overlay) = state.overlays.pop() else { return };
    if chord.code == KeyCode::Esc {
        return;
    }
    let stays = match overlay {
        Overlay::Help(picker) => help_key(picker, chord),
        Overlay::Palette(picker) => palette_key(state, picker, chord, out),
        Overlay::Context { scroll } => scrolled(chord, scroll).map(|scroll| Overlay::Context { scroll }),
        Overlay::Raw { text, scroll } => scrolled(chord, scroll).map(|scroll| Overlay::Raw { text, scroll }),
        Overlay::Take(take) => take_key(state, take, chord, out),
        Overlay::HandBack(sheet) => hand_back_key(state, sheet, chord, out),
        Overlay::Resolve(sheet) => resolve_key(state, sheet, chord, out),
        Overlay::Assign(assign) => assign_key(state, assign, chord, out),
        Overlay::Resend { conversation, message } => match chord.code {
            KeyCode::Enter => {
                let epoch = state.queue.get(conversation).map(|row| row.epoch);
                if let Some(epoch) = epoch {
                    give(state, conversation, Act::Resend { epoch, message }, out);
                }
                None
            }
            _ => Some(Overlay::Resend { conversation, message }),
        },
        Overlay::Board(board) => scrolled(chord, board.scroll).map(|scroll| Overlay::Board(Board { scroll, ..board })),
        Overlay::Block { conversation, blocked } => match chord.code {
            KeyCode::Enter => {
                if let Some(epoch) = state.queue.get(conversation).map(|row| row.epoch) {
                    give(state, conversation, Act::Block { epoch, blocked }, out);
                }
                None
            }
            _ => Some(Overlay::Block { conversation, blocked }),
        },
        Overlay::Split { conversation } => match chord.code {
            KeyCode::Enter => {
                if let Some(epoch) = state.queue.get(conversation).map(|row| row.epoch) {
                    give(state, conversation, Act::Split { epoch }, out);
                }
                None
            }
            _ => Some(Overlay::Split { conversation }),
        },
        Overlay::Forget { conversation } => match chord.code {
            KeyCode::Enter => {
                give(state, conversation, Act::Forget {}, out);
                None
            }
            _ => Some(Overlay::Forget { conversation }),
        },
        Overlay::Template(sheet) => template::key(state, sheet, chord, out),
        Overlay::File(sheet) => attach::key(state, sheet, chord, out),
        Overlay::Offer(sheet) => offer::key(state, sheet, chord, out),
        Overlay::React(react) => react_key(state, react, chord, out),
        Overlay::Save(save) => file::save_key(state, save, chord, out),
        Overlay::Preview(preview) => match chord.code {
            KeyCode::Enter | KeyCode::Char('p' | 'q') => None,
            _ => Some(Overlay::Preview(preview)),
        },
        Overlay::Link(url) => (chord.code != KeyCode::Enter).then_some(Overlay::Link(url)),
        Overlay::Consent(consent) => consent_key(state, consent, chord, out),
        Overlay::Quit => match chord.code {
            KeyCode::Char('y') | KeyCode::Enter => {
                leave(state, out);
                None
            }
            KeyCode::Char('n' | 'q') => None,
            _ => Some(Overlay::Quit),
        },
    };
    state.overlays.extend(stays);
}

fn help_key(picker: Picker, chord: Chord) -> Option<Overlay> {
    // `?` again closes what it opened.
    if chord.code == KeyCode::Char('?') && picker.typed.is_empty() || chord.code == KeyCode::Enter {
        return None;
    }
    let found = picker.actions().len() + EDITING.len();
    Some(Overlay::Help(picked(picker, chord, found)))
}

fn palette_key(state: &mut State, picker: Picker, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    let found = picker.actions();
    if chord.code == KeyCode::Enter {
        // `:q` is older than all of us.
        let action = if picker.typed.text() == "q" { Some(Action::Quit) } else { found.get(picker.at).copied() };
        match action {
            Some(action) => perform(state, action, out),
            None => state.toast(Tone::Warn, "there is no such action"),
        }
        return None;
    }
    if chord.code == KeyCode::Backspace && picker.typed.is_empty() {
        return None;
    }
    Some(Overlay::Palette(picked(picker, chord, found.len())))
}

pub(super) fn consent(state: &mut State) {
    let Some(conversation) = state.current_id() else { return };
    let consent = Consent { conversation, granted: true, proof: Editor::default() };
    state.overlays.push(Overlay::Consent(consent));
}

fn consent_key(state: &mut State, mut consent: Consent, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    match chord.code {
        KeyCode::Tab | KeyCode::Up | KeyCode::Down => consent.granted = !consent.granted,
        KeyCode::Enter if consent.proof.text().trim().is_empty() => {
            state.toast(Tone::Warn, "say how they agreed or refused: it is kept as the proof");
        }
        KeyCode::Enter => {
            let proof = consent.proof.text().trim().to_owned();
            give(state, consent.conversation, Act::Consent { granted: consent.granted, proof }, out);
            return None;
        }
        _ => {
            edit::apply(&mut consent.proof, chord, LINE);
        }
    }
    Some(Overlay::Consent(consent))
}

fn react_key(state: &mut State, mut react: React, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    let count = REACTIONS.len();
    match chord.code {
        KeyCode::Right | KeyCode::Down | KeyCode::Char('l' | 'j') | KeyCode::Tab => react.at = (react.at + 1) % count,
        KeyCode::Left | KeyCode::Up | KeyCode::Char('h' | 'k') => react.at = (react.at + count - 1) % count,
        KeyCode::Char(digit @ '1'..='7') => react.at = digit as usize - '1' as usize,
        KeyCode::Enter => {
            let epoch = state.queue.get(react.conversation)?.epoch;
            let emoji = REACTIONS[react.at].0.to_owned();
            give(state, react.conversation, Act::React { epoch, message: react.message, emoji }, out);
            return None;
        }
        _ => {}
    }
    Some(Overlay::React(react))
}

/// Up and down move, everything else types and begins at the top again.
pub(super) fn picked(mut picker: Picker, chord: Chord, count: usize) -> Picker {
    let last = count.saturating_sub(1);
    match chord.code {
        KeyCode::Down | KeyCode::Tab => picker.at = (picker.at + 1).min(last),
        KeyCode::Up => picker.at = picker.at.saturating_sub(1),
        KeyCode::Char('n') if chord.ctrl => picker.at = (picker.at + 1).min(last),
        KeyCode::Char('p') if chord.ctrl => picker.at = picker.at.saturating_sub(1),
        KeyCode::PageDown => picker.at = (picker.at + 10).min(last),
        KeyCode::PageUp => picker.at = picker.at.saturating_sub(10),
        _ => {
            let before = picker.typed.text().len();
            edit::apply(&mut picker.typed, chord, LINE);
            if picker.typed.text().len() != before {
                picker.at = 0;
            }
        }
    }
    picker
}

fn scrolled(chord: Chord, scroll: usize) -> Option<usize> {
    match chord.code {
        KeyCode::Down | KeyCode::Char('j') => Some(scroll.saturating_add(1)),
        KeyCode::Up | KeyCode::Char('k') => Some(scroll.saturating_sub(1)),
        KeyCode::PageDown => Some(scroll.saturating_add(10)),
        KeyCode::PageUp => Some(scroll.saturating_sub(10)),
        KeyCode::Home | KeyCode::Char('g') => Some(0),
        _ => None,
    }
}

fn take_key(state: &mut State, mut take: Take, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    match (chord.code, take.owner) {
        (KeyCode::Enter, Some(_)) if take.reason.text().trim().is_empty() => {
            state.toast(Tone::Warn, "a reason is needed: it is told to its owner and kept");
            Some(Overlay::Take(take))
        }
        (KeyCode::Enter, _) => {
            control::take_confirmed(state, &take, out);
            None
        }
        // It is open: watching is all that is left.
        (KeyCode::Char('w'), None) => None,
        (_, Some(_)) => {
            edit::apply(&mut take.reason, chord, LINE);
            Some(Overlay::Take(take))
        }
        (_, None) => Some(Overlay::Take(take)),
    }
}

fn hand_back_key(state: &mut State, mut sheet: Sheet, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    if chord.code == KeyCode::Enter && !chord.alt && !chord.shift {
        let row = state.queue.get(sheet.conversation)?;
        let (epoch, outcome) = (row.epoch, OUTCOMES[sheet.outcome].0.to_owned());
        let note = text(state, &sheet, Slot::HandBack);
        let promised = text(state, &sheet, Slot::Promised);
        give(state, sheet.conversation, Act::HandBack { epoch, outcome, note, promised }, out);
        return None;
    }
    sheet_key(state, &mut sheet, chord);
    Some(Overlay::HandBack(sheet))
}

fn resolve_key(state: &mut State, mut sheet: Sheet, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    if chord.code == KeyCode::Enter {
        let epoch = state.queue.get(sheet.conversation)?.epoch;
        let outcome = OUTCOMES[sheet.outcome].0.to_owned();
        give(state, sheet.conversation, Act::Resolve { epoch, outcome }, out);
        return None;
    }
    choose_outcome(&mut sheet, chord);
    Some(Overlay::Resolve(sheet))
}

fn text(state: &State, sheet: &Sheet, slot: Slot) -> String {
    let editor = state.composers.get(&sheet.conversation).and_then(|composer| composer.editor(slot));
    editor.map(|editor| editor.text().trim().to_owned()).unwrap_or_default()
}

fn sheet_key(state: &mut State, sheet: &mut Sheet, chord: Chord) {
    match (chord.code, sheet.field.slot()) {
        (KeyCode::Tab, _) if chord.shift => sheet.field = sheet.field.previous(),
        (KeyCode::Tab, _) => sheet.field = sheet.field.next(),
        (_, None) => match chord.code {
            KeyCode::Up => sheet.field = Field::Promised,
            _ => choose_outcome(sheet, chord),
        },
        (_, Some(slot)) => {
            let is_newline = chord.code == KeyCode::Enter || chord.ctrl && chord.code == KeyCode::Char('j');
            let now = state.now;
            let moved = state.composer(sheet.conversation).edit(slot, now, |editor| {
                if is_newline {
                    editor.newline();
                    true
                } else {
                    edit::apply(editor, chord, SHEET_WIDTH)
                }
            });
            match chord.code {
                KeyCode::Down if !moved => sheet.field = sheet.field.next(),
                KeyCode::Up if !moved && sheet.field != Field::Note => sheet.field = sheet.field.previous(),
                _ => {}
            }
        }
    }
}

fn choose_outcome(sheet: &mut Sheet, chord: Chord) {
    let count = OUTCOMES.len();
    match chord.code {
        KeyCode::Right | KeyCode::Down | KeyCode::Char(' ' | 'j' | 'l') => sheet.outcome = (sheet.outcome + 1) % count,
        KeyCode::Left | KeyCode::Up | KeyCode::Char('k' | 'h') => sheet.outcome = (sheet.outcome + count - 1) % count,
        KeyCode::Char(digit @ '1'..='5') => sheet.outcome = digit as usize - '1' as usize,
        _ => {}
    }
}

fn assign_key(state: &mut State, mut assign: Assign, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    let people = assign.candidates(state);
    let row = state.queue.get(assign.conversation)?;
    let (epoch, is_mine) = (row.epoch, state.is_mine(row));
    match chord.code {
        KeyCode::Tab => assign.in_reason = !assign.in_reason,
        KeyCode::Down => assign.to = (assign.to + 1).min(people.len().saturating_sub(1)),
        KeyCode::Up => assign.to = assign.to.saturating_sub(1),
        KeyCode::Enter => {
            let reason = assign.reason.text().trim().to_owned();
            // The owner may give it away without a word; a supervisor may not.
            if reason.is_empty() && !is_mine {
                assign.in_reason = true;
                state.toast(Tone::Warn, "a reason is needed: it is told to both and kept");
                return Some(Overlay::Assign(assign));
            }
            let (to, _) = *people.get(assign.to)?;
            give(state, assign.conversation, Act::Assign { epoch, to, reason }, out);
            return None;
        }
        _ if assign.in_reason => {
            edit::apply(&mut assign.reason, chord, LINE);
        }
        KeyCode::Char('j') => assign.to = (assign.to + 1).min(people.len().saturating_sub(1)),
        KeyCode::Char('k') => assign.to = assign.to.saturating_sub(1),
        _ => {}
    }
    Some(Overlay::Assign(assign))
}
