//! Choices, links, questions, places and cards: first the kind, then its lines.

use baton_shared::{ConversationId, offer::Offer, protocol::Act};
use crossterm::event::KeyCode;

use super::{compose, edit, give};
use crate::{
    event::Effects,
    keys::{Action, Chord},
    local::Slot,
    state::{
        State,
        form::{Form, Kind},
        overlay::{OfferSheet, Overlay},
        toast::Tone,
    },
    text::Clean,
};

/// Cells of a form's lines.
pub(super) const WIDTH: usize = 50;

pub(super) fn begin(state: &mut State) {
    let Some(conversation) = state.current_id() else { return };
    let composer = state.composer(conversation);
    let kept = composer.editor(Slot::Offer).map(|editor| editor.text().to_owned()).unwrap_or_default();
    let (reply_to, form) = (composer.reply_to, Form::restored(&kept));
    state.overlays.push(Overlay::Offer(OfferSheet { conversation, reply_to, at: 0, form, trouble: None }));
}

pub(super) fn key(state: &mut State, mut sheet: OfferSheet, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    match sheet.form.take() {
        Some(form) => form_key(state, sheet, form, chord, out),
        None => {
            choose(&mut sheet, chord);
            Some(Overlay::Offer(sheet))
        }
    }
}

fn choose(sheet: &mut OfferSheet, chord: Chord) {
    let last = Kind::ALL.len() - 1;
    match chord.code {
        KeyCode::Down | KeyCode::Tab | KeyCode::Char('j') => sheet.at = (sheet.at + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => sheet.at = sheet.at.saturating_sub(1),
        KeyCode::Char(digit @ '1'..='8') => sheet.form = Some(Form::new(Kind::ALL[digit as usize - '1' as usize])),
        KeyCode::Enter => sheet.form = Some(Form::new(Kind::ALL[sheet.at.min(last)])),
        _ => {}
    }
}

fn form_key(
    state: &mut State,
    mut sheet: OfferSheet,
    mut form: Form,
    chord: Chord,
    out: &mut Effects,
) -> Option<Overlay> {
    let last = form.values.len().saturating_sub(1);
    let rows = form.kind.fields().get(form.at).map_or(1, |field| field.rows);
    match chord.code {
        KeyCode::Enter if !chord.alt && !chord.shift => return enter(state, sheet, form, out),
        KeyCode::Tab if chord.shift => form.at = form.at.saturating_sub(1),
        KeyCode::Tab => form.at = (form.at + 1).min(last),
        // Back to the kinds, from a form in which nothing is written.
        KeyCode::Backspace if form.is_empty() => {
            keep(state, &sheet, &form);
            return Some(Overlay::Offer(sheet));
        }
        _ => {
            if let Some(editor) = form.values.get_mut(form.at) {
                let is_newline = chord.code == KeyCode::Enter || chord.ctrl && chord.code == KeyCode::Char('j');
                let moved = match is_newline {
                    true if rows > 1 => {
                        editor.newline();
                        true
                    }
                    true => true,
                    false => edit::apply(editor, chord, WIDTH),
                };
                match chord.code {
                    KeyCode::Down if !moved => form.at = (form.at + 1).min(last),
                    KeyCode::Up if !moved => form.at = form.at.saturating_sub(1),
                    KeyCode::Down | KeyCode::Up => {}
                    _ => sheet.trouble = None,
                }
            }
        }
    }
    keep(state, &sheet, &form);
    sheet.form = Some(form);
    Some(Overlay::Offer(sheet))
}

fn enter(state: &mut State, mut sheet: OfferSheet, form: Form, out: &mut Effects) -> Option<Overlay> {
    let offer = form.offer();
    let epoch = state.queue.get(sheet.conversation).map(|row| row.epoch);
    match (offer.check(), Action::Offer.enabled(state), epoch) {
        (Ok(()), Ok(()), Some(epoch)) => {
            let (conversation, seen) = (sheet.conversation, compose::seen(state, sheet.conversation));
            // First the command, then the empty form: the disk never has neither.
            give(state, conversation, Act::SendOffer { epoch, offer, seen, reply_to: sheet.reply_to }, out);
            write(state, conversation, "");
            state.composer(conversation).reply_to = None;
            return None;
        }
        (Err(unfit), _, _) => sheet.trouble = Some(Clean::line(&unfit.to_string())),
        (_, Err(why), _) => state.toast(Tone::Warn, why.0),
        (_, _, None) => return None,
    }
    sheet.form = Some(form);
    Some(Overlay::Offer(sheet))
}

/// Pasted lines: all of them where there is room for more than one.
pub(super) fn pasted(state: &mut State, mut sheet: OfferSheet, text: &str) -> OfferSheet {
    if let Some(form) = &mut sheet.form {
        let rows = form.kind.fields().get(form.at).map_or(1, |field| field.rows);
        if let Some(editor) = form.values.get_mut(form.at) {
            match rows {
                1 => editor.insert(text.lines().next().unwrap_or_default()),
                _ => {
                    editor.paste(text);
                }
            }
        }
    }
    if let Some(form) = &sheet.form {
        keep(state, &sheet, form);
    }
    sheet
}

/// It was not sent: its lines come back.
pub(super) fn give_back(state: &mut State, conversation: ConversationId, offer: &Offer) {
    if let Some(form) = Form::of(offer)
        && state.composer(conversation).is_empty(Slot::Offer)
    {
        write(state, conversation, &form.kept());
    }
}

fn keep(state: &mut State, sheet: &OfferSheet, form: &Form) {
    write(state, sheet.conversation, &form.kept());
}

fn write(state: &mut State, conversation: ConversationId, text: &str) {
    let now = state.now;
    state.composer(conversation).edit(Slot::Offer, now, |editor| {
        if editor.text() != text {
            editor.replace(text);
        }
    });
}

#[cfg(test)]
#[path = "offer_tests.rs"]
mod tests;
