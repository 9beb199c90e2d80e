//! What the terminal can do: from the environment, and by asking it.

use std::time::Duration;

use super::notify::Channel;
use crate::theme::{Ground, Tier};

/// What the environment tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    pub tier: Tier,
    /// The locale has no UTF-8: draw with ASCII.
    pub ascii: bool,
    /// `COLORFGBG`; an answer of the terminal counts more.
    pub ground: Option<Ground>,
    pub channel: Channel,
    pub in_tmux: bool,
    /// Over ssh answers take longer.
    pub over_ssh: bool,
    /// Another program can show something beside the terminal.
    pub has_screen: bool,
    /// `TERM=dumb`: it cannot place a cursor.
    pub dumb: bool,
    /// Whether the terminal may be asked; a test harness would not answer.
    pub may_ask: bool,
}

impl Environment {
    /// Reads the variables through `get`, which tells the value of a name.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| get(name).unwrap_or_default();
        let has = |name: &str| !get(name).is_empty();
        let term = get("TERM");
        Self {
            tier: tier(has("NO_COLOR"), &get("COLORTERM"), &term),
            ascii: !cfg!(windows) && !is_utf8(&[get("LC_ALL"), get("LC_CTYPE"), get("LANG")]),
            ground: ground_of_indices(&get("COLORFGBG")),
            channel: channel(&get("TERM_PROGRAM"), &term, has("VTE_VERSION")),
            in_tmux: has("TMUX"),
            has_screen: cfg!(any(target_os = "macos", windows)) || has("DISPLAY") || has("WAYLAND_DISPLAY"),
            over_ssh: has("SSH_TTY") || has("SSH_CONNECTION"),
            dumb: term == "dumb",
            may_ask: get("BATON_TEST_PROBES") != "none" && term != "dumb",
        }
    }
}

fn tier(no_color: bool, color_term: &str, term: &str) -> Tier {
    let modern = ["kitty", "ghostty", "alacritty", "foot", "wezterm", "direct"];
    if no_color || term == "dumb" {
        Tier::Mono
    } else if matches!(color_term, "truecolor" | "24bit") || modern.iter().any(|name| term.contains(name)) {
        Tier::True
    } else if term.contains("256color") {
        Tier::Indexed
    } else {
        Tier::Sixteen
    }
}

/// The first of the variables that is set decides, as in POSIX.
fn is_utf8(locale: &[String]) -> bool {
    let decisive = locale.iter().find(|value| !value.is_empty());
    decisive.is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

fn ground_of_indices(colors: &str) -> Option<Ground> {
    match colors.rsplit(';').next()?.parse::<u8>().ok()? {
        0..=6 | 8 => Some(Ground::Dark),
        7 | 9..=15 => Some(Ground::Light),
        _ => None,
    }
}

fn channel(program: &str, term: &str, vte: bool) -> Channel {
    let osc9 = ["iTerm.app", "WezTerm", "ghostty"].contains(&program)
        || ["kitty", "ghostty"].iter().any(|name| term.contains(name));
    if osc9 {
        Channel::Osc9
    } else if vte || term.starts_with("rxvt-unicode") || term.starts_with("foot") {
        Channel::Osc777
    } else {
        Channel::Bell
    }
}

/// What the terminal answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub ground: Option<Ground>,
    /// It draws lines and boxes two cells wide: draw with ASCII.
    pub wide_lines: bool,
    /// It draws an emoji of several code points as one (mode 2027).
    pub whole_clusters: bool,
    /// It answered everything; if not, late answers may look like keys: see [`super::Stray`].
    pub complete: bool,
}

/// How long to wait for each answer: a person should not notice, a far terminal should be heard.
pub fn patience(environment: &Environment) -> Duration {
    Duration::from_millis(if environment.over_ssh { 400 } else { 100 })
}

/// Where a line ends that was drawn from the first column; the background colour; mode 2027; and,
/// because every terminal answers that, what it is.
#[cfg(unix)]
const QUESTIONS: &[u8] = b"\x1b[H\xe2\x94\x80\x1b[6n\x1b[H\x1b[2K\x1b]11;?\x07\x1b[?2027$p\x1b[c";

/// Four answers have a tenth of this; a key held down would go on for ever.
#[cfg(unix)]
const ANSWER_BYTES_MAX: usize = 1_024;

/// Asks the terminal, and blocks until it has answered or said nothing for `patience` (in steps of
/// 0.1 s). Must be called in raw mode, before anything else reads keys and before the first frame.
/// Keys pressed meanwhile are lost.
#[cfg(unix)]
pub fn ask(patience: Duration) -> Answers {
    let mut answer = Vec::new();
    // No terminal, or one that fails: what has been heard until then counts.
    let _ = listen(patience, &mut answer);
    parse(&answer)
}

/// Only terminals of Unix are asked.
#[cfg(not(unix))]
pub fn ask(_patience: Duration) -> Answers {
    Answers { complete: true, ..Answers::default() }
}

#[cfg(unix)]
fn listen(patience: Duration, answer: &mut Vec<u8>) -> std::io::Result<()> {
    use std::io::Write;

    use rustix::{
        stdio::stdin,
        termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr},
    };

    let before = tcgetattr(stdin())?;
    let mut impatient = before.clone();
    impatient.special_codes[SpecialCodeIndex::VMIN] = 0;
    impatient.special_codes[SpecialCodeIndex::VTIME] =
        u8::try_from(patience.as_millis() / 100).unwrap_or(u8::MAX).max(1);
    tcsetattr(stdin(), OptionalActions::Now, &impatient)?;
    let mut out = std::io::stdout().lock();
    let heard = out.write_all(QUESTIONS).and_then(|()| out.flush()).and_then(|()| hear(answer));
    tcsetattr(stdin(), OptionalActions::Now, &before)?;
    heard
}

