//! Colours and signs by what they mean; no view names a colour.

mod canvas;

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
};

pub use self::canvas::Canvas;
use crate::text::Clean;

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    True,
    /// The 256 of xterm.
    Indexed,
    #[default]
    Sixteen,
    /// None: `NO_COLOR`.
    Mono,
}

/// What the terminal draws on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    #[default]
    Dark,
    Light,
}

/// Styles by meaning. Those for text set no background: `raised` and `selected` are drawn beneath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    pub fg: Style,
    pub muted: Style,
    /// Less than muted; on a selection use [`Theme::faint_on`].
    pub faint: Style,
    /// The ground of headers, cards and bars.
    pub raised: Style,
    /// The ground of the selected row.
    pub selected: Style,
    /// Focus and information.
    pub accent: Style,
    pub customer: Style,
    pub bot: Style,
    pub you: Style,
    /// A colleague, or the business's phone.
    pub peer: Style,
    /// The first answer is overdue or nearly so.
    pub urgent: Style,
    /// The window closes soon.
    pub warn: Style,
    pub ok: Style,
    pub danger: Style,
    /// The tick of a message that was read.
    pub read: Style,
    /// The band that names a production server.
    pub prod: Style,
    /// What pictures are painted on.
    pub canvas: Canvas,
    pub glyphs: &'static Glyphs,
}

impl Theme {
    pub fn new(tier: Tier, ground: Ground, ascii: bool) -> Self {
        let glyphs = if ascii { &ASCII } else { &WIDTH_SAFE };
        let canvas = Canvas::new(tier, ground, ascii);
        match tier {
            Tier::True => palette(ground).theme(glyphs, canvas, |rgb| rgb.color()),
            Tier::Indexed => palette(ground).theme(glyphs, canvas, |rgb| Color::Indexed(rgb.indexed(ground))),
            Tier::Sixteen => sixteen(glyphs, canvas),
            Tier::Mono => mono(glyphs, canvas),
        }
    }

    /// Faint text would be unreadable on a selection, where it is muted instead.
    pub fn faint_on(&self, selected: bool) -> Style {
        if selected { self.muted } else { self.faint }
    }
}

/// Signs and frames.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub customer: Clean,
    pub bot: Clean,
    pub you: Clean,
    pub peer: Clean,
    pub system: Clean,
    pub note: Clean,
    pub queued: Clean,
    pub sending: Clean,
    pub accepted: Clean,
    pub delivered: Clean,
    pub failed: Clean,
    pub held: Clean,
    pub unknown: Clean,
    pub yes: Clean,
    pub no: Clean,
    /// Someone waits for a person.
    pub waiting: Clean,
    pub flag: Clean,
    /// Time left to the first answer.
    pub timer: Clean,
    pub open: Clean,
    pub closed: Clean,
    pub up: Clean,
    pub cursor: Clean,
    pub ellipsis: Clean,
    pub enter: Clean,
    pub reply: Clean,
    pub separator: Clean,
    /// One step of a bar, done and left.
    pub step: Clean,
    pub step_left: Clean,
    /// Beside each row of a message.
    pub stem: Clean,
    pub rule: Clean,
    pub dashes: Clean,
    pub border: border::Set<'static>,
}

