//! What to do with emoji whose width terminals disagree about.

use std::borrow::Cow;

use super::{scalar, width};

/// How emoji are shown; `v` on a message shows them in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Emoji {
    /// As they came: for terminals that said they draw a cluster as one.
    Full,
    /// Only those that every terminal draws two cells wide: 👍🏽 as 👍, a family as its first member,
    /// a flag as its letters.
    #[default]
    Safe,
    /// By name: `:red_heart:`.
    Text,
}

impl Emoji {
    /// The text in this manner; borrowed if nothing had to change.
    pub fn rewrite(self, text: &str) -> Cow<'_, str> {
        let rewrite: fn(&str) -> Option<Cow<'_, str>> = match self {
            Self::Full => return Cow::Borrowed(text),
            Self::Safe => safe,
            Self::Text => named,
        };
        if text.is_ascii() { Cow::Borrowed(text) } else { each_cluster(text, rewrite) }
    }
}

fn each_cluster(text: &str, rewrite: fn(&str) -> Option<Cow<'_, str>>) -> Cow<'_, str> {
    let mut out: Option<String> = None;
    for cluster in width::clusters(text) {
        let other = if cluster.text.len() > 1 { rewrite(cluster.text) } else { None };
        match (&mut out, other) {
            (None, None) => {}
            (None, Some(other)) => out = Some(text[..cluster.start].to_owned() + &other),
            (Some(out), other) => out.push_str(other.as_deref().unwrap_or(cluster.text)),
        }
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The risky cluster in a form that is two cells or letters; `None` if it may stay.
fn safe(cluster: &str) -> Option<Cow<'_, str>> {
    if !width::is_risky(cluster) {
        return None;
    }
    let base = cluster.chars().next()?;
    if scalar::is_flag_letter(base) {
        return Some(format!("[{}]", flag_letters(cluster)).into());
    }
    if cluster.ends_with('\u{20e3}') && base.is_ascii() {
        return Some(format!("[{base}]").into());
    }
    if cluster.ends_with('\u{e007f}') {
        return Some(format!("[{}]", tag_letters(cluster)).into());
    }
    if scalar::is_skin_tone(base) {
        return Some(Cow::Borrowed("[tone]"));
    }
    // Letters of other scripts are shaped by their joiners: without them they would be other words.
    scalar::is_emoji(base).then(|| Cow::Borrowed(&cluster[..base.len_utf8()]))
}

fn named(cluster: &str) -> Option<Cow<'_, str>> {
    let base = cluster.chars().next()?;
    let is_picture = scalar::is_emoji(base) && (width::cluster(cluster) > 1 || cluster.len() > base.len_utf8());
    if !is_picture {
        return safe(cluster);
    }
    if let Some(letters) = safe(cluster).filter(|text| text.starts_with('[')) {
        return Some(letters);
    }
    let name = NAMES.iter().find(|(c, _)| *c == base);
    Some(name.map_or_else(|| format!(":u+{:x}:", u32::from(base)), |(_, name)| format!(":{name}:")).into())
}

fn flag_letters(cluster: &str) -> String {
    let letters = cluster.chars().filter(|&c| scalar::is_flag_letter(c));
    letters.filter_map(|c| char::from_u32(u32::from(c) - 0x1f1e6 + u32::from('A'))).collect()
}

fn tag_letters(cluster: &str) -> String {
    let tags = cluster.chars().filter(|&c| scalar::is_tag(c) && c != '\u{e007f}');
    tags.filter_map(|c| char::from_u32(u32::from(c) - 0xe0000)).map(|c| c.to_ascii_uppercase()).collect()
}

/// The CLDR short names of the emoji that customers of shops use most.
const NAMES: [(char, &str); 96] = [
    ('😀', "grinning"),
    ('😁', "beaming"),
    ('😂', "joy"),
    ('😃', "smiley"),
    ('😄', "smile"),
    ('😅', "sweat_smile"),
    ('😆', "laughing"),
    ('😇', "innocent"),
    ('😉', "wink"),
    ('😊', "blush"),
    ('🙂', "slight_smile"),
    ('🙃', "upside_down"),
    ('😋', "yum"),
    ('😌', "relieved"),
    ('😍', "heart_eyes"),
    ('🥰', "smiling_with_hearts"),
    ('😘', "kiss"),
    ('😎', "sunglasses"),
    ('🤩', "star_struck"),
    ('🥳', "party_face"),
    ('😏', "smirk"),
    ('😐', "neutral"),
    ('😑', "expressionless"),
    ('😒', "unamused"),
    ('🙄', "eye_roll"),
    ('😔', "pensive"),
    ('😕', "confused"),
    ('🙁', "slight_frown"),
    ('☹', "frown"),
    ('😖', "confounded"),
    ('😞', "disappointed"),
    ('😟', "worried"),
    ('😠', "angry"),
    ('😡', "rage"),
    ('🤬', "swearing"),
    ('😢', "cry"),
    ('😭', "sob"),
    ('😤', "huffing"),
    ('😥', "sad_relieved"),
    ('😨', "fearful"),
    ('😩', "weary"),
    ('🥺', "pleading"),
    ('😫', "tired"),
    ('😬', "grimacing"),
    ('😰', "anxious"),
    ('😱', "scream"),
    ('😳', "flushed"),
    ('😴', "sleeping"),
    ('🤔', "thinking"),
    ('🤗', "hug"),
    ('🤣', "rofl"),
    ('🤦', "facepalm"),
    ('🤷', "shrug"),
    ('🤒', "ill"),
    ('🤮', "vomiting"),
    ('😷', "mask"),
    ('👍', "thumbs_up"),
    ('👎', "thumbs_down"),
    ('👌', "ok_hand"),
    ('✌', "victory"),
    ('🤞', "fingers_crossed"),
    ('👏', "clap"),
    ('🙌', "raised_hands"),
    ('🙏', "folded_hands"),
    ('💪', "muscle"),
    ('👋', "wave"),
    ('☝', "point_up"),
    ('👆', "backhand_up"),
    ('👇', "backhand_down"),
    ('👉', "backhand_right"),
    ('👈', "backhand_left"),
    ('❤', "red_heart"),
    ('🧡', "orange_heart"),
    ('💛', "yellow_heart"),
    ('💚', "green_heart"),
    ('💙', "blue_heart"),
    ('💜', "purple_heart"),
    ('🖤', "black_heart"),
    ('💔', "broken_heart"),
    ('💕', "two_hearts"),
    ('🔥', "fire"),
    ('✨', "sparkles"),
    ('🎉', "tada"),
    ('🎁', "gift"),
    ('⭐', "star"),
    ('✅', "check"),
    ('❌', "cross"),
    ('❗', "exclamation"),
    ('❓', "question"),
    ('⚠', "warning"),
    ('📦', "package"),
    ('🚚', "truck"),
    ('💰', "money_bag"),
    ('💳', "card"),
    ('📷', "camera"),
    ('📞', "phone"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{Clean, strange},
        *,
    };

    #[test]
    fn safe_keeps_what_every_terminal_draws_alike() {
        let text = "olá 😀 ❤\u{fe0f} 👍🏽 👨‍👩‍👧 🇧🇷 1\u{fe0f}\u{20e3} 日本 क्षि";
        assert_eq!(Emoji::Safe.rewrite(text), "olá 😀 ❤ 👍 👨 [BR] [1] 日本 क्षि");
        assert!(matches!(Emoji::Safe.rewrite("olá 😀"), Cow::Borrowed(_)));
        assert_eq!(Emoji::Full.rewrite(text), text);
    }

    #[test]
    fn text_says_their_names() {
        assert_eq!(Emoji::Text.rewrite("❤\u{fe0f} 👍🏽 🇧🇷 🦄"), ":red_heart: :thumbs_up: [BR] :u+1f984:");
        assert_eq!(Emoji::Text.rewrite("© → 日本"), "© → 日本");
    }

    #[test]
    fn a_flag_of_a_part_of_a_country_is_its_letters() {
        let scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        assert_eq!(Emoji::Safe.rewrite(scotland), "[GBSCT]");
    }

    proptest! {
        #[test]
        fn what_is_shown_stays_clean(raw in strange::text(0..40)) {
            let text = Clean::from_untrusted(&raw);
            for emoji in [Emoji::Safe, Emoji::Text] {
                let shown = text.shown(emoji);
                let again = Clean::from_untrusted(shown.as_str());
                prop_assert_eq!(again.as_str(), shown.as_str(), "{}", raw.escape_unicode());
                let emoji_left = width::clusters(shown.as_str()).any(|cluster| {
                    width::is_risky(cluster.text) && cluster.text.starts_with(scalar::is_emoji)
                });
                prop_assert!(!emoji_left);
            }
        }
    }
}