/// Reads around `Stdin`, whose buffer would keep what comes after the answers.
#[cfg(unix)]
fn hear(answer: &mut Vec<u8>) -> std::io::Result<()> {
    let mut chunk = [0; 256];
    while !parse(answer).complete && answer.len() < ANSWER_BYTES_MAX {
        match rustix::io::read(rustix::stdio::stdin(), &mut chunk)? {
            0 => break,
            count => answer.extend_from_slice(&chunk[..count]),
        }
    }
    Ok(())
}

fn parse(answer: &[u8]) -> Answers {
    let answer = String::from_utf8_lossy(answer);
    let mut answers = Answers::default();
    for part in answer.split('\x1b').skip(1) {
        if let Some(color) = part.strip_prefix("]11;") {
            answers.ground = ground_of_color(color.trim_end_matches('\x07'));
        } else if let Some(mode) = part.strip_prefix("[?2027;") {
            answers.whole_clusters = matches!(mode.split('$').next(), Some("1" | "3"));
        } else if let Some(attributes) = part.strip_prefix("[?") {
            answers.complete |= attributes.trim_end_matches(|c| c != 'c').ends_with('c');
        } else if let Some(place) = part.strip_prefix('[').and_then(|place| place.split('R').next()) {
            answers.wide_lines |= place == "1;3";
        }
    }
    answers
}

/// `rgb:11/15/1c`, or with four digits each, or `rgba:` with a fourth part.
fn ground_of_color(color: &str) -> Option<Ground> {
    let parts = color.strip_prefix("rgb:").or_else(|| color.strip_prefix("rgba:"))?;
    let mut parts = parts.split('/').map(|part| {
        let part = part.get(..4.min(part.len()))?;
        let most = 16_u32.checked_pow(u32::try_from(part.len()).ok()?)? - 1;
        Some(u32::from_str_radix(part, 16).ok()? * 1_000 / most.max(1))
    });
    let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
    let brightness = (299 * red + 587 * green + 114 * blue) / 1_000;
    Some(if brightness > 500 { Ground::Light } else { Ground::Dark })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Environment::read(|name| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn colours_follow_the_environment() {
        let tier = |variables: &[(&str, &str)]| environment(variables).tier;
        assert_eq!(tier(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Tier::True);
        assert_eq!(tier(&[("TERM", "xterm-kitty")]), Tier::True);
        assert_eq!(tier(&[("TERM", "screen-256color")]), Tier::Indexed);
        assert_eq!(tier(&[("TERM", "xterm")]), Tier::Sixteen);
        assert_eq!(tier(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]), Tier::Mono);
        assert_eq!(tier(&[("TERM", "xterm"), ("NO_COLOR", "")]), Tier::Sixteen);
    }

    #[test]
    fn without_utf8_there_is_ascii() {
        assert!(!environment(&[("LANG", "pt_BR.UTF-8")]).ascii);
        assert!(environment(&[("LANG", "pt_BR.UTF-8"), ("LC_ALL", "C")]).ascii);
        assert!(!environment(&[("LC_ALL", "C.utf8")]).ascii);
        assert!(environment(&[]).ascii);
    }

    #[test]
    fn grounds_are_read_from_colorfgbg() {
        let ground = |value: &str| environment(&[("COLORFGBG", value)]).ground;
        assert_eq!(ground("15;0"), Some(Ground::Dark));
        assert_eq!(ground("0;default;15"), Some(Ground::Light));
        assert_eq!(ground("12;8"), Some(Ground::Dark));
        assert_eq!(ground("default"), None);
    }

    #[test]
    fn notifications_go_where_they_are_understood() {
        assert_eq!(environment(&[("TERM_PROGRAM", "iTerm.app")]).channel, Channel::Osc9);
        assert_eq!(environment(&[("TERM", "foot")]).channel, Channel::Osc777);
        assert_eq!(environment(&[("TERM", "xterm")]).channel, Channel::Bell);
    }

    #[test]
    fn a_dumb_terminal_is_not_asked() {
        assert!(!environment(&[("TERM", "dumb")]).may_ask);
        assert!(!environment(&[("TERM", "xterm"), ("BATON_TEST_PROBES", "none")]).may_ask);
        assert!(environment(&[("TERM", "xterm")]).may_ask);
    }

    #[test]
    fn answers_are_understood() {
        let all = parse(b"\x1b[1;2R\x1b]11;rgb:1111/1515/1c1c\x1b\\\x1b[?2027;1$y\x1b[?62;4;22c");
        assert_eq!(
            all,
            Answers { ground: Some(Ground::Dark), wide_lines: false, whole_clusters: true, complete: true }
        );
        let light = parse(b"\x1b[1;3R\x1b]11;rgba:fb/fb/f8/ff\x07\x1b[?2027;0$y\x1b[?6c");
        assert_eq!(
            light,
            Answers { ground: Some(Ground::Light), wide_lines: true, whole_clusters: false, complete: true }
        );
        assert_eq!(parse(b"\x1b]11;rgb:fff/fff/fff\x07").ground, Some(Ground::Light));
    }

    #[test]
    fn nonsense_and_half_answers_mean_nothing() {
        for answer in [
            "",
            "jk",
            "\x1b",
            "\x1b[",
            "\x1b[?",
            "\x1b]11;",
            "\x1b]11;rgb:",
            "\x1b]11;rgb:zz/1/1\x07",
            "\x1b]11;rgb:é/é/é\x07",
            "\x1b[?62;4",
        ] {
            assert_eq!(parse(answer.as_bytes()), Answers::default(), "{answer:?}");
        }
        assert!(!parse(b"\x1b]11;rgb:0000/0000/0000\x07\x1b[?62").complete);
    }
}
