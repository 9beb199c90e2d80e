//! Ids that look like Meta's, from the seeded numbers: opaque to the receiver, as real ones are.

use fastrand::Rng;

/// Which way a message goes; stands inside its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToCustomer,
    FromCustomer,
}

/// `wamid.` and base64 of a small binary form that holds the customer's digits, the way and a
/// random id (decoded from public samples).
pub(crate) fn wamid(rng: &mut Rng, way: Way, digits: &str) -> String {
    let (mark, hex_digits) = match way {
        Way::ToCustomer => (0x11, 18),
        Way::FromCustomer => (0x12, 20),
    };
    let digits = &digits.as_bytes()[..digits.len().min(32)];
    let mut bytes = vec![0x1c, 0x18, u8::try_from(digits.len()).unwrap_or(0)];
    bytes.extend_from_slice(digits);
    bytes.extend_from_slice(&[0x15, 0x02, 0x00, mark, 0x18, hex_digits]);
    bytes.extend((0..hex_digits).map(|_| b"0123456789ABCDEF"[rng.usize(..16)]));
    bytes.push(0);
    format!("wamid.{}", base64(&bytes))
}

/// The form of `fbtrace_id` and `x-fb-request-id`: an `A` and 22 characters.
pub(crate) fn trace(rng: &mut Rng) -> String {
    std::iter::once('A').chain((0..22).map(|_| rng.alphanumeric())).collect()
}

/// A paging cursor: letters and digits that mean nothing to the client.
pub(crate) fn cursor(offset: usize) -> String {
    base64(format!("cursor:{offset:08}").as_bytes()).replace('=', "ZD")
}

/// Standard base64 with padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) & 0x3f;
            text.push(if place <= chunk.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn base64_has_the_published_vectors() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn the_way_shows_in_the_id() {
        let mut rng = Rng::with_seed(1);
        assert!(wamid(&mut rng, Way::ToCustomer, "15550100199").starts_with("wamid.HBgLMTU1NTAxMDAxOTkVAgARGB"));
        assert!(wamid(&mut rng, Way::FromCustomer, "15550100199").starts_with("wamid.HBgLMTU1NTAxMDAxOTkVAgASGB"));
    }
}
