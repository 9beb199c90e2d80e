//! The corpus of bodies, what is read from each, and what must hold of any mutilated one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use proptest::{prelude::*, sample::Index};
use serde_json::json;

use super::*;

fn corpus() -> BTreeMap<String, Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/webhooks");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect()
}

fn who(sender: &Sender) -> String {
    let ids = [&sender.phone, &sender.user_id, &sender.name];
    ids.map(|id| id.as_deref().unwrap_or("-")).join(" ")
}

fn line(item: &Item) -> String {
    let at = |timestamp: Option<i64>| timestamp.map_or("-".into(), |timestamp| timestamp.to_string());
    match &item.fact {
        Fact::Message(said) => format!(
            "{} {:?}{}{} {} [{}] {:?}{}{}",
            said.wamid,
            said.origin,
            if said.by_business { " by us" } else { "" },
            if said.opens_window { " opens" } else { "" },
            said.kind,
            who(&said.sender),
            said.text,
            said.quoted.as_ref().map_or(String::new(), |wamid| format!(" -> {wamid}")),
            said.errors.iter().map(|error| format!(" !{}", error.code)).collect::<String>(),
        ),
        Fact::Status(status) => format!(
            "{} {:?} [{}]{}{}{}",
            status.wamid,
            status.state,
            who(&status.recipient),
            status.group.as_ref().map_or(String::new(), |group| format!(" in {group}")),
            status.pricing_category.as_ref().map_or(String::new(), |category| format!(" {category}")),
            status.errors.iter().map(|error| format!(" !{}", error.code)).collect::<String>(),
        ),
        Fact::Notice { kind, timestamp, sender, call, marketing, handover } => format!(
            "{kind} at {} [{}]{}{}",
            at(*timestamp),
            sender.as_deref().map_or("-".into(), who),
            match (call, marketing) {
                (Some(_), _) => " opens",
                (None, Some(true)) => " wants marketing",
                (None, Some(false)) => " wants no marketing",
                (None, None) => "",
            },
            handover.as_ref().map_or_else(String::new, |one| {
                format!(
                    " to {}{}",
                    if one.to_us { "us" } else { "them" },
                    if one.wants_person { ", wants a person" } else { "" }
                )
            }),
        ),
    }
}

#[test]
fn what_is_read_from_the_corpus() {
    let mut read = String::new();
    for (name, body) in corpus() {
        writeln!(read, "{name}").unwrap();
        for item in parse(&body).unwrap().items {
            writeln!(read, "  {}", line(&item)).unwrap();
        }
    }
    assert_eq!(read, include_str!("corpus.txt"), "\n{read}");
}

#[test]
fn every_fact_knows_its_channel_and_its_own_json() {
    for (name, body) in corpus() {
        for (place, item) in parse(&body).unwrap().items.into_iter().enumerate() {
            assert_eq!(item.index, i64::try_from(place).unwrap(), "{name}");
            let raw: Value = serde_json::from_str(&item.raw).unwrap();
            if let Fact::Message(said) = &item.fact {
                // What comes as a field of its own has no id, and is known by what it says.
                assert!(raw["id"] == said.wamid.as_str() || name == "user_id_update", "{name}");
                assert!(item.phone_number_id.is_some() || name == "odd_types", "{name}");
            }
        }
    }
    let items = parse(&corpus()["batch_of_two_accounts"]).unwrap().items;
    let channels: Vec<_> = items.iter().map(|item| (item.waba.as_str(), item.phone_number_id.as_deref())).collect();
    assert_eq!(channels[0], ("310000000000017", Some("420000000000033")));
    assert_eq!(channels[5], ("310000000000018", Some("420000000000044")));
    assert_eq!(channels[6], ("310000000000017", None));
    let passed = &parse(&corpus()["thread_passed"]).unwrap().items[0];
    assert_eq!(passed.phone_number_id.as_deref(), Some("420000000000033"));
}