/// One cell wide in every terminal measured, and in no emoji font; borders are what `Glyphs` of
/// ASCII are for, where East Asian ambiguous characters are drawn wide.
pub static WIDTH_SAFE: Glyphs = Glyphs {
    customer: Clean::from_static("▸"),
    bot: Clean::from_static("✦"),
    you: Clean::from_static("❯"),
    peer: Clean::from_static("»"),
    system: Clean::from_static("∙"),
    note: Clean::from_static("✎"),
    queued: Clean::from_static("◷"),
    sending: Clean::from_static("⟳"),
    accepted: Clean::from_static("✓"),
    delivered: Clean::from_static("✓✓"),
    failed: Clean::from_static("✗"),
    held: Clean::from_static("⊘"),
    unknown: Clean::from_static("?"),
    yes: Clean::from_static("✓"),
    no: Clean::from_static("✗"),
    waiting: Clean::from_static("◌"),
    flag: Clean::from_static("⚑"),
    timer: Clean::from_static("⧗"),
    open: Clean::from_static("▾"),
    closed: Clean::from_static("▸"),
    up: Clean::from_static("▴"),
    cursor: Clean::from_static("❯"),
    ellipsis: Clean::from_static("⋯"),
    enter: Clean::from_static("⏎"),
    reply: Clean::from_static("⤷"),
    separator: Clean::from_static("∙"),
    step: Clean::from_static("▰"),
    step_left: Clean::from_static("▱"),
    stem: Clean::from_static("│"),
    rule: Clean::from_static("─"),
    dashes: Clean::from_static("╌"),
    border: border::ROUNDED,
};

/// For terminals and fonts that have nothing else.
pub static ASCII: Glyphs = Glyphs {
    customer: Clean::from_static(">"),
    bot: Clean::from_static("*"),
    you: Clean::from_static("@"),
    peer: Clean::from_static("&"),
    system: Clean::from_static("-"),
    note: Clean::from_static("#"),
    queued: Clean::from_static("o"),
    sending: Clean::from_static("~"),
    accepted: Clean::from_static("v"),
    delivered: Clean::from_static("vv"),
    failed: Clean::from_static("x"),
    held: Clean::from_static("/"),
    unknown: Clean::from_static("?"),
    yes: Clean::from_static("ok"),
    no: Clean::from_static("x"),
    waiting: Clean::from_static("o"),
    flag: Clean::from_static("!"),
    timer: Clean::from_static("~"),
    open: Clean::from_static("v"),
    closed: Clean::from_static(">"),
    up: Clean::from_static("^"),
    cursor: Clean::from_static(">"),
    ellipsis: Clean::from_static(".."),
    enter: Clean::from_static("Enter"),
    reply: Clean::from_static("`>"),
    separator: Clean::from_static("-"),
    step: Clean::from_static("#"),
    step_left: Clean::from_static("."),
    stem: Clean::from_static("|"),
    rule: Clean::from_static("-"),
    dashes: Clean::from_static("-"),
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

/// A colour as it is written: 0xRRGGBB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rgb(u32);

impl Rgb {
    const fn parts(self) -> [u8; 3] {
        let [_, red, green, blue] = self.0.to_be_bytes();
        [red, green, blue]
    }

    fn color(self) -> Color {
        let [red, green, blue] = self.parts();
        Color::Rgb(red, green, blue)
    }

    /// The nearest of xterm's colour cube and greys that is no darker than this on a dark ground, no
    /// lighter on a light one: the nearest of all may be too near to what it stands on.
    fn indexed(self, ground: Ground) -> u8 {
        let distance = |index: &u8| {
            let pairs = self.parts().into_iter().zip(xterm(*index).parts());
            pairs.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>()
        };
        let far_enough = |index: &u8| match ground {
            Ground::Dark => xterm(*index).brightness() >= self.brightness(),
            Ground::Light => xterm(*index).brightness() <= self.brightness(),
        };
        (16..=255).filter(far_enough).min_by_key(distance).unwrap_or(16)
    }

    /// As the eye weighs the three colours, roughly.
    fn brightness(self) -> u32 {
        let [red, green, blue] = self.parts().map(u32::from);
        2 * red + 7 * green + blue
    }
}

/// What xterm draws for an index from 16.
fn xterm(index: u8) -> Rgb {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    let [red, green, blue] = match index.saturating_sub(16) {
        grey @ 216.. => [8 + 10 * (grey - 216); 3],
        cube => [level(cube / 36), level(cube / 6 % 6), level(cube % 6)],
    };
    Rgb(u32::from_be_bytes([0, red, green, blue]))
}

/// Hues after Okabe and Ito, so that urgent, ok and bot stay apart in red-green vision.
struct Palette {
    base: Rgb,
    fg: Rgb,
    muted: Rgb,
    faint: Rgb,
    raised: Rgb,
    selected: Rgb,
    accent: Rgb,
    customer: Rgb,
    bot: Rgb,
    you: Rgb,
    peer: Rgb,
    urgent: Rgb,
    warn: Rgb,
    ok: Rgb,
    danger: Rgb,
    read: Rgb,
}

const PROD: Rgb = Rgb(0xff7a85);

const DARK: Palette = Palette {
    base: Rgb(0x11151c),
    fg: Rgb(0xdbe2ec),
    muted: Rgb(0x9aa7b8),
    faint: Rgb(0x8a96a6),
    raised: Rgb(0x1a212c),
    selected: Rgb(0x24364d),
    accent: Rgb(0x56b4e9),
    customer: Rgb(0xe6ebf2),
    bot: Rgb(0xc58fd6),
    you: Rgb(0x5fd0a5),
    peer: Rgb(0x7fc8d8),
    urgent: Rgb(0xff8a5c),
    warn: Rgb(0xf0c850),
    ok: Rgb(0x5fd0a5),
    danger: Rgb(0xff7a85),
    read: Rgb(0x6cc0ff),
};

const LIGHT: Palette = Palette {
    base: Rgb(0xfbfbf8),
    fg: Rgb(0x1c232d),
    muted: Rgb(0x4d5a6a),
    faint: Rgb(0x5f6b7a),
    raised: Rgb(0xf0f0eb),
    selected: Rgb(0xd6e6f5),
    accent: Rgb(0x005f99),
    customer: Rgb(0x1c232d),
    bot: Rgb(0x7b2d8e),
    you: Rgb(0x00674a),
    peer: Rgb(0x00617a),
    urgent: Rgb(0xa83c00),
    warn: Rgb(0x7a5900),
    ok: Rgb(0x00674a),
    danger: Rgb(0xb3152e),
    read: Rgb(0x0059a8),
};

const fn palette(ground: Ground) -> &'static Palette {
    match ground {
        Ground::Dark => &DARK,
        Ground::Light => &LIGHT,
    }
}

