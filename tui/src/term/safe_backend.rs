//! Writes cells to a terminal so that nothing in them can do anything but be seen.
//!
//! Terminals disagree about the width of some clusters. Such a cluster is written alone: spaces over
//! its cells, then it, then the cursor is placed anew. A frame is one write, inside a synchronised
//! update (mode 2026), and ends with the cursor where the caret is.

use std::io::{self, Write};

use ratatui::{
    backend::{Backend, ClearType, WindowSize},
    buffer::{Cell, CellWidth},
    layout::{Position, Size},
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthChar;

use super::Escape;
use crate::text::{clean::is_showable, width};

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
const REPLACEMENT: &str = "\u{fffd}";

/// ratatui's way to a terminal behind `W`.
#[derive(Debug)]
pub struct SafeBackend<W> {
    out: W,
    /// `None`: asked of the terminal whenever it is needed.
    size: Option<Size>,
    frame: Vec<u8>,
    /// Where the terminal's cursor surely is.
    cursor: Option<Position>,
    pen: Pen,
    caret: Position,
    caret_wanted: bool,
    caret_shown: Option<bool>,
}

impl<W: Write> SafeBackend<W> {
    pub(super) fn new(out: W, size: Option<Size>) -> Self {
        Self {
            out,
            size,
            frame: Vec::with_capacity(16 * 1024),
            cursor: None,
            pen: Pen::default(),
            caret: Position::ORIGIN,
            caret_wanted: false,
            caret_shown: None,
        }
    }

    /// Writes a sequence between two frames.
    pub(super) fn emit(&mut self, escape: &Escape) -> io::Result<()> {
        self.out.write_all(escape.as_bytes())?;
        self.out.flush()
    }

    /// Forgets what the terminal is believed to show of the cursor, after something else wrote to it.
    pub(super) fn distrust(&mut self) {
        self.cursor = None;
        self.caret_shown = None;
    }

    pub(super) fn resize(&mut self, size: Size) {
        self.size = Some(size);
    }

    pub(super) fn out(&self) -> &W {
        &self.out
    }

    fn put(&mut self, x: u16, y: u16, cell: &Cell, columns: u16) -> u16 {
        let symbol = checked(cell.symbol());
        let cells = symbol.cell_width().max(1);
        self.go(Position { x, y });
        self.set_pen(Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier });
        if width::is_risky(symbol) {
            self.isolate(Position { x, y }, symbol, cells, columns);
        } else if symbol.cell_width() == 0 || cells > columns.saturating_sub(x) {
            self.write(" ", 1);
        } else {
            self.write(symbol, cells);
        }
        x.saturating_add(cells)
    }

    /// Writes a cluster that may end anywhere: nothing after it relies on where it did.
    fn isolate(&mut self, at: Position, cluster: &str, cells: u16, columns: u16) {
        let room = columns.saturating_sub(at.x);
        self.frame.extend(std::iter::repeat_n(b' ', usize::from(cells.min(room))));
        self.cursor = None;
        self.go(at);
        if widest(cluster) <= usize::from(room) {
            self.frame.extend_from_slice(cluster.as_bytes());
        } else if let Some(base) = cluster.chars().next().filter(|c| c.width() <= Some(usize::from(room))) {
            // A terminal that draws it part by part would go on in the next row.
            self.frame.extend_from_slice(base.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.cursor = None;
    }

    fn write(&mut self, symbol: &str, cells: u16) {
        self.frame.extend_from_slice(symbol.as_bytes());
        // Beyond the last column this is nowhere, so the next cell is found anew.
        self.cursor = self.cursor.map(|at| Position { x: at.x + cells, ..at });
    }

    fn go(&mut self, to: Position) {
        if self.cursor != Some(to) {
            self.sequence(format_args!("\x1b[{};{}H", u32::from(to.y) + 1, u32::from(to.x) + 1));
            self.cursor = Some(to);
        }
    }

    fn set_pen(&mut self, pen: Pen) {
        if self.pen != pen {
            pen.write(&mut self.frame);
            self.pen = pen;
        }
    }

    fn sequence(&mut self, sequence: std::fmt::Arguments<'_>) {
        // Writing to a vector cannot fail.
        let _ = self.frame.write_fmt(sequence);
    }

    fn place_caret(&mut self) {
        if self.caret_wanted {
            self.go(self.caret);
        }
        if self.caret_shown != Some(self.caret_wanted) {
            self.frame.extend_from_slice(if self.caret_wanted { b"\x1b[?25h" } else { b"\x1b[?25l" });
            self.caret_shown = Some(self.caret_wanted);
        }
    }
}

/// The last line: a symbol that a terminal could obey is replaced.
fn checked(symbol: &str) -> &str {
    if is_showable(symbol) { symbol } else { REPLACEMENT }
}

/// The most cells that any terminal gives the cluster, one code point at a time.
fn widest(cluster: &str) -> usize {
    cluster.chars().map(|c| c.width().unwrap_or(0).max(1)).sum()
}

impl<W: Write> Backend for SafeBackend<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let columns = self.size()?.width;
        let mut covered = (0, 0);
        for (x, y, cell) in content {
            // ratatui sends the cells behind an emoji, too, which would be drawn over it.
            if y != covered.0 || x >= covered.1 {
                covered = (y, self.put(x, y, cell, columns));
            }
        }
        self.set_pen(Pen::default());
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.caret_wanted = false;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.caret_wanted = true;
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.caret)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.caret = position.into();
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.set_pen(Pen::default());
        self.frame.extend_from_slice(match region {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[0J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[0K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        self.size.map_or_else(|| crossterm::terminal::size().map(Size::from), Ok)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::ZERO })
    }

    /// Ends the frame: one write, or none if nothing changed.
    fn flush(&mut self) -> io::Result<()> {
        self.place_caret();
        if self.frame.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(BEGIN.len() + self.frame.len() + END.len());
        bytes.extend_from_slice(BEGIN);
        bytes.append(&mut self.frame);
        bytes.extend_from_slice(END);
        self.out.write_all(&bytes)?;
        self.out.flush()
    }
}

/// How the terminal draws at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    fn write(self, frame: &mut Vec<u8>) {
        let modifiers = [
            (Modifier::BOLD, ";1"),
            (Modifier::DIM, ";2"),
            (Modifier::ITALIC, ";3"),
            (Modifier::UNDERLINED, ";4"),
            (Modifier::SLOW_BLINK, ";5"),
            (Modifier::RAPID_BLINK, ";6"),
            (Modifier::REVERSED, ";7"),
            (Modifier::HIDDEN, ";8"),
            (Modifier::CROSSED_OUT, ";9"),
        ];
        frame.extend_from_slice(b"\x1b[0");
        for (_, code) in modifiers.into_iter().filter(|(modifier, _)| self.modifier.contains(*modifier)) {
            frame.extend_from_slice(code.as_bytes());
        }
        write_color(frame, self.fg, 0);
        write_color(frame, self.bg, 10);
        frame.push(b'm');
    }
}

