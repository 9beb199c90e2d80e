//! `cargo run -p baton-tests --bin picture`: the README's pictures, taken of the real demo in a real
//! terminal, once in the dark and once in the light.

use std::{fmt::Write, fs, path::Path, time::Duration};

use baton_tests::{programs::binary, pty::Terminal};

const COLUMNS: u16 = 120;
const ROWS: u16 = 36;
/// Of one cell, in the picture's units.
const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 18.0;
const BORDER: f32 = 14.0;

/// What a terminal shows where a program names no colour.
struct Ground {
    name: &'static str,
    /// As terminals tell programs: text;ground.
    told: &'static str,
    text: &'static str,
    ground: &'static str,
}

const GROUNDS: [Ground; 2] = [
    Ground { name: "dark", told: "15;0", text: "#dbe2ec", ground: "#11151c" },
    Ground { name: "light", told: "0;15", text: "#1c232d", ground: "#fbfbf8" },
];

fn main() -> std::io::Result<()> {
    let demo = binary("demo");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for ground in GROUNDS {
        let home = tempfile::tempdir()?;
        let folder = home.path().to_string_lossy().into_owned();
        let environment = [("HOME", folder.as_str()), ("COLORFGBG", ground.told)];
        let mut terminal = Terminal::run(&demo, &["--seed", "4"], &environment, COLUMNS, ROWS);
        pose(&mut terminal);
        let path = docs.join(format!("inbox-{}.svg", ground.name));
        fs::write(&path, svg(terminal.screen(), &ground))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// An agent at work: one conversation taken and answered, the next words half typed.
fn pose(terminal: &mut Terminal) {
    terminal.sees("James Okafor");
    terminal.sees("Lucía Fernández");
    terminal.press("\u{1b}");
    terminal.read_for(Duration::from_secs(4));
    terminal.press("u");
    terminal.sees("WAITS");
    linger(terminal);
    terminal.press("t");
    terminal.sees("YOURS");
    linger(terminal);
    terminal.press("i");
    terminal.types("Guten Tag, hier ist Alex. Ich schaue sofort nach.");
    terminal.press("\r");
    terminal.sees("✓✓");
    for _ in 0..8 {
        linger(terminal);
    }
    terminal.types("Wann haben Sie die Lampe gekauft?");
}

/// As long as a person looks before the next key.
fn linger(terminal: &mut Terminal) {
    for _ in 0..8 {
        terminal.read_for(Duration::from_millis(100));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn svg(screen: &vt100::Screen, ground: &Ground) -> String {
    let (width, height) = (f32::from(COLUMNS) * WIDTH + 2.0 * BORDER, f32::from(ROWS) * HEIGHT + 2.0 * BORDER);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"{}\"/>\n",
        ground.ground
    );
    for row in 0..ROWS {
        let mut column = 0;
        while column < COLUMNS {
            let end = run_end(screen, row, column);
            draw_run(&mut svg, screen, row, column..end, ground);
            column = end;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where the cells of one look end; a wide or rare character stands alone, so that it cannot shift
/// the others in a reader's font.
fn run_end(screen: &vt100::Screen, row: u16, start: u16) -> u16 {
    let Some(first) = screen.cell(row, start) else { return start + 1 };
    if first.is_wide() {
        return start + 2;
    }
    let plain = |cell: &vt100::Cell| !cell.is_wide() && cell.contents().is_ascii();
    let mut end = start + 1;
    while end < COLUMNS
        && plain(first)
        && screen.cell(row, end).is_some_and(|cell| plain(cell) && look(cell) == look(first))
    {
        end += 1;
    }
    end
}

fn look(cell: &vt100::Cell) -> (vt100::Color, vt100::Color, bool, bool, bool) {
    (cell.fgcolor(), cell.bgcolor(), cell.bold(), cell.inverse(), cell.dim())
}

fn draw_run(svg: &mut String, screen: &vt100::Screen, row: u16, cells: std::ops::Range<u16>, ground: &Ground) {
    let Some(first) = screen.cell(row, cells.start) else { return };
    let text: String = cells
        .clone()
        .filter_map(|column| screen.cell(row, column))
        .map(|cell| if cell.contents().is_empty() { " " } else { cell.contents() })
        .collect();
    let (mut front, mut back) = (hex(first.fgcolor(), ground.text), hex(first.bgcolor(), ground.ground));
    if first.inverse() {
        std::mem::swap(&mut front, &mut back);
    }
    let (x, y) = (BORDER + f32::from(cells.start) * WIDTH, BORDER + f32::from(row) * HEIGHT);
    let length = f32::from(cells.end - cells.start) * WIDTH;
    if back != ground.ground {
        // Writing to a string cannot fail.
        let _ = writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{length}\" height=\"{HEIGHT}\" fill=\"{back}\"/>");
    }
    if text.trim().is_empty() {
        return;
    }
    let weight = if first.bold() { " font-weight=\"bold\"" } else { "" };
    let faint = if first.dim() { " opacity=\"0.7\"" } else { "" };
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "\u{a0}");
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" \
         fill=\"{front}\"{weight}{faint}>{escaped}</text>",
        y + 13.5
    );
}

fn hex(color: vt100::Color, default: &str) -> String {
    match color {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        vt100::Color::Idx(index) => format!("#{0:02x}{0:02x}{0:02x}", index.saturating_mul(8).saturating_add(40)),
    }
}
