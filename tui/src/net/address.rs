//! Where the server is, and whether a secret may travel there.

use std::{fmt, net::IpAddr, str::FromStr};

use http::Uri;

/// A server's address, such as `https://inbox.example.com` or `http://127.0.0.1:8080/baton`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    tls: bool,
    authority: String,
    host: String,
    /// Without a slash at its end.
    path: String,
}

/// Why a text is no address that we would connect to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    #[error("`{0}` is not an address: expected something like https://inbox.example.com")]
    Unreadable(String),
    #[error("`{0}` begins with `{1}://`: expected https, http, wss or ws")]
    Scheme(String, String),
    #[error("{0} would be reached without encryption; use https, or add --insecure if you know why not")]
    Plain(String),
}

impl Address {
    /// Plain http is only for this machine, unless the person insists: the token would travel openly.
    pub fn allowed(self, insecure: bool) -> Result<Self, AddressError> {
        if self.tls || insecure || self.is_loopback() { Ok(self) } else { Err(AddressError::Plain(self.to_string())) }
    }

    /// The websocket for agents.
    pub fn inbox(&self) -> String {
        format!("{}://{}{}/inbox", if self.tls { "wss" } else { "ws" }, self.authority, self.path)
    }

    /// A route of the API, such as `sign-in`.
    pub fn api(&self, route: &str) -> String {
        format!("{self}/api/v1/{route}")
    }

    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let unreadable = || AddressError::Unreadable(text.into());
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri: Uri = whole.parse().map_err(|_| unreadable())?;
        let tls = match uri.scheme_str().unwrap_or_default() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            other => return Err(AddressError::Scheme(text.into(), other.into())),
        };
        let authority = uri.authority().ok_or_else(unreadable)?;
        // A user in the address would be a secret in a shell's history; the token is our only secret.
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(unreadable());
        }
        let path = uri.path().trim_end_matches('/');
        let path = path.strip_suffix("/inbox").unwrap_or(path);
        Ok(Self { tls, authority: authority.to_string(), host: authority.host().into(), path: path.into() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_both_doors() {
        let address: Address = "http://127.0.0.1:8080/".parse().unwrap();
        assert_eq!(address.inbox(), "ws://127.0.0.1:8080/inbox");
        assert_eq!(address.api("sign-in"), "http://127.0.0.1:8080/api/v1/sign-in");
        let behind: Address = "wss://desk.example.com/baton/inbox".parse().unwrap();
        assert_eq!(behind.inbox(), "wss://desk.example.com/baton/inbox");
        assert_eq!(behind.to_string(), "https://desk.example.com/baton");
        assert_eq!("desk.example.com".parse::<Address>().unwrap().to_string(), "https://desk.example.com");
    }

    #[test]
    fn a_token_does_not_travel_openly() {
        for local in ["http://127.0.0.1:8080", "http://localhost", "ws://[::1]:9", "https://example.com"] {
            assert!(local.parse::<Address>().unwrap().allowed(false).is_ok(), "{local}");
        }
        let open: Address = "http://example.com".parse().unwrap();
        assert_eq!(open.clone().allowed(false), Err(AddressError::Plain("http://example.com".into())));
        assert!(open.allowed(true).is_ok());
    }

    #[test]
    fn what_is_no_address_is_said_so() {
        for wrong in ["", "http://", "http://a b", "https://me:secret@example.com"] {
            assert!(matches!(wrong.parse::<Address>(), Err(AddressError::Unreadable(_))), "{wrong}");
        }
        assert!(matches!("ftp://example.com".parse::<Address>(), Err(AddressError::Scheme(..))));
    }
}
