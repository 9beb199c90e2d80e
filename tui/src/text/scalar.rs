//! What becomes of a single code point of somebody else's text.

/// What the filter does with a code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Keep,
    /// One of the ways to end a line.
    LineEnd,
    Tab,
    /// Shown as U+FFFD: it does something, or nobody knows what it looks like.
    Replace,
    /// Taken out and counted: it is invisible or turns the direction of writing.
    Hide,
    /// U+FE0E: asks for the text form of an emoji. Terminals disagree about its width.
    TextForm,
    /// U+FE0F: asks for the colourful form.
    EmojiForm,
    /// U+200D: glues emoji and shapes letters.
    Joiner,
    /// U+200C: keeps letters apart.
    NonJoiner,
}

/// Sorts `c`; the sets are those of Unicode 16 (general categories Cc, Cf, Co, Zl, Zp and
/// `Default_Ignorable_Code_Point`).
pub(super) fn fate(c: char) -> Fate {
    match c {
        ' '..='~' => Fate::Keep,
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Fate::LineEnd,
        '\t' => Fate::Tab,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Fate::Replace,
        '\u{200c}' => Fate::NonJoiner,
        '\u{200d}' => Fate::Joiner,
        '\u{fe0e}' => Fate::TextForm,
        '\u{fe0f}' => Fate::EmojiForm,
        _ if is_invisible(c) => Fate::Hide,
        _ if is_unshowable(c) => Fate::Replace,
        _ => Fate::Keep,
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0100}'..='\u{e01ef}')
}

/// Fillers, annotation marks, tags, private use and noncharacters.
fn is_unshowable(c: char) -> bool {
    let code = u32::from(c);
    matches!(c,
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{f0000}'..='\u{10ffff}')
        || code & 0xfffe == 0xfffe
}

/// Whether `c` is drawn as a picture, or can be; the blocks, not the exact list, which grows yearly.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{21aa}'
        | '\u{231a}'..='\u{23ff}' | '\u{24c2}' | '\u{25aa}'..='\u{27bf}' | '\u{2934}' | '\u{2935}'
        | '\u{2b05}'..='\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
        && !is_flag_letter(c)
}

/// Half of a flag.
pub(super) fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

pub(super) fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// The letters and end mark of a flag of a part of a country.
pub(super) fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

/// Whether joiners between such letters change how they are written.
pub(super) fn is_joining_script(c: char) -> bool {
    matches!(c,
        '\u{606}'..='\u{dff}' | '\u{f00}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{1a20}'..='\u{1aaf}'
        | '\u{1b00}'..='\u{1c4f}' | '\u{a840}'..='\u{a9df}' | '\u{aa60}'..='\u{aa7f}' | '\u{abc0}'..='\u{abff}'
        | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{10fff}' | '\u{11000}'..='\u{11fff}'
        | '\u{1e900}'..='\u{1e95f}')
}

/// Hebrew, Arabic and the other scripts written from right to left.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_point_that_acts_is_kept() {
        let acting = (0..=0x9f).filter_map(char::from_u32).filter(|c| c.is_control());
        assert!(acting.into_iter().all(|c| fate(c) != Fate::Keep));
        let turning = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202e}', '\u{2066}', '\u{2069}'];
        assert!(turning.into_iter().all(|c| fate(c) == Fate::Hide));
    }

    #[test]
    fn code_points_without_a_shape_are_replaced() {
        for c in ['\u{e000}', '\u{fffe}', '\u{1ffff}', '\u{10ffff}', '\u{3164}', '\u{e0041}', '\u{fff9}'] {
            assert_eq!(fate(c), Fate::Replace, "{:x}", u32::from(c));
        }
        assert_eq!(fate('\u{fffd}'), Fate::Keep);
        assert_eq!(fate('é'), Fate::Keep);
    }
}
