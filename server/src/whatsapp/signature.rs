//! `X-Hub-Signature-256`: proof that these very bytes come from Meta.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header that carries the signature, in lower case.
pub const HEADER: &str = "x-hub-signature-256";

/// Why a body is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    #[error("the signature header is missing")]
    Missing,
    #[error("the signature header is not `sha256=` and 64 hexadecimal digits")]
    Malformed,
    #[error("the signature does not fit the body and any of the app's secrets")]
    Wrong,
}

/// Checks the header over the raw bytes, in constant time for each secret. During a rotation the
/// old and the new app secret are both valid.
///
/// # Errors
/// If no secret fits; an empty secret never does.
pub fn verify<'a>(
    secrets: impl IntoIterator<Item = &'a [u8]>,
    header: Option<&[u8]>,
    body: &[u8],
) -> Result<(), Forged> {
    let claimed = claimed(header.ok_or(Forged::Missing)?).ok_or(Forged::Malformed)?;
    let fits = |secret: &[u8]| {
        Hmac::<Sha256>::new_from_slice(secret).is_ok_and(|key| key.chain_update(body).verify_slice(&claimed).is_ok())
    };
    let mut secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
    if secrets.any(fits) { Ok(()) } else { Err(Forged::Wrong) }
}

fn claimed(header: &[u8]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(header.strip_prefix(b"sha256=")?, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"test_app_secret";
    const EMPTY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    const EMPTY_SIGNED: &[u8] = b"sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756";

    fn sign(secret: &[u8], body: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn a_known_body_and_secret_fit() {
        assert_eq!(verify([SECRET], Some(EMPTY_SIGNED), EMPTY), Ok(()));
        assert_eq!(sign(SECRET, EMPTY).as_bytes(), EMPTY_SIGNED);
    }

    #[test]
    fn the_raw_bytes_count_not_what_they_mean() {
        let escaped = br#"{"entry":[{"id":"caf\u00e9 a\/b"}]}"#;
        let signed = sign(SECRET, escaped);
        assert_eq!(verify([SECRET], Some(signed.as_bytes()), escaped), Ok(()));
        let same_meaning = r#"{"entry":[{"id":"café a/b"}]}"#;
        assert_eq!(verify([SECRET], Some(signed.as_bytes()), same_meaning.as_bytes()), Err(Forged::Wrong));
    }

    #[test]
    fn two_secrets_are_valid_while_they_rotate_and_none_is_empty() {
        let old: &[u8] = b"older";
        assert_eq!(verify([old, SECRET], Some(EMPTY_SIGNED), EMPTY), Ok(()));
        assert_eq!(verify([SECRET, old], Some(EMPTY_SIGNED), EMPTY), Ok(()));
        assert_eq!(verify([old], Some(EMPTY_SIGNED), EMPTY), Err(Forged::Wrong));
        let by_nobody = sign(b"", EMPTY);
        assert_eq!(verify([b"".as_slice()], Some(by_nobody.as_bytes()), EMPTY), Err(Forged::Wrong));
    }

    #[test]
    fn a_header_of_another_shape_is_refused() {
        assert_eq!(verify([SECRET], None, EMPTY), Err(Forged::Missing));
        for header in ["", "sha256=", "sha1=00", "sha256=zz", &format!("sha256={}", "0".repeat(66))] {
            assert_eq!(verify([SECRET], Some(header.as_bytes()), EMPTY), Err(Forged::Malformed), "{header}");
        }
    }

    proptest! {
        #[test]
        fn promise_11_nothing_but_the_very_bytes_passes(
            body in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), bit in 0_u8..8,
        ) {
            let signed = sign(SECRET, &body);
            prop_assert_eq!(verify([SECRET], Some(signed.as_bytes()), &body), Ok(()));
            let mut other = body.clone();
            other[at.index(body.len())] ^= 1 << bit;
            prop_assert_eq!(verify([SECRET], Some(signed.as_bytes()), &other), Err(Forged::Wrong));
        }

        #[test]
        fn any_header_is_survived(header in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(verify([SECRET], Some(&header), EMPTY).is_err());
        }
    }
}
