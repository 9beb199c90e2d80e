//! Questions that need an answer before something happens.

use baton_shared::{ConversationId, MessageId, message::Delivery};
use ratatui::layout::Rect;

use super::{
    composer,
    overlay::inside,
    pen::{Part, Pen, fixed, words},
};
use crate::{
    local::Slot,
    state::{
        State,
        overlay::{Assign, Consent, Field, OUTCOMES, REACTIONS, React, Save, Sheet, Take},
    },
    text::{Clean, wrap},
    words as say,
};

pub(super) fn take(pen: &mut Pen<'_>, state: &State, take: &Take, area: Rect) {
    let theme = pen.theme;
    let name = customer(state, take.conversation);
    pen.frame(area, true, &[(words(format!("Take over {name}?")), theme.accent)], &[]);
    let inner = inside(area);
    let enter = &theme.glyphs.enter;
    let Some(owner) = take.owner else {
        let y = paragraph(
            pen,
            inner,
            &fixed("The bot is writing a reply. If you take over now, it is not sent: you find it as a proposal."),
        );
        return foot(pen, inner, y + 1, &format!("{enter} take over   w watch only   Esc cancel"));
    };
    let y = paragraph(
        pen,
        inner,
        &words(format!("{} has it. Say why you take it: it is told and kept.", state.name(owner))),
    );
    field(pen, Rect { y: y + 1, height: 1, ..inner }, &take.reason, true, "reason");
    foot(pen, inner, y + 3, &format!("{enter} take it   Esc cancel"));
}

pub(super) fn hand_back(pen: &mut Pen<'_>, state: &State, sheet: &Sheet, area: Rect) {
    let theme = pen.theme;
    let name = customer(state, sheet.conversation);
    pen.frame(area, true, &[(words(format!("Hand {name} back to the bot")), theme.accent)], &[]);
    let inner = inside(area);
    let rows = |y, height| Rect { y, height, ..inner };
    label(pen, inner, inner.y, "Note for the bot (the customer does not see it)", sheet.field == Field::Note);
    text_field(pen, state, sheet, Field::Note, rows(inner.y + 1, 3), "what was agreed, what the bot should know");
    label(pen, inner, inner.y + 5, "Promised to the customer", sheet.field == Field::Promised);
    text_field(pen, state, sheet, Field::Promised, rows(inner.y + 6, 1), "a refund within five days, a call tomorrow");
    label(pen, inner, inner.y + 8, "How it ended", sheet.field == Field::Outcome);
    outcome(pen, sheet, rows(inner.y + 9, 1), sheet.field == Field::Outcome);
    let enter = &theme.glyphs.enter;
    foot(pen, inner, inner.y + 11, &format!("{enter} hand back   Tab next   ^j newline   Esc not yet"));
}

pub(super) fn resolve(pen: &mut Pen<'_>, state: &State, sheet: &Sheet, area: Rect) {
    let theme = pen.theme;
    let name = customer(state, sheet.conversation);
    pen.frame(area, true, &[(words(format!("Resolve {name}")), theme.accent)], &[]);
    let inner = inside(area);
    for ((at, (_, shown)), y) in OUTCOMES.iter().enumerate().zip(inner.y..inner.bottom()) {
        let line = Rect { y, height: 1, ..inner };
        if at == sheet.outcome {
            pen.fill(line, theme.selected);
        }
        pen.parts(line.x + 1, y, line.width, &[(words(format!("{} ", at + 1)), theme.muted), (fixed(shown), theme.fg)]);
    }
    let enter = &theme.glyphs.enter;
    foot(pen, inner, inner.y + 6, &format!("{enter} resolve   j/k choose   Esc not yet"));
}

