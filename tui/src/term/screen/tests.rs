use std::num::NonZero;

use proptest::prelude::*;
use ratatui::{
    layout::{Position, Rect},
    style::{Color, Style},
};

use super::*;
use crate::text::{Clean, paint, strange};

fn screen(columns: u16, rows: u16) -> Screen<Vec<u8>> {
    Screen::with_size(Vec::new(), Size::new(columns, rows)).unwrap()
}

/// What `screen` wrote since the last time.
fn written(screen: &mut Screen<Vec<u8>>, from: &mut usize) -> String {
    let text = String::from_utf8(screen.out()[*from..].to_vec()).unwrap();
    *from = screen.out().len();
    text
}

/// What is left of `bytes` without our own sequences.
fn without_ours(mut bytes: &str) -> String {
    let mut rest = String::new();
    while let Some((text, sequence)) = bytes.split_once("\x1b[") {
        rest.push_str(text);
        let end = sequence.find(|c: char| !matches!(c, '0'..='9' | ';' | '?')).unwrap();
        assert!(matches!(sequence.as_bytes()[end], b'H' | b'm' | b'J' | b'K' | b'h' | b'l'), "{sequence:?}");
        bytes = &sequence[end + 1..];
    }
    rest + bytes
}

#[test]
fn an_unchanged_frame_writes_nothing() {
    let mut screen = screen(20, 2);
    let paint = |frame: &mut Frame<'_>| {
        paint::text(frame.buffer_mut(), 0, 0, 20, &Clean::from_static("❤\u{fe0f} hello"), Style::new());
        frame.set_cursor_position((3, 1));
    };
    screen.draw(paint).unwrap();
    screen.draw(paint).unwrap();
    let mut from = screen.out().len();
    screen.draw(paint).unwrap();
    assert_eq!(written(&mut screen, &mut from), "");
}

#[test]
fn a_frame_is_one_synchronised_write_with_the_caret_at_its_end() {
    let mut screen = screen(20, 2);
    screen
        .draw(|frame| {
            paint::text(frame.buffer_mut(), 2, 1, 20, &Clean::from_static("hi"), Style::new().fg(Color::Rgb(1, 2, 3)));
            frame.set_cursor_position((4, 0));
        })
        .unwrap();
    let expected = "\x1b[?2026h\x1b[2J\x1b[2;3H\x1b[0;38;2;1;2;3mhi\x1b[0m\x1b[1;5H\x1b[?25h\x1b[?2026l";
    assert_eq!(written(&mut screen, &mut 0), expected);
}

#[test]
fn uncertain_clusters_are_written_alone() {
    let mut screen = screen(20, 1);
    screen
        .draw(|frame| {
            paint::text(frame.buffer_mut(), 0, 0, 20, &Clean::from_static("a❤\u{fe0f}b"), Style::new());
        })
        .unwrap();
    let bytes = written(&mut screen, &mut 0);
    assert!(bytes.contains("a  \x1b[1;2H❤\u{fe0f}\x1b[1;4Hb"), "{bytes:?}");
}

#[test]
fn nothing_a_view_puts_into_a_cell_reaches_the_terminal_as_a_command() {
    let mut screen = screen(30, 1);
    let nasty = ["\x1b[2J", "\x07", "\u{9b}2J", "\u{202e}", "\n", "\u{200b}", "\u{e0041}", "", "\t", "日\x1b"];
    screen
        .draw(|frame| {
            for (x, symbol) in nasty.iter().enumerate() {
                frame.buffer_mut().content[x * 2].set_symbol(symbol);
            }
        })
        .unwrap();
    let rest = without_ours(&written(&mut screen, &mut 0));
    assert!(rest.chars().all(|c| c == '\u{fffd}' || c == ' '), "{rest:?}");
    assert_eq!(rest.matches('\u{fffd}').count(), 9);
}

#[test]
fn a_wide_glyph_is_never_cut_by_the_edge() {
    let mut screen = screen(3, 2);
    for symbol in ["日", "x", "👨‍👩‍👧"] {
        screen
            .draw(|frame| {
                frame.buffer_mut()[(2, 1)].set_symbol(symbol).set_style(Style::new().bg(Color::Red));
            })
            .unwrap();
    }
    assert!(!written(&mut screen, &mut 0).contains(['日', '👨']));
}

#[test]
fn a_redraw_clears_and_writes_all_again() {
    let mut screen = screen(5, 1);
    let paint = |frame: &mut Frame<'_>| {
        paint::text(frame.buffer_mut(), 0, 0, 5, &Clean::from_static("hello"), Style::new());
    };
    screen.draw(paint).unwrap();
    let mut from = screen.out().len();
    screen.redraw().unwrap();
    screen.draw(paint).unwrap();
    let bytes = written(&mut screen, &mut from);
    assert!(bytes.contains("\x1b[2J") && bytes.contains("hello"));
}

/// Compares what was painted with what a terminal makes of the bytes, beside clusters whose width
/// that terminal sees differently.
fn assert_shown(emulator: &vt100::Parser, painted: &Buffer) -> Result<(), TestCaseError> {
    for y in 0..painted.area.height {
        let mut x = 0;
        while x < painted.area.width {
            let cell = &painted[(x, y)];
            if width::is_risky(cell.symbol()) {
                x += cell.symbol().cell_width();
                continue;
            }
            let shown = emulator.screen().cell(y, x).unwrap();
            let symbol = if shown.has_contents() { shown.contents() } else { " " };
            prop_assert_eq!(symbol, cell.symbol(), "column {} of row {}", x, y);
            let color = if cell.bg == Color::Red { vt100::Color::Idx(1) } else { vt100::Color::Default };
            prop_assert_eq!(shown.bgcolor(), color, "column {} of row {}", x, y);
            x += cell.symbol().cell_width().max(1);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_painted_is_what_is_shown(
        frames in prop::collection::vec(prop::collection::vec((strange::text(0..8), 0_u16..30, any::<bool>()), 0..4), 1..4),
        columns in 1_u16..40,
    ) {
        let mut screen = screen(columns, 3);
        let mut emulator = vt100::Parser::new(NonZero::new(3).unwrap(), NonZero::new(columns).unwrap(), 0);
        let mut from = 0;
        for texts in frames {
            let mut painted = Buffer::default();
            let caret = Position::new(columns - 1, 1);
            screen.draw(|frame| {
                for (y, (text, x, red)) in (0..).zip(&texts) {
                    let style = if *red { Style::new().bg(Color::Red) } else { Style::new() };
                    paint::text(frame.buffer_mut(), *x, y, 40, &Clean::line(text), style);
                    paint::fill(frame.buffer_mut(), Rect::new(0, y, 1, 1), style);
                }
                painted = frame.buffer_mut().clone();
                frame.set_cursor_position(caret);
            }).unwrap();
            let bytes = written(&mut screen, &mut from);
            prop_assert!(!without_ours(&bytes).contains(char::is_control));
            emulator.process(bytes.as_bytes());
            assert_shown(&emulator, &painted)?;
            prop_assert_eq!(emulator.screen().cursor_position(), (caret.y, caret.x));
        }
    }
}
