//! What Meta says of how much of our allowance is used: `X-Business-Use-Case-Usage` and `X-App-Usage`.

use std::time::Duration;

use serde_json::Value;

use super::transport::Response;

/// From this share on we go slowly, in percent.
const NEAR: u64 = 95;

/// Per answer that comes while it is near; when all is used, and nobody says for how long.
const SLOWLY: Duration = Duration::from_secs(5);
const ALL_USED: Duration = Duration::from_secs(60);

/// Meta is asked again after this at the latest, whatever it said.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long nothing more should be sent; `None` while there is room.
pub(super) fn pause(response: &Response) -> Option<Duration> {
    let used = match uses(response).iter().filter_map(share).max() {
        Some(100..) => Some(ALL_USED),
        Some(NEAR..) => Some(SLOWLY),
        _ => None,
    };
    used.max(regained_in(response))
}

/// When we may come back, if we may not now.
pub(super) fn regained_in(response: &Response) -> Option<Duration> {
    let minutes = uses(response).iter().filter_map(|one| one.get("estimated_time_to_regain_access")?.as_u64()).max();
    let minutes = minutes.filter(|minutes| *minutes > 0)?;
    Some(Duration::from_secs(minutes.saturating_mul(60)).min(LONGEST))
}

/// The account's, for sending, and the app's. What only concerns the management of accounts holds up no message.
fn uses(response: &Response) -> Vec<Value> {
    let parsed = |header: &Option<String>| serde_json::from_str::<Value>(header.as_deref()?).ok();
    let accounts = match parsed(&response.usage) {
        Some(Value::Object(accounts)) => accounts,
        _ => serde_json::Map::new(),
    };
    let lists =
        accounts.into_iter().filter_map(|(_, uses)| if let Value::Array(uses) = uses { Some(uses) } else { None });
    let of_sending = lists.flatten().filter(|one| one["type"] != "whatsapp_business_management");
    of_sending.chain(parsed(&response.app_usage)).collect()
}

/// The largest share that is used of anything, in percent.
fn share(usage: &Value) -> Option<u64> {
    ["call_count", "total_cputime", "total_time"].iter().filter_map(|key| usage.get(key)?.as_u64()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(usage: &str, app_usage: &str) -> Response {
        Response { usage: Some(usage.into()), app_usage: Some(app_usage.into()), ..Response::default() }
    }

    fn business(kind: &str, share: u64, minutes: u64) -> String {
        format!(
            r#"{{"102290":[{{"type":"{kind}","call_count":{share},"total_cputime":1,"total_time":2,"estimated_time_to_regain_access":{minutes}}}]}}"#
        )
    }

    #[test]
    fn there_is_a_pause_when_a_limit_is_near() {
        let app = |share| format!(r#"{{"call_count":{share},"total_cputime":0,"total_time":0}}"#);
        for (usage, app_usage, expected) in [
            (business("whatsapp", 1, 0), app(1), None),
            (business("whatsapp", 94, 0), app(94), None),
            (business("whatsapp", 95, 0), app(0), Some(SLOWLY)),
            (business("whatsapp", 0, 0), app(99), Some(SLOWLY)),
            (business("whatsapp", 100, 0), app(0), Some(ALL_USED)),
            (business("whatsapp", 100, 7), app(0), Some(Duration::from_secs(420))),
            (business("whatsapp", 100, 1_000), app(0), Some(LONGEST)),
            (business("whatsapp_business_management", 100, 7), app(0), None),
        ] {
            assert_eq!(pause(&with(&usage, &app_usage)), expected, "{usage} {app_usage}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_reason_to_stop() {
        for odd in ["", "null", "[]", "7", r#"{"1":7}"#, r#"{"1":[null]}"#, r#"{"1":[{"call_count":"100"}]}"#] {
            assert_eq!(pause(&with(odd, odd)), None, "{odd}");
        }
    }
}
