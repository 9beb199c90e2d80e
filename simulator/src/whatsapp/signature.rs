//! The signature of a webhook: HMAC-SHA256 of the exact bytes, keyed with the app's secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The header that carries it.
pub const HEADER: &str = "x-hub-signature-256";

/// The header's value: `sha256=` and 64 lower-case hex digits.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The bytes' own hash in hex: how the ledger remembers a body.
pub(crate) fn hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 1 and 2.
    #[test]
    fn the_published_vectors_hold() {
        assert_eq!(
            sign(&"\u{b}".repeat(20), b"Hi There"),
            "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            sign("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    /// HMAC written out by its definition, over bytes as a webhook has them.
    #[test]
    fn it_is_the_hash_of_the_padded_key_and_the_inner_hash() {
        let (secret, body) = ("an_app_secret", br#"{"name":"Ren\u00e9e","path":"a\/b"}"#);
        let pad = |with: u8| {
            let mut key = [0; 64];
            key[..secret.len()].copy_from_slice(secret.as_bytes());
            key.map(|byte| byte ^ with)
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(body).finalize();
        let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
        assert_eq!(sign(secret, body), format!("sha256={}", hex::encode(outer)));
    }
}
