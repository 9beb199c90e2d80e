//! `docs/protocol.md` says what the frames are.

use baton_shared::protocol::{Act, ClientFrame, ServerFrame};
use serde::de::DeserializeOwned;

const PAGE: &str = include_str!("../../../docs/protocol.md");

fn reads<T: DeserializeOwned>(example: &str) -> bool {
    serde_json::from_str::<T>(example).is_ok()
}

fn examples() -> Vec<&'static str> {
    PAGE.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Whoever writes a client sees every field that is always there.
#[test]
fn the_examples_of_state_leave_no_field_out() {
    for kind in ["snapshot", "thread", "presence", "draft_differs"] {
        let is_it = |example: &&str| example.starts_with(&format!("{{\"type\": \"{kind}\""));
        let example = examples().into_iter().find(is_it).unwrap_or_else(|| panic!("no {kind}"));
        let frame: ServerFrame = serde_json::from_str(example).unwrap();
        let told: serde_json::Value = serde_json::from_str(example).unwrap();
        assert_eq!(serde_json::to_value(frame).unwrap(), told, "{kind}");
    }
}

#[test]
fn every_example_is_a_frame() {
    let examples = examples();
    assert!(examples.len() >= 10, "{}", examples.len());
    for example in examples {
        let known = serde_json::from_str(example).is_ok_and(|frame: ServerFrame| frame != ServerFrame::Unknown);
        assert!(reads::<ClientFrame>(example) || known, "{example}");
    }
}

/// serde names every kind that it knows when it meets one that it does not know.
fn kinds<T: DeserializeOwned>(unknown: &str) -> Vec<String> {
    let error = serde_json::from_str::<T>(unknown).err().unwrap().to_string();
    let (_, known) = error.split_once("expected one of ").unwrap();
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_frame_and_act_is_told() {
    let frames = kinds::<ClientFrame>(r#"{"type":"?"}"#);
    let acts = kinds::<Act>(r#"{"act":"?"}"#);
    assert_eq!((frames.len(), acts.len()), (9, 24));
    let server = [
        "welcome",
        "snapshot",
        "events",
        "thread",
        "history",
        "merged",
        "templates",
        "answer",
        "draft_saved",
        "draft_differs",
    ];
    let server = server.into_iter().chain(["presence", "resync", "moving", "problem"]);
    for word in frames.iter().chain(&acts).map(String::as_str).chain(server) {
        let told = [format!("`{word}`"), format!("\"type\": \"{word}\"")].iter().any(|form| PAGE.contains(form));
        assert!(told, "{word}");
    }
}