impl Palette {
    fn theme(&self, glyphs: &'static Glyphs, canvas: Canvas, color: impl Fn(Rgb) -> Color) -> Theme {
        let fg = |rgb| Style::new().fg(color(rgb));
        Theme {
            fg: fg(self.fg),
            muted: fg(self.muted),
            faint: fg(self.faint),
            raised: Style::new().bg(color(self.raised)),
            selected: Style::new().bg(color(self.selected)),
            accent: fg(self.accent),
            customer: fg(self.customer),
            bot: fg(self.bot),
            you: fg(self.you),
            peer: fg(self.peer),
            urgent: fg(self.urgent).add_modifier(Modifier::BOLD),
            warn: fg(self.warn),
            ok: fg(self.ok),
            danger: fg(self.danger).add_modifier(Modifier::BOLD),
            read: fg(self.read),
            prod: Style::new().fg(color(DARK.base)).bg(color(PROD)).add_modifier(Modifier::BOLD),
            canvas,
            glyphs,
        }
    }
}

fn sixteen(glyphs: &'static Glyphs, canvas: Canvas) -> Theme {
    let plain = Style::new();
    let dim = plain.add_modifier(Modifier::DIM);
    let bold = plain.add_modifier(Modifier::BOLD);
    Theme {
        fg: plain,
        muted: dim,
        faint: dim,
        raised: plain,
        selected: plain.add_modifier(Modifier::REVERSED),
        accent: plain.fg(Color::Cyan),
        customer: plain,
        bot: plain.fg(Color::Magenta),
        you: plain.fg(Color::Green),
        peer: plain.fg(Color::Cyan),
        urgent: bold.fg(Color::Yellow),
        warn: plain.fg(Color::Yellow),
        ok: plain.fg(Color::Green),
        danger: bold.fg(Color::Red),
        read: plain.fg(Color::Cyan),
        prod: bold.fg(Color::Red).add_modifier(Modifier::REVERSED),
        canvas,
        glyphs,
    }
}

