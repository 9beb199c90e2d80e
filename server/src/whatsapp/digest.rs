//! SHA-256 as Meta writes it: base64 in webhooks, hex in the answer of `GET /<media id>`.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Of either alphabet, with its padding or without.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ALPHABETS: [alphabet::Alphabet; 2] = [alphabet::STANDARD, alphabet::URL_SAFE];

/// The digest, however it is written; `None` if it is none. 64 hexadecimal digits would be 48 bytes
/// of base64, so the two are never mistaken for each other.
pub fn read(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let mut digest = [0; 32];
    if hex::decode_to_slice(text, &mut digest).is_ok() {
        return Some(digest);
    }
    ALPHABETS.iter().find_map(|alphabet| {
        let bytes = GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()?;
        bytes.try_into().ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hex_and_base64_are_the_same_digest() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let both = ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"];
        for base64 in both {
            assert_eq!(read(base64), read(hex), "{base64}");
        }
        assert_eq!(read(&hex.to_uppercase()), read(hex));
        assert_eq!(read(""), None);
        assert_eq!(read("47DEQpj8"), None);
    }

    proptest! {
        #[test]
        fn every_digest_is_read_in_both_forms(digest in any::<[u8; 32]>()) {
            let base64 = base64::engine::general_purpose::STANDARD.encode(digest);
            prop_assert_eq!(read(&base64), Some(digest));
            prop_assert_eq!(read(&hex::encode(digest)), Some(digest));
        }

        #[test]
        fn any_text_is_survived(text in ".{0,80}") {
            let _ = read(&text);
        }
    }
}
