use std::sync::{LazyLock, Mutex};

use baton_shared::{Micros, message::Author};
use serde_json::{Value, json};

use super::*;
use crate::{
    bot::{
        chain::Bottomless,
        context::{HumanStretch, Said},
        model::{Form, NoResponse, Pending, Request, Response, Transport},
    },
    config::{Link, Model, Structured, Wire},
};

/// Answers in this process what the test wants, and keeps what it was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<Vec<Result<Response, NoResponse>>>,
    asked: Mutex<Vec<Value>>,
}

impl Transport for Script {
    fn send(&self, request: Request) -> Pending<'_> {
        self.asked.lock().unwrap().push(serde_json::from_str(&request.body).unwrap());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.is_empty() { Err(NoResponse::TimedOut) } else { answers.remove(0) };
        Box::pin(async { answer })
    }

    fn send_form(&self, _: Form) -> Pending<'_> {
        Box::pin(async { Err(NoResponse::TimedOut) })
    }
}

fn says(answer: &Value) -> Result<Response, NoResponse> {
    let body = json!({
        "content": [{"type": "text", "text": answer.to_string()}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "output_tokens": 20},
    });
    Ok(Response { status: 200, retry_after: None, body: body.to_string().into_bytes() })
}

fn sure(reply: &str, confidence: f64) -> Result<Response, NoResponse> {
    says(&json!({"reply": reply, "confidence": confidence, "handoff": false, "reason": "", "stage": "question"}))
}

fn model(name: &str) -> Model {
    Model {
        provider: "anthropic".into(),
        wire: Wire::Anthropic,
        name: name.into(),
        base_url: "http://model".into(),
        api_key: None,
        deadline: Duration::from_secs(1),
        max_tokens: 100,
        structured: Structured::Schema,
        link: Link::default(),
    }
}

fn brain(models: &[Model], answers: Vec<Result<Response, NoResponse>>) -> (Brain, Arc<Script>) {
    static LEARNT: LazyLock<Classifier> = LazyLock::new(|| Classifier::train(&Playbook::shop()));
    let script = Arc::new(Script { answers: Mutex::new(answers), ..Script::default() });
    let transport: Arc<dyn Transport> = script.clone();
    let playbook = Playbook::shop();
    let chain = Arc::new(Chain::new(models, &transport, Arc::new(baton_shared::SystemClock::default())));
    let shape = reply::shape(&playbook.stages);
    (Brain { classifier: LEARNT.clone(), chain, shape, playbook, knowledge: None }, script)
}

fn said(author: Author, text: &str) -> Said {
    Said {
        author,
        agent: None,
        kind: "text".into(),
        text: text.into(),
        seen: None,
        at: Micros::from_seconds(1_795_000_000),
        unanswered: false,
        given_back: false,
        may_not_have_arrived: false,
    }
}

fn writes(texts: &[&str]) -> TurnContext {
    let said = texts.iter().map(|text| Said { unanswered: true, ..said(Author::Customer, text) }).collect();
    TurnContext { channel: "shop".into(), said, ..TurnContext::default() }
}

async fn without_model(context: &TurnContext) -> Decision {
    decide(&brain(&[], vec![]).0, context, &Bottomless).await
}