#[test]
fn who_has_a_new_user_id_is_named_by_the_one_before() {
    let body = |text: &str| {
        let system = json!({"type": "user_changed_user_id", "user_id": "US.2", "body": text});
        json!({"entry": [{"changes": [{"field": "messages", "value": {
            "messages": [{"id": "wamid.1", "type": "system", "system": system}]}}]}]})
    };
    let who = |body: &Value| {
        let Fact::Message(said) = parse(body.to_string().as_bytes()).unwrap().items.remove(0).fact else { panic!() };
        (said.sender.user_id, said.moved_to)
    };
    let now = Some(MovedTo::UserId("US.2".into()));
    let said = body("User A. B. Smith changed from US.ENT.1 to US.2.");
    assert_eq!(who(&said), (Some("US.ENT.1".into()), now.clone()));
    assert_eq!(who(&body("US.2 it is")), (Some("US.2".into()), now.clone()), "nothing says who it was");
    // In a field of its own, with what may be missing from it.
    let update = |update: Value| json!({"entry": [{"changes": [{"field": "user_id_update", "value": {"user_id_update": [update]}}]}]});
    assert_eq!(
        who(&update(json!({"user_id": {"previous": "US.1", "current": "US.2"}}))),
        (Some("US.1".into()), now.clone())
    );
    assert_eq!(who(&update(json!({"wa_id": "1555", "user_id": {"current": "US.2"}}))), (None, now));
    let broken = parse(update(json!({"user_id": "US.2"})).to_string().as_bytes()).unwrap().items.remove(0);
    assert!(matches!(broken.fact, Fact::Notice { .. }), "kept by its name");
}

#[test]
fn a_status_carries_our_attempt() {
    let body = &corpus()["status_sent"];
    let Fact::Status(status) = parse(body).unwrap().items.remove(0).fact else { panic!() };
    assert_eq!(status.callback.as_deref(), Some("00000000-0000-7000-8000-000000000001"));
    assert_eq!(status.pricing_type.as_deref(), Some("regular"));
    assert_eq!(status.state.delivery(), Some(baton_shared::message::Delivery::Sent));
}

#[test]
fn the_contact_completes_the_sender() {
    let sender = |name: &str| match parse(&corpus()[name]).unwrap().items.remove(0).fact {
        Fact::Message(said) => said.sender,
        other => panic!("{other:?}"),
    };
    let renee = sender("message_text_username_only");
    assert_eq!(renee.username.as_deref(), Some("renee.lamps"));
    assert_eq!(renee.country.as_deref(), Some("DE"));
    assert_eq!(renee.parent_user_id.as_deref(), Some("DE.ENT.990011"));
    assert!(!renee.is_nobody());
    let bia = sender("message_text_wa_id_differs");
    assert_eq!((bia.phone.as_deref(), bia.wa_id.as_deref()), (Some("5511955501234"), Some("551155501234")));
}