pub(super) fn assign(pen: &mut Pen<'_>, state: &State, assign: &Assign, area: Rect) {
    let theme = pen.theme;
    let name = customer(state, assign.conversation);
    pen.frame(area, true, &[(words(format!("Give {name} to")), theme.accent)], &[]);
    let inner = inside(area);
    let people = assign.candidates(state);
    let shown = people.len().min(8);
    let top = assign.to.saturating_sub(shown.saturating_sub(1));
    for ((at, (person, is_here)), y) in people.iter().enumerate().skip(top).take(shown).zip(inner.y..) {
        let line = Rect { y, height: 1, ..inner };
        if at == assign.to {
            pen.fill(line, theme.selected);
        }
        let here = if *is_here { (fixed("here"), theme.ok) } else { (fixed("away"), theme.muted) };
        pen.ends(line, y, &[(state.name(*person), theme.fg)], &[here]);
    }
    let y = inner.y + u16::try_from(shown).unwrap_or(0) + 1;
    label(pen, inner, y, "Why (it is told and kept)", assign.in_reason);
    field(pen, Rect { y: y + 1, height: 1, ..inner }, &assign.reason, assign.in_reason, "reason");
    let enter = &theme.glyphs.enter;
    foot(pen, inner, y + 3, &format!("{enter} give   Up Down choose   Tab reason   Esc cancel"));
}

pub(super) fn resend(pen: &mut Pen<'_>, state: &State, message: MessageId, area: Rect) {
    let theme = pen.theme;
    pen.frame(area, true, &[(fixed("Send again?"), theme.accent)], &[]);
    let inner = inside(area);
    let said = state.open_thread().and_then(|thread| thread.get(message));
    let sentence = match said.and_then(|said| said.delivery) {
        Some(Delivery::Unknown) => "Nobody knows whether this arrived. If it did, the customer gets it twice.",
        Some(Delivery::Held) => "This was held back. It goes out now.",
        _ => "This did not arrive. It goes out again.",
    };
    let y = paragraph(pen, inner, &fixed(sentence));
    if let Some(said) = said {
        let quoted = words(format!("{} {}", theme.glyphs.stem, said.text));
        pen.text(inner.x, y + 1, inner.width, &quoted, theme.muted);
    }
    let enter = &theme.glyphs.enter;
    foot(pen, inner, y + 3, &format!("{enter} send again   Esc cancel"));
}

pub(super) fn block(pen: &mut Pen<'_>, state: &State, conversation: ConversationId, blocked: bool, area: Rect) {
    let theme = pen.theme;
    let name = customer(state, conversation);
    let (title, sentence, does) = if blocked {
        let sentence = "WhatsApp keeps their messages and calls from us, and ours from them. The conversation is \
                        resolved, and no answer is owed.";
        (format!("Block {name}?"), sentence, "block")
    } else {
        (format!("Unblock {name}?"), "They can write to us again, and we to them.", "unblock")
    };
    pen.frame(area, true, &[(words(title), theme.accent)], &[]);
    let inner = inside(area);
    let y = paragraph(pen, inner, &fixed(sentence));
    let enter = &theme.glyphs.enter;
    foot(pen, inner, y + 1, &format!("{enter} {does}   Esc cancel"));
}

/// What goes where.
pub(super) fn split(pen: &mut Pen<'_>, state: &State, conversation: ConversationId, area: Rect) {
    let theme = pen.theme;
    let name = customer(state, conversation);
    pen.frame(area, true, &[(words(format!("Is {name} two customers?")), theme.accent)], &[]);
    let inner = inside(area);
    let merged = state.threads.get(&conversation).and_then(|thread| thread.card.merged.as_ref());
    let Some(merged) = merged else { return foot(pen, inner, inner.y, "It has been split already.   Esc closes") };
    let at = say::moment(merged.at, state.now, &state.given.zone);
    let count = say::count(usize::try_from(merged.messages).unwrap_or(0), "message");
    let sentences = [
        format!(
            "{count} from before {at} go back to {}, as a conversation of its own that waits for a person.",
            merged.handle
        ),
        "Everything since stays here. They are not merged again by themselves.".to_owned(),
    ];
    let mut y = inner.y;
    for sentence in sentences {
        y = 1 + paragraph(pen, Rect { y, height: inner.bottom().saturating_sub(y), ..inner }, &words(sentence));
    }
    let enter = &theme.glyphs.enter;
    foot(pen, inner, y, &format!("{enter} split them   Esc cancel"));
}

pub(super) fn forget(pen: &mut Pen<'_>, state: &State, conversation: ConversationId, area: Rect) {
    let name = customer(state, conversation);
    pen.frame(area, true, &[(words(format!("Forget what is known of {name}?")), pen.theme.accent)], &[]);
    let inner = inside(area);
    let sentence = "The bot forgets what it has learnt of this customer and what it has summed up, for good. What was \
                    said stays in the thread.";
    let y = 1 + paragraph(pen, inner, &fixed(sentence));
    foot(pen, inner, y, &format!("{} forget   Esc cancel", pen.theme.glyphs.enter));
}

