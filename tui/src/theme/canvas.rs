//! How a picture's pixels become cells: half blocks where the terminal has the colours, else letters.

use ratatui::style::{Color, Style};

use super::{Ground, Tier, palette, xterm};
use crate::{picture::Rgb, text::Clean};

/// What pictures are painted on, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    ink: Ink,
    /// What shines through.
    pub ground: Rgb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ink {
    True,
    Indexed,
    /// Brightness alone, as letters that cover more and more of their cell.
    Letters {
        on_light: bool,
    },
}

/// From what covers nothing of its cell to what covers most.
const LETTERS: [Clean; 10] = [
    Clean::from_static(" "),
    Clean::from_static("."),
    Clean::from_static(":"),
    Clean::from_static("-"),
    Clean::from_static("="),
    Clean::from_static("+"),
    Clean::from_static("*"),
    Clean::from_static("#"),
    Clean::from_static("%"),
    Clean::from_static("@"),
];

impl Canvas {
    pub(super) fn new(tier: Tier, ground: Ground, ascii: bool) -> Self {
        let raised = palette(ground).raised.parts();
        match tier {
            Tier::True if !ascii => Self { ink: Ink::True, ground: raised },
            Tier::Indexed if !ascii => Self { ink: Ink::Indexed, ground: raised },
            _ => {
                let on_light = ground == Ground::Light;
                Self { ink: Ink::Letters { on_light }, ground: [if on_light { 255 } else { 0 }; 3] }
            }
        }
    }

    /// The sign of a cell with these two pixels, and how it looks.
    pub fn cell(self, [upper, lower]: [Rgb; 2]) -> (Clean, Style) {
        let block = |color: fn(Rgb) -> Color| (Clean::from_static("▀"), Style::new().fg(color(upper)).bg(color(lower)));
        match self.ink {
            Ink::True => block(|[red, green, blue]| Color::Rgb(red, green, blue)),
            Ink::Indexed => block(|rgb| Color::Indexed(nearest(rgb))),
            Ink::Letters { on_light } => {
                let bright = (brightness(upper) + brightness(lower)) / 2;
                let covered = if on_light { 255 - bright } else { bright };
                (LETTERS[covered * (LETTERS.len() - 1) / 255].clone(), Style::new())
            }
        }
    }
}

/// From 0 to 255, as the eye weighs the three colours.
fn brightness([red, green, blue]: Rgb) -> usize {
    (2 * usize::from(red) + 7 * usize::from(green) + usize::from(blue)) / 10
}

/// The nearest of xterm's colour cube and greys.
fn nearest(rgb: Rgb) -> u8 {
    let step = |level: u8| match level {
        ..48 => 0,
        48..115 => 1,
        _ => (level - 35) / 40,
    };
    let [red, green, blue] = rgb.map(step);
    let cube = 16 + 36 * red + 6 * green + blue;
    let mean = rgb.iter().map(|level| u16::from(*level)).sum::<u16>() / 3;
    let grey = 232 + u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(23);
    let distance = |index: &u8| {
        let pairs = rgb.into_iter().zip(xterm(*index).parts());
        pairs.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>()
    };
    [cube, grey].into_iter().min_by_key(distance).unwrap_or(cube)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAIR: [Rgb; 2] = [[255, 0, 0], [0, 0, 255]];

    #[test]
    fn a_cell_has_two_colours_where_there_are_colours() {
        let cell = |tier, ascii| Canvas::new(tier, Ground::Dark, ascii).cell(PAIR);
        let red_on_blue = Style::new().fg(Color::Rgb(255, 0, 0)).bg(Color::Rgb(0, 0, 255));
        assert_eq!(cell(Tier::True, false), (Clean::from_static("▀"), red_on_blue));
        let indexed = Style::new().fg(Color::Indexed(196)).bg(Color::Indexed(21));
        assert_eq!(cell(Tier::Indexed, false), (Clean::from_static("▀"), indexed));
        for (tier, ascii) in [(Tier::True, true), (Tier::Sixteen, false), (Tier::Mono, false)] {
            let (sign, style) = cell(tier, ascii);
            assert!(sign.as_str().is_ascii() && style == Style::new(), "{tier:?}");
        }
    }

    #[test]
    fn letters_are_dense_where_they_must_shine() {
        let sign =
            |ground, level: u8| Canvas::new(Tier::Mono, ground, true).cell([[level; 3]; 2]).0.as_str().to_owned();
        assert_eq!([0, 128, 255].map(|level| sign(Ground::Dark, level)), [" ", "=", "@"]);
        assert_eq!([0, 128, 255].map(|level| sign(Ground::Light, level)), ["@", "=", " "]);
    }

    proptest! {
        #[test]
        fn an_index_is_about_as_near_as_can_be(rgb in any::<Rgb>()) {
            let far = |index: u8| {
                let pairs = rgb.into_iter().zip(xterm(index).parts());
                pairs.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>()
            };
            let best = (16..=255).map(far).min().unwrap();
            prop_assert!(far(nearest(rgb)) <= best + 100, "{} {best}", far(nearest(rgb)));
        }
    }
}
