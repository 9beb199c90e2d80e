//! Choosing a template, filling it in, sending it.

use baton_shared::{
    ConversationId,
    file::FileKind,
    protocol::Act,
    template::{Filled, Header, Misfit, Template},
};
use crossterm::event::KeyCode;

use super::{
    attach, compose, edit, give,
    overlay::{LINE, picked},
};
use crate::{
    event::{Effect, Effects},
    keys::Chord,
    net::Request,
    state::{
        State,
        overlay::{Filling, Overlay, Picker, TemplateSheet},
        toast::Tone,
    },
};

pub(super) fn pick(state: &mut State, out: &mut Effects) {
    let Some(conversation) = state.current_id() else { return };
    let sheet = TemplateSheet { conversation, all: None, picker: Picker::default(), filling: None };
    state.overlays.push(Overlay::Template(sheet));
    out.push(Effect::Net(Request::Templates(conversation)));
}

/// The server said what there is.
pub(super) fn came(state: &mut State, conversation: ConversationId, templates: Vec<Template>) {
    let open = state.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Template(sheet) if sheet.conversation == conversation => Some(sheet),
        _ => None,
    });
    if let Some(sheet) = open {
        sheet.all = Some(templates);
    }
}

pub(super) fn key(state: &mut State, mut sheet: TemplateSheet, chord: Chord, out: &mut Effects) -> Option<Overlay> {
    match sheet.filling.take() {
        Some(filling) => filling_key(state, sheet, filling, chord, out),
        None => picking_key(state, sheet, chord),
    }
}

fn picking_key(state: &mut State, mut sheet: TemplateSheet, chord: Chord) -> Option<Overlay> {
    let found = sheet.found();
    if chord.code != KeyCode::Enter {
        let count = found.len();
        sheet.picker = picked(sheet.picker, chord, count);
        return Some(Overlay::Template(sheet));
    }
    match found.get(sheet.picker.at).copied().cloned() {
        Some(template) if template.is_approved() => sheet.filling = Some(Box::new(Filling::new(template))),
        Some(template) => {
            let status = template.status.to_lowercase();
            state.toast(Tone::Warn, format!("Meta does not let this template be sent: it is {status}"));
        }
        None => state.toast(Tone::Warn, "there is no such template"),
    }
    Some(Overlay::Template(sheet))
}

fn filling_key(
    state: &mut State,
    mut sheet: TemplateSheet,
    mut filling: Box<Filling>,
    chord: Chord,
    out: &mut Effects,
) -> Option<Overlay> {
    let last = filling.values.len().saturating_sub(1);
    match chord.code {
        KeyCode::Tab if chord.shift => filling.at = filling.at.saturating_sub(1),
        KeyCode::Up => filling.at = filling.at.saturating_sub(1),
        KeyCode::Tab | KeyCode::Down => filling.at = (filling.at + 1).min(last),
        KeyCode::Enter if filling.at < last => filling.at += 1,
        KeyCode::Enter => match check(&filling) {
            Ok(()) => {
                send(state, &sheet, &filling, out);
                return None;
            }
            Err(misfit) => state.toast(Tone::Warn, misfit.to_string()),
        },
        // Back to the list, from an empty first field.
        KeyCode::Backspace
            if filling.values.get(filling.at).is_none_or(|value| value.is_empty()) && filling.at == 0 =>
        {
            return Some(Overlay::Template(sheet));
        }
        _ => {
            if let Some(value) = filling.values.get_mut(filling.at) {
                edit::apply(value, chord, LINE);
            }
        }
    }
    sheet.filling = Some(filling);
    Some(Overlay::Template(sheet))
}

/// A header's file may be a link, or lie on this disk.
fn check(filling: &Filling) -> Result<(), Misfit> {
    let mut values = filling.texts();
    if on_disk(filling).is_some()
        && let Some(value) = values.first_mut()
    {
        *value = "https://".into();
    }
    filling.template.check(&values)
}

fn on_disk(filling: &Filling) -> Option<FileKind> {
    let Some(Header::Media { kind }) = &filling.template.header else { return None };
    let path = filling.texts().into_iter().next().filter(|value| !value.is_empty() && !value.starts_with("https://"));
    path.and_then(|_| FileKind::from_word(kind))
}

fn send(state: &mut State, sheet: &TemplateSheet, filling: &Filling, out: &mut Effects) {
    let Some(epoch) = state.queue.get(sheet.conversation).map(|row| row.epoch) else { return };
    let seen = compose::seen(state, sheet.conversation);
    let Template { name, language, .. } = &filling.template;
    let template = Filled { name: name.clone(), language: language.clone(), values: filling.texts() };
    if let Some(kind) = on_disk(filling) {
        return attach::header(state, sheet.conversation, kind, template, out);
    }
    give(state, sheet.conversation, Act::SendTemplate { epoch, template, seen }, out);
}