pub(super) fn consent(pen: &mut Pen<'_>, state: &State, consent: &Consent, area: Rect) {
    let theme = pen.theme;
    let name = customer(state, consent.conversation);
    pen.frame(area, true, &[(words(format!("Marketing to {name}")), theme.accent)], &[]);
    let inner = inside(area);
    for ((granted, text), y) in [(true, "welcome"), (false, "not wanted")].into_iter().zip(inner.y..) {
        let line = Rect { y, height: 1, ..inner };
        if granted == consent.granted {
            pen.fill(line, theme.selected);
        }
        pen.text(line.x + 1, y, line.width, &fixed(text), theme.fg);
    }
    label(pen, inner, inner.y + 3, "How they said it (kept as the proof)", true);
    field(
        pen,
        Rect { y: inner.y + 4, height: 1, ..inner },
        &consent.proof,
        true,
        "asked for the newsletter in this chat",
    );
    let enter = &theme.glyphs.enter;
    foot(pen, inner, inner.y + 6, &format!("{enter} record   Tab yes or no   Esc cancel"));
}

pub(super) fn react(pen: &mut Pen<'_>, react: &React, area: Rect) {
    let theme = pen.theme;
    pen.frame(area, true, &[(fixed("React"), theme.accent)], &[]);
    let inner = inside(area);
    for ((at, (emoji, name)), y) in REACTIONS.iter().enumerate().zip(inner.y..inner.bottom()) {
        let line = Rect { y, height: 1, ..inner };
        if at == react.at {
            pen.fill(line, theme.selected);
        }
        let shown = if emoji.is_empty() { fixed(name) } else { words(format!("{emoji} {name}")) };
        pen.parts(line.x + 1, y, line.width, &[(words(format!("{} ", at + 1)), theme.muted), (shown, theme.fg)]);
    }
    let enter = &theme.glyphs.enter;
    foot(pen, inner, inner.y + 8, &format!("{enter} react   j/k choose   Esc cancel"));
}

pub(super) fn raw(pen: &mut Pen<'_>, text: &Clean, scroll: usize, area: Rect) {
    let theme = pen.theme;
    pen.frame(area, true, &[(fixed("As it came"), theme.accent)], &[(fixed("j/k scroll, Esc closes"), theme.faint)]);
    let inner = inside(area);
    let rows = wrap::rows(text.as_str(), usize::from(inner.width.max(1)));
    let top = scroll.min(rows.len().saturating_sub(usize::from(inner.height)));
    for (row, y) in rows.iter().skip(top).zip(inner.y..inner.bottom()) {
        pen.text(inner.x, y, inner.width, &text.slice(row.start..row.end), theme.fg);
    }
}

pub(super) fn save(pen: &mut Pen<'_>, save: &Save, area: Rect) {
    let theme = pen.theme;
    let title = if save.replace { "There is one already: overwrite it?" } else { "Save the file" };
    pen.frame(area, true, &[(fixed(title), theme.accent)], &[]);
    let inner = inside(area);
    label(pen, inner, inner.y, "Where to", true);
    field(pen, Rect { y: inner.y + 1, height: 1, ..inner }, &save.path, true, "a path");
    let enter = &theme.glyphs.enter;
    let does = if save.replace { "overwrite" } else { "save" };
    foot(pen, inner, inner.y + 3, &format!("{enter} {does}   Esc cancel"));
}

pub(super) fn link(pen: &mut Pen<'_>, url: &Clean, area: Rect) {
    let theme = pen.theme;
    pen.frame(area, true, &[(fixed("Open it where your browser is"), theme.accent)], &[]);
    let inner = inside(area);
    let y = paragraph(pen, inner, url);
    let y = paragraph(
        pen,
        Rect { y: y + 1, height: inner.bottom().saturating_sub(y + 1), ..inner },
        &fixed("Good for five minutes, for whoever has it. It is in the clipboard, if your terminal allows that."),
    );
    foot(pen, inner, y + 1, "Esc closes");
}