fn write_color(frame: &mut Vec<u8>, color: Color, ground: u8) {
    let plain = match color {
        Color::Reset => return,
        Color::Black => 30,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        Color::Gray => 37,
        Color::DarkGray => 90,
        Color::LightRed => 91,
        Color::LightGreen => 92,
        Color::LightYellow => 93,
        Color::LightBlue => 94,
        Color::LightMagenta => 95,
        Color::LightCyan => 96,
        Color::White => 97,
        Color::Indexed(_) | Color::Rgb(..) => 38,
    };
    // Writing to a vector cannot fail.
    let _ = match color {
        Color::Indexed(index) => write!(frame, ";{};5;{index}", plain + ground),
        Color::Rgb(red, green, blue) => write!(frame, ";{};2;{red};{green};{blue}", plain + ground),
        _ => write!(frame, ";{}", plain + ground),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written for cells that stand side by side, without the frame around it.
    fn written(symbols: &[&'static str]) -> String {
        let mut backend = SafeBackend::new(Vec::new(), Some(Size::new(20, 1)));
        let cells: Vec<Cell> = symbols.iter().map(|symbol| Cell::new(symbol)).collect();
        backend.draw(cells.iter().zip(0..).map(|(cell, x)| (x, 0, cell))).unwrap();
        backend.flush().unwrap();
        let bytes = String::from_utf8(backend.out).unwrap();
        let frame = bytes.strip_prefix("\x1b[?2026h").and_then(|rest| rest.strip_suffix("\x1b[?25l\x1b[?2026l"));
        frame.unwrap().to_owned()
    }

    #[test]
    fn even_what_nobody_checked_before_is_only_shown() {
        assert_eq!(written(&["a", "\x1b[2J", "b"]), "\x1b[1;1Ha \x1b[1;2H\u{fffd}\x1b[1;3Hb");
        assert_eq!(written(&["\u{301}", "b"]), "\x1b[1;1H b", "a mark does not go onto the cell before");
    }

    #[test]
    fn the_cells_behind_an_emoji_are_not_drawn_over_it() {
        assert_eq!(written(&["❤\u{fe0f}", " ", "b"]), "\x1b[1;1H  \x1b[1;1H❤\u{fe0f}\x1b[1;3Hb");
    }

    #[test]
    fn styles_are_written_when_they_change() {
        let mut backend = SafeBackend::new(Vec::new(), Some(Size::new(20, 1)));
        let mut cells = [Cell::new("a"), Cell::new("b"), Cell::new("c")];
        cells[0].fg = Color::LightRed;
        cells[0].modifier = Modifier::BOLD | Modifier::REVERSED;
        cells[1].bg = Color::Indexed(7);
        cells[2].bg = Color::Indexed(7);
        backend.draw(cells.iter().zip(0..).map(|(cell, x)| (x, 0, cell))).unwrap();
        assert_eq!(String::from_utf8(backend.frame).unwrap(), "\x1b[1;1H\x1b[0;1;7;91ma\x1b[0;48;5;7mbc\x1b[0m");
    }
}
