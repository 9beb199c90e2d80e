//! What Meta says of accounts, numbers and templates: the fields that are about no message.

use serde_json::Value;

use super::json;
use crate::{
    domain::standing::{Effect, Standing, Stop, Weight},
    whatsapp::limits::Throughput,
};

/// What the value of a field says; nothing of a field that is about something else.
pub fn standings(field: &str, value: &Value) -> Vec<Standing> {
    match field {
        "message_template_status_update" => template_status(value).into_iter().collect(),
        "message_template_quality_update" => template_quality(value).into_iter().collect(),
        "template_category_update" => template_category(value).into_iter().collect(),
        "phone_number_quality_update" => number(value),
        "business_capability_update" => capability(value).into_iter().collect(),
        "phone_number_name_update" => name(value).into_iter().collect(),
        "account_review_update" => review(value).into_iter().collect(),
        "account_alerts" => alert(value).into_iter().collect(),
        "account_update" => account(value),
        "security" => security(value).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether Graph's word for a number's quality is good.
pub fn quality(word: &str) -> Weight {
    match word {
        "RED" => Weight::Alarm,
        "YELLOW" => Weight::Warning,
        _ => Weight::Fine,
    }
}

/// Messages a second, by Graph's word for it.
pub fn per_second(level: &str) -> Option<u32> {
    match level {
        "HIGH" => Some(Throughput::UPGRADED),
        "STANDARD" => Some(Throughput::USUAL),
        _ => None,
    }
}

/// Why nothing can be sent, by Graph's word for the state of a number.
pub fn stopped(status: &str) -> Option<Stop> {
    match status {
        "BANNED" => Some(Stop::Banned),
        "RESTRICTED" => Some(Stop::Restricted),
        "DELETED" => Some(Stop::Deleted),
        "DISCONNECTED" => Some(Stop::Disconnected),
        _ => None,
    }
}

fn standing(topic: &'static str, code: String, weight: Weight) -> Standing {
    Standing { topic, subject: String::new(), code, detail: String::new(), weight, effects: Vec::new() }
}

/// The template that a value is about, and how it is called on the board.
fn template(value: &Value) -> Option<(String, String, String)> {
    let name = json::text(value, "message_template_name")?;
    let language = json::text(value, "message_template_language").unwrap_or_default();
    let subject = format!("{name} ({language})");
    Some((name, language, subject))
}

fn template_status(value: &Value) -> Option<Standing> {
    let (name, language, subject) = template(value)?;
    let event = json::text(value, "event")?;
    let (weight, status) = match event.as_str() {
        "APPROVED" | "REINSTATED" | "UNPAUSED" | "UNARCHIVED" => (Weight::Fine, "APPROVED"),
        "PENDING" | "IN_APPEAL" | "PENDING_DELETION" | "ARCHIVED" => (Weight::Fine, event.as_str()),
        // Still sent, but it will be paused if nothing changes.
        "FLAGGED" => (Weight::Warning, "APPROVED"),
        "DELETED" => (Weight::Fine, event.as_str()),
        _ => (Weight::Warning, event.as_str()),
    };
    let reason = json::text(value, "reason").filter(|reason| reason != "NONE");
    let said = [json::at(value, &["rejection_info", "reason"]), json::at(value, &["other_info", "description"])];
    let detail = said.into_iter().flatten().find_map(json::as_text).or(reason).unwrap_or_default();
    let effect = Effect::Template { name, language, status: Some(status.to_owned()), quality: None, category: None };
    Some(Standing { subject, detail, effects: vec![effect], ..standing("template", event.clone(), weight) })
}

fn template_quality(value: &Value) -> Option<Standing> {
    let (name, language, subject) = template(value)?;
    let score = json::text(value, "new_quality_score")?;
    let weight = if score == "RED" { Weight::Warning } else { Weight::Fine };
    let effect = Effect::Template { name, language, status: None, quality: Some(score.clone()), category: None };
    Some(Standing { subject, effects: vec![effect], ..standing("template_quality", score, weight) })
}

/// Meta charges by category: another one is another price, and marketing needs consent.
fn template_category(value: &Value) -> Option<Standing> {
    let (name, language, subject) = template(value)?;
    let new = json::text(value, "new_category")?;
    if let Some(correct) = json::text(value, "correct_category") {
        let detail = format!("becomes {} soon", correct.to_lowercase());
        return Some(Standing { subject, detail, ..standing("template_category", new, Weight::Warning) });
    }
    let detail = json::text(value, "previous_category").map(|before| format!("was {}", before.to_lowercase()));
    let effect = Effect::Template { name, language, status: None, quality: None, category: Some(new.clone()) };
    let detail = detail.unwrap_or_default();
    Some(Standing { subject, detail, effects: vec![effect], ..standing("template_category", new, Weight::Warning) })
}

fn number(value: &Value) -> Vec<Standing> {
    let Some(event) = json::text(value, "event") else { return Vec::new() };
    let limit =
        json::text(value, "current_limit").or_else(|| json::text(value, "max_daily_conversations_per_business"));
    let mut all = Vec::new();
    match event.as_str() {
        "THROUGHPUT_UPGRADE" => all.push(Standing {
            effects: vec![Effect::PerSecond(Throughput::UPGRADED)],
            ..standing("throughput", event.clone(), Weight::Fine)
        }),
        "FLAGGED" => all.push(Standing {
            effects: vec![Effect::Quality("RED".into())],
            ..standing("quality", event.clone(), Weight::Alarm)
        }),
        "UNFLAGGED" => all.push(standing("quality", event.clone(), Weight::Fine)),
        _ => {}
    }
    if let Some(limit) = limit {
        let weight = if event == "DOWNGRADE" { Weight::Warning } else { Weight::Fine };
        let was = json::text(value, "old_limit").map(|old| format!("was {}", old.to_lowercase().replace('_', " ")));
        let effects = vec![Effect::Limit(limit.clone())];
        all.push(Standing { detail: was.unwrap_or_default(), effects, ..standing("limit", limit, weight) });
    }
    all
}

fn capability(value: &Value) -> Option<Standing> {
    const KEYS: [&str; 2] = ["max_daily_conversations_per_business", "max_daily_conversation_per_phone"];
    let limit = KEYS.iter().find_map(|key| json::text(value, key))?;
    // Without a limit Meta says so with a number.
    let limit = if limit == "-1" { "unlimited".to_owned() } else { limit };
    Some(Standing { effects: vec![Effect::Limit(limit.clone())], ..standing("limit", limit, Weight::Fine) })
}

fn name(value: &Value) -> Option<Standing> {
    let decision = json::text(value, "decision")?;
    let weight = if decision == "REJECTED" { Weight::Warning } else { Weight::Fine };
    let detail = json::text(value, "rejection_reason").filter(|reason| reason != "NONE").unwrap_or_default();
    Some(Standing { detail, ..standing("name", decision, weight) })
}

fn review(value: &Value) -> Option<Standing> {
    let decision = json::text(value, "decision")?;
    let weight = match decision.as_str() {
        "REJECTED" => Weight::Alarm,
        "APPROVED" => Weight::Fine,
        _ => Weight::Warning,
    };
    Some(standing("review", decision, weight))
}

fn alert(value: &Value) -> Option<Standing> {
    let info = json::get(value, "alert_info")?;
    let subject = json::text(info, "alert_type").unwrap_or_else(|| "ALERT".into());
    let status = json::text(info, "alert_status").unwrap_or_else(|| "ACTIVE".into());
    let severity = json::text(info, "alert_severity").unwrap_or_default();
    let weight = match (status.as_str(), severity.as_str()) {
        ("RESOLVED" | "NONE" | "INACTIVE", _) | (_, "INFORMATIONAL") => Weight::Fine,
        (_, "CRITICAL") => Weight::Alarm,
        _ => Weight::Warning,
    };
    let detail = json::text(info, "alert_description").unwrap_or_default();
    Some(Standing { subject, detail, ..standing("alert", status, weight) })
}

fn security(value: &Value) -> Option<Standing> {
    let event = json::text(value, "event")?;
    // Somebody who should not may be at it.
    let weight = if event == "PIN_RESET_REQUEST" { Weight::Alarm } else { Weight::Warning };
    Some(standing("security", event, weight))
}

fn account(value: &Value) -> Vec<Standing> {
    let Some(event) = json::text(value, "event") else { return Vec::new() };
    let one = |weight, effects| Standing { effects, ..standing("account", event.clone(), weight) };
    let stop = |why| vec![Effect::Stop { why, until: None }];
    match event.as_str() {
        "ACCOUNT_RESTRICTION" => vec![restriction(value, &event)],
        "DISABLED_UPDATE" => vec![ban(value, &event)],
        "ACCOUNT_VIOLATION" => {
            let detail = json::at(value, &["violation_info", "violation_type"]).and_then(json::as_text);
            vec![Standing { detail: detail.unwrap_or_default(), ..one(Weight::Alarm, Vec::new()) }]
        }
        "ACCOUNT_DELETED" => vec![one(Weight::Alarm, stop(Stop::Deleted))],
        "PARTNER_REMOVED" | "ACCOUNT_OFFBOARDED" => {
            let detail = json::at(value, &["disconnection_info", "reason"]).and_then(json::as_text);
            let detail = detail.unwrap_or_default().to_lowercase().replace('_', " ");
            vec![Standing { detail, ..one(Weight::Alarm, stop(Stop::Disconnected)) }]
        }
        "ACCOUNT_RECONNECTED" | "PARTNER_ADDED" => {
            vec![one(Weight::Fine, vec![Effect::Lift(&[Stop::Disconnected])])]
        }
        _ => vec![one(Weight::Fine, Vec::new())],
    }
}

fn restriction(value: &Value, event: &str) -> Standing {
    let mut effects = Vec::new();
    let mut kinds = Vec::new();
    for one in json::elements(value, "restriction_info") {
        let kind = json::text(one, "restriction_type").unwrap_or_default();
        let until = json::number(one, "expiration");
        let why = match kind.as_str() {
            "RESTRICTED_BIZ_INITIATED_MESSAGING" => Some(Stop::TemplatesRestricted),
            "RESTRICTED_CUSTOMER_INITIATED_MESSAGING" | "RESTRICTED_USER_INITIATED_MESSAGING" => Some(Stop::Restricted),
            _ => None,
        };
        effects.extend(why.map(|why| Effect::Stop { why, until }));
        kinds.push(kind.trim_start_matches("RESTRICTED_").to_lowercase().replace('_', " "));
    }
    // The wider one of two is what holds.
    effects.sort_by_key(|effect| matches!(effect, Effect::Stop { why: Stop::Restricted, .. }));
    Standing { detail: kinds.join(", "), effects, ..standing("account", event.to_owned(), Weight::Alarm) }
}

fn ban(value: &Value, event: &str) -> Standing {
    let state = json::at(value, &["ban_info", "waba_ban_state"]).and_then(json::as_text).unwrap_or_default();
    let (weight, effects) = match state.as_str() {
        "REINSTATE" => (Weight::Fine, vec![Effect::Lift(&[Stop::Banned, Stop::Restricted])]),
        // It says when; until then messages go.
        "SCHEDULE_FOR_DISABLE" => (Weight::Alarm, Vec::new()),
        _ => (Weight::Alarm, vec![Effect::Stop { why: Stop::Banned, until: None }]),
    };
    let date = json::at(value, &["ban_info", "waba_ban_date"]).and_then(json::as_text).unwrap_or_default();
    let said = state.to_lowercase().replace('_', " ");
    let detail = [said, date].iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(", ");
    Standing { detail, effects, ..standing("account", event.to_owned(), weight) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn effects(field: &str, value: &Value) -> Vec<Effect> {
        standings(field, value).into_iter().flat_map(|one| one.effects).collect()
    }

    #[test]
    fn a_ban_stops_the_number_and_its_end_lifts_it() {
        let ban = |state| json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}});
        assert_eq!(effects("account_update", &ban("DISABLE")), [Effect::Stop { why: Stop::Banned, until: None }]);
        assert_eq!(effects("account_update", &ban("SCHEDULE_FOR_DISABLE")), []);
        assert!(matches!(effects("account_update", &ban("REINSTATE"))[..], [Effect::Lift(_)]));
    }

    #[test]
    fn a_restriction_stops_what_it_says_until_it_says() {
        let of = |kind| json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": kind, "expiration": "1793000000"}]});
        let until = Some(1_793_000_000);
        assert_eq!(
            effects("account_update", &of("RESTRICTED_BIZ_INITIATED_MESSAGING")),
            [Effect::Stop { why: Stop::TemplatesRestricted, until }]
        );
        assert_eq!(effects("account_update", &of("RESTRICTED_ADD_PHONE_NUMBER_ACTION")), []);
    }

    #[test]
    fn a_paused_template_is_not_sent_and_a_flagged_one_still_is() {
        let of = |event| json!({"event": event, "message_template_name": "a", "message_template_language": "de", "reason": null});
        let status = |event| match &effects("message_template_status_update", &of(event))[..] {
            [Effect::Template { status, .. }] => status.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(status("PAUSED").as_deref(), Some("PAUSED"));
        assert_eq!(status("FLAGGED").as_deref(), Some("APPROVED"));
        assert_eq!(status("UNPAUSED").as_deref(), Some("APPROVED"));
    }

    #[test]
    fn what_does_not_fit_says_nothing() {
        for value in [json!(null), json!([]), json!("x"), json!({"event": 5, "restriction_info": "x"})] {
            for field in ["account_update", "account_alerts", "security", "business_capability_update", "lamps"] {
                assert!(effects(field, &value).is_empty(), "{field} {value}");
            }
        }
    }
}
