//! Pages of the web, fetched so that nobody can make us look where only we can: each hop's address is looked up,
//! checked and held fast, and private ones are refused.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::{
    StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION},
};
use reqwest::{Client, Response, Url, redirect::Policy};

use super::documents::LARGEST;

/// For all hops together.
const PATIENCE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
const HOPS: usize = 5;

/// A page as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub bytes: Arc<[u8]>,
    /// What its server calls this version of it.
    pub etag: Option<String>,
    /// The header `Content-Type`.
    pub mime: Option<String>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum NoPage {
    #[error("`{0}` is no http or https address")]
    Address(String),
    #[error("{0} lies in a private network, or on this machine: private_hosts of [knowledge] can name it")]
    Private(String),
    #[error("nobody knows where {0} is")]
    Unknown(String),
    #[error("it is redirected more than {HOPS} times")]
    Hops,
    #[error("its server answered {0}")]
    Status(u16),
    #[error("it is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("it did not come within {} seconds", PATIENCE.as_secs())]
    TimedOut,
    #[error("it did not come: {0}")]
    Broken(reqwest::Error),
}

/// Fetches pages.
#[derive(Clone, Debug)]
pub struct Web {
    /// Hosts that may lie in private networks: an intranet's own.
    private: Arc<[String]>,
}

impl Web {
    /// `private` are hosts that may lie in private networks.
    pub fn new(private: Vec<String>) -> Self {
        Self { private: private.into() }
    }

    /// The page at an address; `None` if it is still the one with this `etag`.
    ///
    /// # Errors
    /// See [`NoPage`].
    pub async fn get(&self, address: &str, etag: Option<&str>) -> Result<Option<Page>, NoPage> {
        tokio::time::timeout(PATIENCE, self.follow(address, etag)).await.unwrap_or(Err(NoPage::TimedOut))
    }

    async fn follow(&self, address: &str, etag: Option<&str>) -> Result<Option<Page>, NoPage> {
        let mut url = web_address(address)?;
        for _ in 0..=HOPS {
            let response = self.ask(&url, etag).await?;
            let status = response.status();
            if status == StatusCode::NOT_MODIFIED {
                return Ok(None);
            }
            if status.is_success() {
                return read(response).await.map(Some);
            }
            let next = response.headers().get(LOCATION).and_then(|next| next.to_str().ok());
            let next = next.filter(|_| status.is_redirection()).ok_or(NoPage::Status(status.as_u16()))?;
            let joined = url.join(next).map_err(|_| NoPage::Address(shown(next)))?;
            url = web_address(joined.as_str())?;
        }
        Err(NoPage::Hops)
    }

    /// One hop, to no other address than the ones that were checked.
    async fn ask(&self, url: &Url, etag: Option<&str>) -> Result<Response, NoPage> {
        let host = url.host_str().unwrap_or_default();
        let addresses = self.addresses(url, host).await?;
        let client = Client::builder()
            .user_agent(concat!("baton/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .resolve_to_addrs(host, &addresses)
            .build()
            .map_err(broken)?;
        let request = client.get(url.clone());
        let request = etag.iter().fold(request, |request, etag| request.header(IF_NONE_MATCH, *etag));
        request.send().await.map_err(broken)
    }

    async fn addresses(&self, url: &Url, host: &str) -> Result<Vec<SocketAddr>, NoPage> {
        let port = url.port_or_known_default().unwrap_or(80);
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let found: Vec<SocketAddr> = match literal {
            Some(ip) => vec![SocketAddr::new(ip, port)],
            None => {
                let found = tokio::net::lookup_host((host, port)).await;
                found.map_err(|_| NoPage::Unknown(shown(host)))?.collect()
            }
        };
        // One that is private is enough: who names both may mean to be asked twice.
        let may = self.private.iter().any(|known| known.eq_ignore_ascii_case(host));
        if !may && !found.iter().all(|address| is_public(address.ip())) {
            return Err(NoPage::Private(shown(host)));
        }
        if found.is_empty() { Err(NoPage::Unknown(shown(host))) } else { Ok(found) }
    }
}

/// An address that we would ask; without a password in it, and without a place in the page.
///
/// # Errors
/// [`NoPage::Address`].
pub fn web_address(text: &str) -> Result<Url, NoPage> {
    let wrong = || NoPage::Address(shown(text));
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    let fits = matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
    if !fits || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong());
    }
    url.set_fragment(None);
    Ok(url)
}

/// For a sentence: neither long nor able to do things to a screen. What stands before an `@` may be a password.
fn shown(text: &str) -> String {
    let text = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

async fn read(mut response: Response) -> Result<Page, NoPage> {
    let header = |name: http::HeaderName| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.filter(|value| value.len() <= 200).map(str::to_owned)
    };
    let (etag, mime) = (header(ETAG), header(CONTENT_TYPE));
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        if bytes.len() + piece.len() > LARGEST {
            return Err(NoPage::TooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Page { bytes: bytes.into(), etag, mime })
}

fn broken(why: reqwest::Error) -> NoPage {
    if why.is_timeout() { NoPage::TimedOut } else { NoPage::Broken(why.without_url()) }
}

/// Whether an address is anybody's: not of this machine, this network, or no machine at all (the special-purpose
/// registries of IANA, RFC 6890).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

const fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let [.., y, z] = ip.segments();
    let inside = Ipv4Addr::from((u32::from(y) << 16) | u32::from(z));
    match (a, b) {
        // An IPv4 address in another form (mapped, compatible, NAT64), this machine, none.
        (0, _) | (0x64, 0xff9b) => ip.to_ipv4_mapped().is_some_and(is_public_v4) || a == 0x64 && is_public_v4(inside),
        // 6to4 and Teredo carry one too; nobody serves pages there.
        (0x2002, _) | (0x2001, 0x0000..=0x01ff | 0x0db8) => false,
        // Of the rest, only 2000::/3 was ever given out.
        _ => (0x2000..=0x3fff).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_open_net_are_public() {
        for ip in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "fec0::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[tokio::test]
    async fn what_is_private_is_not_asked() {
        let web = Web::new(vec!["wiki.lan".into()]);
        for address in [
            "http://127.0.0.1:1/x",
            "http://localhost:1/",
            "http://[::1]:1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://169.254.169.254/latest/meta-data",
        ] {
            let refused = web.get(address, None).await.unwrap_err();
            assert!(matches!(refused, NoPage::Private(_)), "{address}: {refused}");
        }
        for address in ["file:///etc/passwd", "ftp://example.com/", "http://", "x", "https://me:secret@example.com/"] {
            let refused = web.get(address, None).await.unwrap_err();
            assert!(matches!(refused, NoPage::Address(_)), "{address}: {refused}");
            assert!(!refused.to_string().contains("secret"));
        }
    }
}