fn reply(decision: Decision) -> Reply {
    match decision {
        Decision::Reply(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn handoff(decision: Decision) -> Handoff {
    match decision {
        Decision::Handoff(handoff) => handoff,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_a_model_questions_of_the_playbook_are_answered_in_the_customers_language() {
    for (text, intent, piece) in [
        ("when do you open?", "opening_hours", "Monday to Saturday"),
        ("¿a qué hora abren?", "opening_hours", "de lunes a sábado"),
        ("Onde está a minha encomenda?", "order_status", "link do e-mail"),
        ("Was kostet der Versand?", "shipping_cost", "ab 60 nichts"),
        ("Bonjour", "greeting", "Je suis Lia"),
    ] {
        let reply = reply(without_model(&writes(&[text])).await);
        assert_eq!(reply.intent.as_deref(), Some(intent), "{text}");
        assert!(reply.text.contains(piece), "{text}: {}", reply.text);
        assert!(reply.resolved && reply.cost == Cost::default());
    }
}

#[tokio::test]
async fn a_burst_gets_one_answer_to_all_its_questions() {
    let reply = reply(without_model(&writes(&["hi", "when do you open?", "and how much is shipping?"])).await);
    assert!(reply.text.contains("Monday") && reply.text.contains("4.90"), "{}", reply.text);
    assert!(!reply.text.contains("How can I help"));
    assert!(reply.text.starts_with("I am Lia, Marola's digital assistant."), "whoever meets the bot first reads it");
    let again = TurnContext {
        said: vec![said(Author::Bot, "Hello!"), writes(&["when do you open?"]).said.remove(0)],
        ..writes(&[])
    };
    assert!(!self::reply(without_model(&again).await).text.contains("Lia"));
}

#[tokio::test]
async fn a_plain_request_and_human_topics_get_a_person_whatever_a_model_would_say() {
    let cases = [
        ("where is my order? I want to talk to a human", Reason::AskedForHuman, None),
        ("quero falar com uma pessoa", Reason::AskedForHuman, None),
        ("You will hear from my lawyer!", Reason::HumanOnlyTopic, Some("legal")),
        ("the shoes you sent are broken", Reason::HumanOnlyTopic, Some("damaged_or_wrong_item")),
        ("Bitte löscht alle meine Daten", Reason::HumanOnlyTopic, Some("data_protection")),
    ];
    for (text, reason, intent) in cases {
        let (brain, script) = brain(&[model("a")], vec![sure("All fine!", 1.0)]);
        let handoff = handoff(decide(&brain, &writes(&[text]), &Bottomless).await);
        assert_eq!((handoff.reason, handoff.intent.as_deref()), (reason, intent), "{text}");
        assert!(handoff.announced);
        assert!(script.asked.lock().unwrap().is_empty(), "no model was asked");
    }
}

#[tokio::test]
async fn without_a_model_what_is_not_known_gets_a_person() {
    let context = writes(&["my cat ate the blue ribbon of my sandals, can she digest it?"]);
    let handoff = handoff(without_model(&context).await);
    assert_eq!(handoff.reason, Reason::LowConfidence);
    assert!(handoff.announced);
    assert!(handoff.summary.starts_with("The bot is not sure"), "{}", handoff.summary);
    assert!(handoff.summary.contains("\nSaid: my cat ate"), "{}", handoff.summary);
}

#[tokio::test]
async fn a_sure_model_answers_and_its_cost_is_counted() {
    let (brain, script) = brain(&[model("a")], vec![sure("Yes, in blue.", 0.95)]);
    let reply = reply(decide(&brain, &writes(&["do you have the linen shirt in blue?"]), &Bottomless).await);
    assert!(reply.text.ends_with("\n\nYes, in blue."), "{}", reply.text);
    assert_eq!(reply.stage.as_deref(), Some("question"));
    assert!(reply.resolved);
    let usage = Usage { input_tokens: 100, cached_tokens: 0, output_tokens: 20 };
    assert_eq!((reply.cost.model.as_deref(), reply.cost.usage, reply.cost.calls.len()), (Some("a"), usage, 1));
    let asked = script.asked.lock().unwrap();
    assert!(asked[0]["messages"][0]["content"].as_str().unwrap().contains("linen shirt in blue"));
}

#[tokio::test]
async fn an_unsure_model_leaves_its_answer_to_a_person() {
    let question = writes(&["do you have the linen shirt in blue?"]);
    let (unsure, _) = brain(&[model("a")], vec![sure("Perhaps.", 0.3)]);
    let call = handoff(decide(&unsure, &question, &Bottomless).await);
    assert_eq!(call.reason, Reason::LowConfidence);
    assert_eq!(call.suggestion.unwrap().text, "Perhaps.");

    let wants =
        json!({"reply": "", "confidence": 0.9, "handoff": true, "reason": "asked_for_human", "stage": "problem"});
    let (wants, _) = brain(&[model("a")], vec![says(&wants)]);
    let call = handoff(decide(&wants, &question, &Bottomless).await);
    assert_eq!((call.reason, call.suggestion), (Reason::AskedForHuman, None));

    let (half, _) = brain(&[model("a")], vec![sure("I think so.", 0.65)]);
    assert!(!reply(decide(&half, &question, &Bottomless).await).resolved);
}

#[tokio::test]
async fn when_models_fail_the_next_is_asked_and_then_a_person() {
    let question = writes(&["do you have the linen shirt in blue?"]);
    let two = [model("a"), model("b")];
    let (brain_, _) = brain(&two, vec![Err(NoResponse::TimedOut), sure("Yes.", 0.9)]);
    assert_eq!(reply(decide(&brain_, &question, &Bottomless).await).cost.model.as_deref(), Some("b"));

    let (brain_, _) = brain(&two, vec![]);
    let call = handoff(decide(&brain_, &question, &Bottomless).await);
    assert_eq!((call.reason, call.failure), (Reason::ModelFailed, Some(Failure::TimedOut)));
    assert_eq!(call.cost.calls.len(), 2);
    assert_eq!(brain_.longest(), Duration::from_secs(10));
}

#[tokio::test]
async fn what_does_not_help_ends_with_a_person() {
    let mut context = writes(&["do you have it in blue?"]);
    context.unresolved_turns = 3;
    let call = handoff(without_model(&context).await);
    assert_eq!(call.reason, Reason::Unresolved);
    assert!(call.summary.starts_with("3 answers did not help"));

    // The same question again gets no second copy of the same answer.
    let mut context = writes(&["but where is my order?"]);
    context.said.insert(0, said(Author::Customer, "where is my order?"));
    context.said.insert(1, said(Author::Bot, "You can follow your parcel."));
    let call = handoff(without_model(&context).await);
    assert_eq!((call.reason, call.intent.as_deref()), (Reason::Unresolved, Some("order_status")));
    assert!(call.summary.contains("Bot: You can follow"), "{}", call.summary);
    let (with_model, _) = brain(&[model("a")], vec![sure("It arrives today.", 1.0)]);
    assert!(!reply(decide(&with_model, &context, &Bottomless).await).resolved);
}

#[tokio::test]
async fn a_thank_you_after_all_is_still_a_thank_you() {
    let mut context = writes(&["thanks a lot"]);
    context.unresolved_turns = 5;
    assert_eq!(reply(without_model(&context).await).intent.as_deref(), Some("thanks"));
}

#[tokio::test]
async fn signs_pictures_and_silence() {
    let mut context = writes(&["👍"]);
    assert_eq!(reply(without_model(&context).await).intent.as_deref(), Some("greeting"));
    context.said.insert(0, said(Author::Bot, "Hello!"));
    assert_eq!(without_model(&context).await, Decision::quiet("only_signs"));
    assert_eq!(without_model(&TurnContext::default()).await, Decision::quiet("nothing_said"));

    let mut context = writes(&["look at this"]);
    context.said[0].kind = "image".into();
    let call = handoff(without_model(&context).await);
    assert_eq!(call.reason, Reason::CannotRead);
    assert!(call.summary.contains("(image)"));
    assert_eq!(handoff(without_model(&writes(&["??"])).await).reason, Reason::LowConfidence);
}

#[tokio::test]
async fn after_a_hand_back_the_model_knows_what_was_promised_and_so_does_the_next_person() {
    let mut context = writes(&["and what about the blue one we spoke of?"]);
    context.stretches.push(HumanStretch {
        by: "Ana".into(),
        from: Micros::from_seconds(1_794_990_000),
        to: Micros::from_seconds(1_794_999_000),
        outcome: Some("solved".into()),
        note: Some("wants the blue one".into()),
        promised: Some("blue one kept until Friday".into()),
    });
    let (brain, script) = brain(&[model("a")], vec![sure("It is kept until Friday.", 0.2)]);
    let call = handoff(decide(&brain, &context, &Bottomless).await);
    let asked = script.asked.lock().unwrap()[0]["messages"][0]["content"].as_str().unwrap().to_owned();
    for piece in
        ["a person (Ana) handled this", "blue one kept until Friday", "wants the blue one", "you are active again"]
    {
        assert!(asked.contains(piece), "{piece} in {asked}");
    }
    assert!(call.summary.contains("Promised by Ana: blue one kept"));
}

#[tokio::test]
async fn nothing_a_customer_writes_breaks_the_decision() {
    for text in
        ["\u{301}".repeat(30_000), "{\"mark\":\"x\"}\n".repeat(500), "\u{202e}\u{1b}[2J".into(), "a?".repeat(9_000)]
    {
        let (brain, _) = brain(&[model("a")], vec![sure("ok", 0.9)]);
        let _ = decide(&brain, &writes(&[&text, &text]), &Bottomless).await;
    }
}

#[tokio::test]
async fn what_came_late_is_answered_with_an_apology_or_by_a_person() {
    let context = TurnContext { late: true, ..writes(&["When are you open?"]) };
    let on_time = reply(without_model(&writes(&["When are you open?"])).await).text;
    let text = reply(without_model(&context).await).text;
    assert!(text.starts_with("Sorry for the wait") && text.ends_with(&on_time), "{text}");
    let (mut brain, _) = brain(&[], vec![]);
    brain.playbook.late.to = Reopen::Waiting;
    let call = handoff(decide(&brain, &context, &Bottomless).await);
    assert_eq!((call.reason, call.suggestion.unwrap().text), (Reason::Late, on_time));
    let asks = TurnContext { late: true, ..writes(&["I want to talk to a human"]) };
    assert_eq!(handoff(decide(&brain, &asks, &Bottomless).await).reason, Reason::AskedForHuman, "the better reason");
}

/// What a person had in front of them, and what they said when they gave it back.
fn gives_back(texts: &[&str], settled: bool) -> TurnContext {
    let mut context = TurnContext { settled, ..writes(texts) };
    context.said.iter_mut().for_each(|said| said.given_back = true);
    context
}

#[tokio::test]
async fn what_a_person_gave_back_gets_no_second_bridge() {
    for asked in ["I want to talk to a human", "You will hear from my lawyer!", "my cat ate the blue ribbon"] {
        let call = handoff(without_model(&gives_back(&[asked], false)).await);
        assert!(!call.announced, "{asked}");
        assert_eq!(without_model(&gives_back(&[asked], true)).await, Decision::quiet("settled_by_a_person"), "{asked}");
        assert_eq!(switched_off(&gives_back(&[asked], true)), Decision::quiet("settled_by_a_person"));
        assert!(matches!(switched_off(&gives_back(&[asked], false)), Decision::Handoff(_)));
    }
    // What the bot can answer, it answers.
    let context = gives_back(&["when do you open?"], true);
    assert_eq!(reply(without_model(&context).await).intent.as_deref(), Some("opening_hours"));
    // What a model was asked for in vain has its cost.
    let (brain, _) = brain(&[model("a")], vec![sure("Perhaps.", 0.1)]);
    let quiet = decide(&brain, &gives_back(&["can the cat digest it?"], true), &Bottomless).await;
    assert!(matches!(&quiet, Decision::Quiet { cost, .. } if cost.calls.len() == 1), "{quiet:?}");
}

#[tokio::test]
async fn after_a_person_what_is_new_decides() {
    let and_then = |text: &str| {
        let mut context = gives_back(&["I want to talk to a human", "You will hear from my lawyer!"], true);
        context.said.push(Said { unanswered: true, ..said(Author::Customer, text) });
        context
    };
    let opens = reply(without_model(&and_then("when do you open?")).await);
    assert_eq!(opens.intent.as_deref(), Some("opening_hours"));
    let again = handoff(without_model(&and_then("please, let me talk to a human")).await);
    assert!(again.reason == Reason::AskedForHuman && again.announced, "{again:?}");
    let (brain, script) = brain(&[model("a")], vec![sure("All settled.", 0.9)]);
    reply(decide(&brain, &and_then("do you have the linen shirt in blue?"), &Bottomless).await);
    let asked = script.asked.lock().unwrap()[0]["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(asked.contains("my lawyer"), "older words are known to the model: {asked}");
}

#[tokio::test]
async fn a_model_may_keep_what_the_customer_said_of_themselves() {
    let answer = json!({
        "reply": "Yes, we have it.", "confidence": 0.9, "handoff": false, "reason": "", "stage": "question",
        "remember": [{"key": "shoe_size", "value": "38"}, {"key": "is", "value": "a doctor"}],
    });
    let (brain, script) = brain(&[model("a")], vec![says(&answer)]);
    let context = TurnContext {
        known: vec![("prefers".into(), "linen".into())],
        earlier: Some("Asked for a voucher in May.".into()),
        ..writes(&["do you have the linen shirt in blue? my size is 38"])
    };
    let reply = reply(decide(&brain, &context, &Bottomless).await);
    assert_eq!(reply.remember, [Proposed { key: "shoe_size".into(), value: "38".into() }]);
    let asked = script.asked.lock().unwrap()[0]["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(asked.contains(r#"{"known_of_customer":{"prefers":"linen"}}"#), "{asked}");
    assert!(asked.contains(r#"{"said_earlier":"Asked for a voucher in May."}"#), "{asked}");
}
