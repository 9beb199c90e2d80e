//! Frames: what a view paints becomes what the terminal shows.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
};

use ratatui::{
    Frame, Terminal,
    buffer::{Buffer, CellDiffOption, CellWidth},
    layout::Size,
};

use super::{Escape, SafeBackend};
use crate::text::{clean::is_showable, width};

/// The screen behind `W`.
#[derive(Debug)]
pub struct Screen<W: Write> {
    terminal: Terminal<SafeBackend<W>>,
    rows: Rows,
}

impl<W: Write> Screen<W> {
    /// A screen of whatever size the terminal has. Its first frame clears it.
    ///
    /// # Errors
    /// If the terminal does not tell its size.
    pub fn new(out: W) -> io::Result<Self> {
        Self::over(SafeBackend::new(out, None))
    }

    /// A screen of a fixed size.
    ///
    /// # Errors
    /// If `out` cannot be written to.
    pub fn with_size(out: W, size: Size) -> io::Result<Self> {
        Self::over(SafeBackend::new(out, Some(size)))
    }

    fn over(backend: SafeBackend<W>) -> io::Result<Self> {
        let mut screen = Self { terminal: Terminal::new(backend)?, rows: Rows::default() };
        screen.redraw()?;
        Ok(screen)
    }

    /// Paints a frame and writes what changed, all at once. The caret shows if `paint` sets the
    /// frame's cursor position.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let rows = &mut self.rows;
        self.terminal.draw(|frame| {
            paint(frame);
            rows.settle(frame.buffer_mut());
        })?;
        Ok(())
    }

    /// Writes a sequence that draws nothing: a title, a notification, a copy.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn emit(&mut self, escape: &Escape) -> io::Result<()> {
        self.terminal.backend_mut().emit(escape)
    }

    /// Makes the next frame clear the screen and write every cell, because something else wrote to
    /// the terminal.
    ///
    /// # Errors
    /// If the terminal does not tell its size.
    pub fn redraw(&mut self) -> io::Result<()> {
        self.terminal.backend_mut().distrust();
        self.terminal.clear()
    }

    /// # Errors
    /// If the terminal does not tell its size.
    pub fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    /// Gives a screen of a fixed size another one.
    pub fn resize(&mut self, size: Size) {
        self.terminal.backend_mut().resize(size);
    }

    /// Where the frames went.
    pub fn out(&self) -> &W {
        self.terminal.backend().out()
    }
}

/// Rows that hold wide clusters or such of uncertain width, by a hash of what they show.
///
/// A terminal may have drawn a cluster over its neighbours, and paints the other half of a glyph that
/// is overwritten as it likes, so a row that changes is written whole; one that does not is left alone.
#[derive(Debug, Default)]
struct Rows {
    uncertain: Vec<Option<u64>>,
}

impl Rows {
    /// Makes the cells of a frame safe to compare and to write.
    fn settle(&mut self, buffer: &mut Buffer) {
        let columns = usize::from(buffer.area.width);
        if columns == 0 {
            return;
        }
        self.uncertain.resize(usize::from(buffer.area.height), None);
        for (cells, known) in buffer.content.chunks_mut(columns).zip(&mut self.uncertain) {
            let mut is_uncertain = false;
            for (x, cell) in cells.iter_mut().enumerate() {
                let symbol = cell.symbol();
                if let [b' '..=b'~'] = symbol.as_bytes() {
                    continue;
                }
                if !is_showable(symbol) {
                    cell.set_symbol("\u{fffd}");
                } else if usize::from(symbol.cell_width()) > columns - x {
                    // Half a glyph at the edge would be drawn in the next row, or nowhere.
                    cell.set_symbol(" ");
                }
                is_uncertain |= cell.symbol().cell_width() > 1 || width::is_risky(cell.symbol());
            }
            let hash = is_uncertain.then(|| {
                let mut hasher = DefaultHasher::new();
                cells.hash(&mut hasher);
                hasher.finish()
            });
            if hash != *known {
                cells.iter_mut().for_each(|cell| {
                    cell.set_diff_option(CellDiffOption::AlwaysUpdate);
                });
            }
            *known = hash;
        }
    }
}

#[cfg(test)]
mod tests;
