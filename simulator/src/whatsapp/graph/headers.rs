//! The headers of a Graph answer, as recorded.

use baton_shared::Micros;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::{super::Whatsapp, error::GraphError, ids};
use crate::whatsapp::Limits;

impl Whatsapp {
    pub(super) fn headers(&mut self, now: Micros, trace: &str, version: Option<&str>) -> HeaderMap {
        let version = self.answering_version(version);
        let mut headers = of_a_proxy(self.meta_time(now));
        set(&mut headers, "content-type", "application/json; charset=UTF-8");
        set(&mut headers, "vary", "Origin");
        set(&mut headers, "access-control-allow-origin", "*");
        set(&mut headers, "strict-transport-security", "max-age=15552000; preload");
        set(&mut headers, "pragma", "no-cache");
        set(&mut headers, "cache-control", "private, no-cache, no-store, must-revalidate");
        set(&mut headers, "expires", "Sat, 01 Jan 2000 00:00:00 GMT");
        set(&mut headers, "x-fb-request-id", trace);
        set(&mut headers, "x-fb-trace-id", &ids::trace(&mut self.rng)[..11]);
        set(&mut headers, "x-fb-rev", "1041592653");
        set(&mut headers, "facebook-api-version", &version.answered);
        if let Some(warning) = version.warning {
            set(&mut headers, "x-ad-api-version-warning", &warning);
        }
        headers
    }

    /// An expired or missing version is not refused but raised, with a warning.
    fn answering_version(&self, asked: Option<&str>) -> Version {
        let major =
            |version: &str| version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
        let newest = &self.config.version;
        let Some(asked) = asked else { return Version { answered: newest.clone(), warning: None } };
        if major(asked) >= Some(OLDEST_VERSION) && major(asked) <= major(newest) {
            return Version { answered: asked.into(), warning: None };
        }
        let answered = format!("v{OLDEST_VERSION}.0");
        let warning = format!("The call has been auto-upgraded to {answered} as {asked} has been deprecated.");
        Version { answered, warning: Some(warning) }
    }
}

/// The oldest version that had not expired in November 2026.
const OLDEST_VERSION: u32 = 21;

struct Version {
    answered: String,
    warning: Option<String>,
}

/// What even a gateway says that knows nothing of the API.
pub(super) fn of_a_proxy(meta_time: Micros) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let time = jiff::Timestamp::from_second(meta_time.seconds()).unwrap_or_default();
    set(&mut headers, "date", &time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    set(&mut headers, "content-type", "text/html; charset=utf-8");
    set(&mut headers, "alt-svc", "h3=\":443\"; ma=86400");
    headers
}

pub(super) fn add_usage(headers: &mut HeaderMap, usage: Option<&(String, &'static str)>, limits: &Limits) {
    match usage {
        Some((account, kind)) => {
            let (used, minutes) = if *kind == "whatsapp" { (limits.used, limits.regained_in) } else { (1, 0) };
            let usage = format!(
                r#"{{"{account}":[{{"type":"{kind}","call_count":{used},"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":{minutes}}}]}}"#
            );
            set(headers, "x-business-use-case-usage", &usage);
        }
        None => set(headers, "x-app-usage", r#"{"call_count":1,"total_cputime":0,"total_time":0}"#),
    }
}

/// What was looked up has a tag: forty hex digits that follow from its bytes.
pub(super) fn add_tag(headers: &mut HeaderMap, body: &[u8]) {
    set(headers, "etag", &format!("\"{}\"", hex::encode(&Sha256::digest(body)[..20])));
}

pub(super) fn add_error(headers: &mut HeaderMap, error: &GraphError, limits: &Limits) {
    if let (130_429, Some(seconds)) = (error.code, limits.retry_after) {
        set(headers, "retry-after", &seconds.to_string());
    }
    set(headers, "cross-origin-resource-policy", "cross-origin");
    set(headers, "cache-control", "no-store");
    set(headers, "x-app-usage", r#"{"call_count":1,"total_cputime":0,"total_time":0}"#);
    let kind = if error.code == 190 { "invalid_token" } else { "invalid_request" };
    set(headers, "www-authenticate", &format!(r#"OAuth "Facebook Platform" "{kind}" "{}""#, error.message));
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // A message may repeat what a client sent; what no header can hold is left out.
    let printable: String = value.chars().filter(|c| (' '..='~').contains(c)).collect();
    if let Ok(value) = HeaderValue::from_str(&printable) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