#[test]
fn only_what_is_no_json_object_with_entries_is_unreadable() {
    let unreadable = |body: &[u8]| parse(body).unwrap_err();
    assert!(matches!(unreadable(b""), Unreadable::NotJson { .. }));
    assert!(matches!(unreadable(br#"{"object":"whatsapp_bus"#), Unreadable::NotJson { .. }));
    assert!(matches!(unreadable(b"{\"entry\":[\"\xff\"]}"), Unreadable::NotJson { .. }));
    assert_eq!(unreadable(b"[]"), Unreadable::NotAnObject);
    assert_eq!(unreadable(br#"{"object":"page"}"#), Unreadable::NoEntry);
    assert_eq!(unreadable(br#"{"entry":{}}"#), Unreadable::NoEntry);
}

#[test]
fn promise_1_a_key_that_stands_twice_is_noticed_wherever_it_is() {
    let twice = |body: &str| parse(body.as_bytes()).unwrap().ambiguous;
    assert_eq!(parse(br#"{"entry":[],"entry":[]}"#), Ok(Payload { ambiguous: true, ..Payload::default() }));
    assert!(twice(r#"{"entry":[{"changes":[{"value":{"messages":[{"id":"a","x":{"y":1.5,"y":null}}]}}]}]}"#));
    assert!(twice(r#"{"entry":[],"a":{"id":true,"\u0069d":-1}}"#), "however it is written");
    assert!(!twice(r#"{"entry":[{"id":"a"},{"id":"a"}],"id":{"id":[{"id":1}]}}"#));
    for body in corpus().values() {
        assert!(!parse(body).unwrap().ambiguous);
        assert_eq!(twice::read(body).unwrap().0, serde_json::from_slice::<Value>(body).unwrap());
    }
    assert!(parse(br#"{"entry":[]} and more"#).is_err());
}

#[test]
fn promise_10_a_body_nested_without_end_is_refused_not_followed() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let body = format!(r#"{{"entry":[{}1{}]}}"#, open.repeat(200_000), close.repeat(200_000));
        assert!(matches!(parse(body.as_bytes()), Err(Unreadable::NotJson { .. })));
    }
}

#[test]
fn promise_10_half_an_emoji_costs_only_itself() {
    let body = br#"{"entry":[{"changes":[{"field":"messages","value":{"messages":[
        {"id":"wamid.1","type":"text","text":{"body":"cut \ud83d"}},
        {"id":"wamid.2","type":"text","text":{"body":"whole \ud83d\ude00, nothing \u0000 else"}}]}}]}]}"#;
    let text = |item: Item| match item.fact {
        Fact::Message(said) => said.text,
        other => panic!("{other:?}"),
    };
    let texts: Vec<_> = parse(body).unwrap().items.into_iter().map(text).collect();
    assert_eq!(texts, ["cut \u{fffd}", "whole 😀, nothing \u{fffd} else"]);
}

/// The arrays whose elements carry a wamid.
const SPOKEN: [&str; 3] = ["messages", "statuses", "message_echoes"];

/// The paths to the ids of messages and statuses, and every step on the way to them.
fn load_bearing(value: &Value, path: &str, found: &mut BTreeSet<String>) -> bool {
    // An element of the array, or a single one in its place.
    let spoken = path.rsplit('/').take(2).any(|key| SPOKEN.contains(&key));
    let mut holds = spoken && value.get("id").is_some();
    if holds {
        found.insert(format!("{path}/id"));
    }
    for (key, child) in children(value) {
        holds |= load_bearing(child, &format!("{path}/{key}"), found);
    }
    if holds {
        found.insert(path.to_owned());
    }
    holds
}

fn children(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Object(map) => map.iter().map(|(key, child)| (key.clone(), child)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, child)| (at.to_string(), child)).collect(),
        _ => Vec::new(),
    }
}

fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    for (key, child) in children(value) {
        let path = format!("{path}/{key}");
        paths(child, &path, found);
        found.push(path);
    }
}

fn wamids(payload: &Payload) -> BTreeSet<String> {
    let id = |item: &Item| serde_json::from_str::<Value>(&item.raw).unwrap().get("id").and_then(json::as_text);
    payload.items.iter().filter(|item| !matches!(item.fact, Fact::Notice { .. })).filter_map(id).collect()
}

fn any_stranger() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!([]),
        json!([null, [], {}]),
        json!({}),
        json!({"id": {"id": []}, "type": 5}),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn promise_2_every_id_is_found_however_the_rest_is_mutilated(
        file in any::<Index>(), cuts in prop::collection::vec((any::<Index>(), prop::option::of(any_stranger())), 1..6),
    ) {
        let bodies: Vec<_> = corpus().into_values().collect();
        let body = &bodies[file.index(bodies.len())];
        let mut value: Value = serde_json::from_slice(body).unwrap();
        let expected = wamids(&parse(body).unwrap());
        let mut kept = BTreeSet::new();
        load_bearing(&value, "", &mut kept);
        for (at, stranger) in cuts {
            let mut all = Vec::new();
            paths(&value, "", &mut all);
            all.retain(|path| !kept.contains(path) && path != "/entry");
            // A field `calls` or `history` says what its elements are.
            all.retain(|path| !path.ends_with("/field"));
            if all.is_empty() {
                break;
            }
            let path = &all[at.index(all.len())];
            match (stranger, path.rsplit_once('/').unwrap()) {
                (Some(stranger), _) => *value.pointer_mut(path).unwrap() = stranger,
                (None, (parent, key)) => {
                    if let Some(Value::Object(map)) = value.pointer_mut(parent) {
                        map.remove(key);
                    }
                }
            }
        }
        let payload = parse(value.to_string().as_bytes()).unwrap();
        prop_assert!(wamids(&payload).is_superset(&expected), "{value}");
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_damage_is_survived(file in any::<Index>(), at in any::<Index>(), with in any::<u8>(), length in any::<Index>()) {
        let bodies: Vec<_> = corpus().into_values().collect();
        let mut body = bodies[file.index(bodies.len())].clone();
        let at = at.index(body.len());
        body[at] = with;
        let _ = parse(&body);
        body.truncate(length.index(body.len()));
        let _ = parse(&body);
    }
}