fn mono(glyphs: &'static Glyphs, canvas: Canvas) -> Theme {
    let plain = Style::new();
    let dim = plain.add_modifier(Modifier::DIM);
    let bold = plain.add_modifier(Modifier::BOLD);
    Theme {
        fg: plain,
        muted: dim,
        faint: dim,
        raised: plain,
        selected: plain.add_modifier(Modifier::REVERSED),
        accent: bold,
        customer: plain,
        bot: plain,
        you: plain,
        peer: plain,
        urgent: bold,
        warn: plain.add_modifier(Modifier::UNDERLINED),
        ok: plain,
        danger: bold,
        read: plain,
        prod: bold.add_modifier(Modifier::REVERSED),
        canvas,
        glyphs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;

    /// Relative luminance, WCAG 2.2.
    fn luminance(rgb: Rgb) -> f64 {
        let [red, green, blue] = rgb.parts().map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn rgb(color: Option<Color>) -> Rgb {
        match color {
            Some(Color::Rgb(red, green, blue)) => Rgb(u32::from_be_bytes([0, red, green, blue])),
            Some(Color::Indexed(index)) => xterm(index),
            other => panic!("not a colour: {other:?}"),
        }
    }

    #[test]
    fn all_text_can_be_read() {
        for (tier, ground) in
            [Tier::True, Tier::Indexed].into_iter().flat_map(|tier| [(tier, Ground::Dark), (tier, Ground::Light)])
        {
            let theme = Theme::new(tier, ground, false);
            let grounds = [palette(ground).base, rgb(theme.raised.bg), rgb(theme.selected.bg)];
            let texts = [
                theme.fg,
                theme.muted,
                theme.accent,
                theme.customer,
                theme.bot,
                theme.you,
                theme.peer,
                theme.urgent,
                theme.warn,
                theme.ok,
                theme.danger,
                theme.read,
                theme.faint_on(true),
            ];
            let pairs = texts.iter().flat_map(|text| grounds.map(|ground| (rgb(text.fg), ground)));
            let faint = grounds[..2].iter().map(|ground| (rgb(theme.faint_on(false).fg), *ground));
            for (text, on) in pairs.chain(faint).chain([(rgb(theme.prod.fg), rgb(theme.prod.bg))]) {
                let contrast = contrast(text, on);
                assert!(contrast >= 4.5, "{tier:?} {ground:?}: {text:?} on {on:?} is {contrast:.2}");
            }
        }
    }

    #[test]
    fn without_colour_no_colour_is_used() {
        let theme = Theme::new(Tier::Mono, Ground::Dark, false);
        let styles =
            [theme.fg, theme.bot, theme.urgent, theme.warn, theme.danger, theme.selected, theme.prod, theme.accent];
        assert!(styles.iter().all(|style| style.fg.is_none() && style.bg.is_none()));
    }

    #[test]
    fn signs_have_the_cells_of_their_letters_and_ascii_is_ascii() {
        for glyphs in [&WIDTH_SAFE, &ASCII] {
            let single =
                [&glyphs.customer, &glyphs.bot, &glyphs.you, &glyphs.flag, &glyphs.stem, &glyphs.rule, &glyphs.step];
            assert!(single.iter().all(|glyph| width::of(glyph.as_str()) == 1));
            assert!(single.iter().all(|glyph| !width::is_risky(glyph.as_str())));
        }
        assert!(format!("{:?}", ASCII.border).is_ascii());
        let ascii = [&ASCII.ellipsis, &ASCII.enter, &ASCII.accepted, &ASCII.delivered, &ASCII.timer, &ASCII.reply];
        assert!(ascii.iter().all(|glyph| glyph.as_str().is_ascii()));
    }
}
