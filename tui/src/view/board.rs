//! How the numbers stand: what Meta says of each, what waits on it, and what is wrong.

use ratatui::{layout::Rect, style::Modifier};

use super::{
    overlay::inside,
    pen::{Part, Pen, fixed, words},
};
use crate::{
    state::{
        State,
        known::{BoardNumber, Costs, Warning},
        overlay::Board,
    },
    text::wrap,
    words as say,
};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, board: &Board, area: Rect) {
    let theme = pen.theme;
    let hint = [(fixed("j/k scroll, Esc closes"), theme.faint)];
    pen.frame(area, true, &[(fixed("How the numbers stand"), theme.accent)], &hint);
    let inner = inside(area);
    let lines = lines(pen, state, board, usize::from(inner.width.max(1)));
    let top = board.scroll.min(lines.len().saturating_sub(usize::from(inner.height)));
    for (line, y) in lines.iter().skip(top).zip(inner.y..inner.bottom()) {
        pen.parts(inner.x, y, inner.width, line);
    }
}

fn lines(pen: &Pen<'_>, state: &State, board: &Board, width: usize) -> Vec<Vec<Part>> {
    let theme = pen.theme;
    let Some(known) = &board.known else { return vec![vec![(fixed("asking the server…"), theme.muted)]] };
    let mut lines = Vec::new();
    for one in &known.numbers {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        number(pen, state, one, &mut lines);
    }
    lines.push(Vec::new());
    lines.push(vec![(fixed("What Meta says is wrong"), theme.muted.add_modifier(Modifier::BOLD))]);
    if known.warnings.is_empty() {
        lines.push(vec![(fixed("nothing"), theme.ok)]);
    }
    for one in &known.warnings {
        warning(pen, state, one, width, &mut lines);
    }
    if let Some(known) = &known.costs {
        costs(pen, known, &mut lines);
    }
    lines
}

/// The dearest of each; amounts stand below each other.
fn costs(pen: &Pen<'_>, known: &Costs, lines: &mut Vec<Vec<Part>>) {
    let theme = pen.theme;
    lines.push(Vec::new());
    let total = &known.total;
    let heading = format!("What models cost in {}", known.month.as_str());
    let counted = format!("   {} calls, {} used", total.calls, total.useful);
    lines.push(vec![
        (words(heading), theme.muted.add_modifier(Modifier::BOLD)),
        (words(format!("   ${}", total.dollars.as_str())), theme.fg),
        (words(counted), theme.muted),
    ]);
    for (by, parts) in &known.parts {
        for (part, nth) in parts.iter().zip(0..) {
            let by = if nth == 0 { *by } else { "" };
            // What has no price stands behind the digits, so that those stay below each other.
            let (known, rest) =
                part.dollars.as_str().split_at(part.dollars.as_str().find(' ').unwrap_or(part.dollars.as_str().len()));
            let amount = format!("{known:>9}{rest:<4}");
            lines.push(vec![
                (words(format!("{by:<8}")), theme.muted),
                (words(amount), theme.fg),
                (words(format!("{:>8}  ", part.calls)), theme.muted),
                (part.name.clone(), theme.fg),
            ]);
        }
    }
    for ((name, charged, messages), nth) in known.whatsapp.iter().zip(0..) {
        let by = if nth == 0 { "WhatsApp" } else { "" };
        let charged = match charged {
            Some(true) => "charged",
            Some(false) => "free",
            None => "not said",
        };
        lines
            .push(vec![(words(format!("{by:<8}{charged:>9}{messages:>12}  ")), theme.muted), (name.clone(), theme.fg)]);
    }
}

fn number(pen: &Pen<'_>, state: &State, one: &BoardNumber, lines: &mut Vec<Vec<Part>>) {
    let theme = pen.theme;
    let figures = &one.figures;
    let sep = words(format!(" {} ", theme.glyphs.separator));
    let switch = match (figures.sending_on, figures.bot_on) {
        (false, _) => (fixed("sending is off"), theme.danger),
        (true, false) => (fixed("the bot is off"), theme.warn),
        (true, true) => (fixed("bot on, sending on"), theme.ok),
    };
    lines.push(vec![(one.name.clone(), theme.fg.add_modifier(Modifier::BOLD)), (fixed("  "), theme.fg), switch]);
    if let Some(why) = &one.stopped {
        let again = figures
            .stopped_until
            .map(|until| format!("; tried again {}", say::moment(until, state.now, &state.given.zone)));
        let sentence = format!("nothing is sent: {why}{}", again.unwrap_or_default());
        lines.push(vec![(words(sentence), theme.danger)]);
    }
    let quality = match one.quality.as_ref().map(|word| word.as_str()) {
        Some("red") => (fixed("quality red"), theme.danger),
        Some("yellow") => (fixed("quality yellow"), theme.warn),
        Some("green") => (fixed("quality green"), theme.ok),
        Some(_) | None => (fixed("quality not rated"), theme.muted),
    };
    let limit = one.limit.as_ref().map_or(fixed("limit not told"), |limit| words(format!("limit {limit}")));
    let phone = if figures.coexistence { ", shared with the phone" } else { "" };
    let rate = words(format!("{} a second{phone}", figures.per_second));
    lines.push(vec![
        quality,
        (sep.clone(), theme.faint),
        (limit, theme.fg),
        (sep.clone(), theme.faint),
        (rate, theme.fg),
    ]);
    let late = match figures.late {
        0 => (fixed("no backlog"), theme.muted),
        late => (words(format!("{late} late ones to answer")), theme.warn),
    };
    let held = if figures.held > 0 { theme.warn } else { theme.muted };
    let heard = figures
        .heard_at
        .map_or_else(|| "nothing came yet".into(), |at| format!("last heard {} ago", say::age(state.now.since(at))));
    lines.push(vec![
        (words(format!("{} waiting", figures.waiting)), theme.fg),
        (sep.clone(), theme.faint),
        late,
        (sep.clone(), theme.faint),
        (words(format!("{} to send", figures.queued)), theme.fg),
        (sep.clone(), theme.faint),
        (words(format!("{} held", figures.held)), held),
        (sep, theme.faint),
        (words(heard), theme.muted),
    ]);
    for template in &one.templates {
        lines.push(vec![(words(format!("template {template}")), theme.warn)]);
    }
}

fn warning(pen: &Pen<'_>, state: &State, one: &Warning, width: usize, lines: &mut Vec<Vec<Part>>) {
    let theme = pen.theme;
    let style = if one.grave { theme.danger } else { theme.warn };
    let text = words(format!("{} {}", say::moment(one.at, state.now, &state.given.zone), one.text));
    lines.extend(wrap::rows(text.as_str(), width).iter().map(|row| vec![(text.slice(row.start..row.end), style)]));
}