pub(super) fn quit(pen: &mut Pen<'_>, state: &State, area: Rect) {
    let theme = pen.theme;
    pen.frame(area, true, &[(fixed("Quit?"), theme.accent)], &[]);
    let inner = inside(area);
    let mut y = inner.y;
    for sentence in leaving(state) {
        y = paragraph(pen, Rect { y, height: inner.bottom().saturating_sub(y), ..inner }, &words(sentence));
    }
    foot(pen, inner, y + 1, "y quit   n stay");
}

/// What leaving now means.
fn leaving(state: &State) -> Vec<String> {
    let mut sentences = Vec::new();
    match state.queue.mine() {
        0 => {}
        1 => sentences.push("1 conversation is yours: it goes back to the queue soon after you leave.".to_owned()),
        many => {
            sentences.push(format!("{many} conversations are yours: they go back to the queue soon after you leave."))
        }
    }
    let unsent = state.commands.unsent();
    if unsent > 0 {
        let waits = if unsent == 1 { "waits" } else { "wait" };
        sentences.push(format!(
            "{} still {waits} for the server. What you wrote is kept here, and goes out at the next start if that is soon.",
            say::count(unsent, "act")
        ));
    }
    let going = state.bringing.iter().filter(|one| one.is_going()).count();
    if going > 0 {
        let is = if going == 1 { "is" } else { "are" };
        sentences.push(format!(
            "{} {is} still on the way to the server and will not be sent. What you typed is kept.",
            say::count(going, "file")
        ));
    }
    sentences
}

fn customer(state: &State, conversation: baton_shared::ConversationId) -> Clean {
    state.queue.get(conversation).map_or(fixed("this"), |row| row.customer.clone())
}

/// Wrapped text; the row after it.
fn paragraph(pen: &mut Pen<'_>, area: Rect, text: &Clean) -> u16 {
    let rows = wrap::rows(text.as_str(), usize::from(area.width.max(1)));
    let mut y = area.y;
    for row in &rows {
        if y < area.bottom() {
            let style = pen.theme.fg;
            pen.text(area.x, y, area.width, &text.slice(row.start..row.end), style);
            y += 1;
        }
    }
    y
}

fn label(pen: &mut Pen<'_>, area: Rect, y: u16, text: &'static str, is_current: bool) {
    let theme = pen.theme;
    let style = if is_current { theme.accent } else { theme.muted };
    pen.text(area.x, y, area.width, &fixed(text), style);
}

/// A line to type into, with a ground of its own.
fn field(pen: &mut Pen<'_>, area: Rect, editor: &crate::composer::Editor, is_current: bool, empty: &'static str) {
    let bar = pen.theme.glyphs.stem.clone();
    let style = if is_current { pen.theme.accent } else { pen.theme.faint };
    for y in area.y..area.bottom() {
        pen.text(area.x, y, 1, &bar, style);
    }
    let text = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    composer::text(pen, editor, text, is_current);
    if editor.is_empty() {
        composer::faint(pen, text, empty);
    }
}

fn text_field(pen: &mut Pen<'_>, state: &State, sheet: &Sheet, which: Field, area: Rect, empty: &'static str) {
    let none = crate::composer::Editor::default();
    let slot = which.slot().unwrap_or(Slot::HandBack);
    let editor = state.composers.get(&sheet.conversation).and_then(|composer| composer.editor(slot)).unwrap_or(&none);
    field(pen, area, editor, sheet.field == which, empty);
}

fn outcome(pen: &mut Pen<'_>, sheet: &Sheet, area: Rect, is_current: bool) {
    let theme = pen.theme;
    let style = if is_current { theme.accent } else { theme.fg };
    let arrows = if is_current { theme.accent } else { theme.faint };
    let parts: [Part; 3] = [(fixed("< "), arrows), (fixed(OUTCOMES[sheet.outcome].1), style), (fixed(" >"), arrows)];
    pen.parts(area.x, area.y, area.width, &parts);
}

fn foot(pen: &mut Pen<'_>, area: Rect, y: u16, text: &str) {
    let style = pen.theme.muted;
    if y < area.bottom() {
        pen.text(area.x, y, area.width, &words(text), style);
    }
}
