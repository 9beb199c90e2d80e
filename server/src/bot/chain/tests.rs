use std::collections::HashMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::{
    bot::model::{Form, NoResponse, Pending, Request, Response},
    config::{Link, Structured, Wire},
    domain::money::Price,
};

/// What one call does: after how long, and what.
type Turn = (u64, Result<Response, NoResponse>);

/// Models that do as they were told, one call after the other, in the time of the test.
#[derive(Default)]
struct Script {
    turns: Mutex<HashMap<String, Vec<Turn>>>,
    asked: Mutex<Vec<(String, usize)>>,
}

impl Transport for Script {
    fn send(&self, request: Request) -> Pending<'_> {
        let model = request.url.split('/').nth(2).unwrap().to_owned();
        self.asked.lock().unwrap().push((model.clone(), request.body.len()));
        let mut turns = self.turns.lock().unwrap();
        let (millis, result) = turns.get_mut(&model).filter(|turns| !turns.is_empty()).unwrap().remove(0);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(millis).min(request.deadline)).await;
            if Duration::from_millis(millis) >= request.deadline { Err(NoResponse::TimedOut) } else { result }
        })
    }

    fn send_form(&self, _: Form) -> Pending<'_> {
        unreachable!("a chain sends no files")
    }
}

#[derive(Debug)]
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Micros {
        Micros(i64::try_from(self.0.elapsed().as_micros()).unwrap())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

const PRICE: Price = Price { input: 1_000_000_000, cached: 100_000_000, output: 5_000_000_000 };

fn model(name: &str) -> Model {
    Model {
        provider: "anthropic".into(),
        wire: Wire::Anthropic,
        name: name.into(),
        base_url: format!("http://{name}"),
        api_key: None,
        deadline: Duration::from_secs(10),
        max_tokens: 100,
        structured: Structured::Schema,
        link: Link { price: Some(PRICE), ..Link::default() },
    }
}

fn linked(name: &str, change: impl FnOnce(&mut Link)) -> Model {
    let mut model = model(name);
    change(&mut model.link);
    model
}

fn says(text: &str) -> Result<Response, NoResponse> {
    let body = json!({
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 1_000, "output_tokens": 100},
    });
    Ok(Response { status: 200, retry_after: None, body: body.to_string().into_bytes() })
}

fn yes() -> Result<Response, NoResponse> {
    says(r#"{"say":"yes"}"#)
}

fn status(status: u16, retry_after: Option<&str>, body: &Value) -> Result<Response, NoResponse> {
    let retry_after = retry_after.map(str::to_owned);
    Ok(Response { status, retry_after, body: body.to_string().into_bytes() })
}

fn error(code: u16) -> Result<Response, NoResponse> {
    status(code, None, &json!({"error": {"type": "x", "message": "y"}}))
}

struct Stage {
    chain: Chain,
    script: Arc<Script>,
    shape: Shape<String>,
}

impl Stage {
    fn new(models: &[Model], turns: &[(&str, Vec<Turn>)]) -> Self {
        let turns = turns.iter().map(|(name, turns)| ((*name).to_owned(), turns.clone())).collect();
        let script = Arc::new(Script { turns: Mutex::new(turns), asked: Mutex::default() });
        let transport: Arc<dyn Transport> = script.clone();
        let shape = Shape::new(json!({"type": "object"}), |object| object.get("say")?.as_str().map(str::to_owned));
        Self { chain: Chain::new(models, &transport, Arc::new(TestClock(Instant::now()))), script, shape }
    }

    async fn ask(&self) -> Answered<String> {
        self.ask_of(None, &Bottomless).await
    }

    async fn ask_of(&self, tier: Option<Tier>, purse: &dyn Purse) -> Answered<String> {
        let prompt = Prompt { system: "be kind".into(), user: "x".repeat(3_000) };
        let shorter = Prompt { system: "be kind".into(), user: "x".into() };
        let (shape, shorter) = (&self.shape, Some(&shorter));
        let question = Question { prompt: &prompt, shorter, shape, tier, purpose: Purpose::Answer };
        self.chain.ask(&question, purse).await
    }

    fn asked(&self) -> Vec<String> {
        self.script.asked.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }
}

fn failures(answered: &Answered<String>) -> Vec<(&str, Option<&str>)> {
    answered.calls.iter().map(|call| (call.model.as_str(), call.failure)).collect()
}

#[tokio::test(start_paused = true)]
async fn every_failure_is_worth_what_it_is_worth() {
    let overloaded = || error(529);
    let too_long = || status(400, None, &json!({"error": {"message": "prompt is too long: 9 tokens"}}));
    let cases: Vec<(&str, Vec<Turn>, Vec<&str>)> = vec![
        ("prose is asked again, then the next", vec![(1, says("hm")), (1, says("hm"))], vec!["a", "a", "b"]),
        ("half an object", vec![(1, says(r#"{"say":"#)), (1, yes())], vec!["a", "a"]),
        ("500", vec![(1, error(500)), (1, yes())], vec!["a", "a"]),
        ("a reset", vec![(1, Err(NoResponse::Unanswered("reset".into()))), (1, yes())], vec!["a", "a"]),
        ("nobody there", vec![(1, Err(NoResponse::Unsent("refused".into())))], vec!["a", "b"]),
        ("529", vec![(1, overloaded())], vec!["a", "b"]),
        ("429", vec![(1, error(429))], vec!["a", "b"]),
        ("429 with a time", vec![(1, status(429, Some("1"), &json!({})))], vec!["a", "b"]),
        ("a stall", vec![(60_000, yes())], vec!["a", "b"]),
        ("a refused key", vec![(1, error(401))], vec!["a", "b"]),
        ("too long: shortened once", vec![(1, too_long()), (1, yes())], vec!["a", "a"]),
        ("too long even so: another model reads it", vec![(1, too_long()), (1, too_long())], vec!["a", "a", "b"]),
        ("50 kB", vec![(1, says(&"x".repeat(70_000)))], vec!["a", "b"]),
    ];
    for (what, turns, asked) in cases {
        let stage = Stage::new(&[model("a"), model("b")], &[("a", turns), ("b", vec![(1, yes())])]);
        let answered = stage.ask().await;
        assert_eq!(answered.answer.as_deref(), Ok("yes"), "{what}");
        assert_eq!(stage.asked(), asked, "{what}");
        assert_eq!(answered.calls.len(), asked.len(), "{what}");
        assert_eq!(answered.calls.last().unwrap().failure, None, "{what}");
        let bytes: Vec<usize> = stage.script.asked.lock().unwrap().iter().map(|(_, bytes)| *bytes).collect();
        assert_eq!(what.contains("too long"), bytes.len() > 1 && bytes[1] < 1_000, "{what}: {bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_declines_is_not_asked_of_another() {
    let declined = status(400, None, &json!({"error": {"code": "content_filter", "message": "content_filter"}}));
    let stage = Stage::new(&[model("a"), model("b")], &[("a", vec![(1, declined)])]);
    assert_eq!(stage.ask().await.answer, Err(Failure::Filtered));
    assert_eq!(stage.asked(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_model_is_given_a_breath() {
    for (answer, pause) in
        [(error(529), BREATH), (error(429), BREATH), (status(429, Some("2"), &json!({})), Duration::from_secs(2))]
    {
        let stage = Stage::new(&[model("a")], &[("a", vec![(0, answer), (0, yes())])]);
        let began = Instant::now();
        assert!(stage.ask().await.answer.is_ok());
        assert!(began.elapsed() >= pause && began.elapsed() < pause + Duration::from_millis(50));
    }
    // Nobody waits for a minute; and nobody asks before it is over.
    let stage = Stage::new(&[model("a")], &[("a", vec![(0, status(429, Some("60"), &json!({}))), (0, yes())])]);
    assert!(matches!(stage.ask().await.answer, Err(Failure::RateLimited { .. })));
    assert_eq!(stage.ask().await, Answered { answer: Err(Failure::Resting), calls: vec![] });
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(stage.ask().await.answer.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_again_and_again_is_left_alone_and_tried_again() {
    let a = linked("a", |link| link.opens_after = 2);
    let down = || (1, Err(NoResponse::TimedOut));
    let b = (0..4).map(|_| (1, yes())).collect();
    let stage = Stage::new(&[a, model("b")], &[("a", vec![down(), down(), (1, yes())]), ("b", b)]);
    for _ in 0..4 {
        assert!(stage.ask().await.answer.is_ok());
    }
    assert_eq!(stage.asked(), ["a", "b", "a", "b", "b", "b"]);
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(stage.ask().await.answer.is_ok());
    assert_eq!(stage.asked().last().unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_slow_model_is_hedged_and_both_are_counted() {
    let hedged = || linked("a", |link| link.hedge_after = Some(Duration::from_millis(900)));
    let stage = Stage::new(&[hedged(), model("b")], &[("a", vec![(5_000, yes())]), ("b", vec![(300, yes())])]);
    let answered = stage.ask().await;
    assert!(answered.answer.is_ok());
    assert_eq!(failures(&answered), [("a", Some(OUTRUN)), ("b", None)]);
    let [slow, fast] = answered.calls.as_slice() else { panic!() };
    assert_eq!((slow.took.as_millis(), fast.took.as_millis()), (1_200, 300));
    assert_eq!(fast.cost, Some(Nanos(1_500_000)));
    let most = PRICE.cost(Usage::at_most(3_007, 100));
    assert_eq!(slow.cost, Some(most), "nobody knows: as much as it can be");
    assert!(most > Nanos(1_500_000));

    // The first may still be first; and a failure is not waited for.
    let stage = Stage::new(&[hedged(), model("b")], &[("a", vec![(1_000, yes())]), ("b", vec![(300, yes())])]);
    assert_eq!(failures(&stage.ask().await), [("a", None), ("b", Some(OUTRUN))]);
    let stage = Stage::new(&[hedged(), model("b")], &[("a", vec![(100, error(529))]), ("b", vec![(300, yes())])]);
    assert_eq!(failures(&stage.ask().await), [("a", Some("overloaded")), ("b", None)]);
    let stage = Stage::new(&[hedged(), model("b")], &[("a", vec![(950, error(529))]), ("b", vec![(300, yes())])]);
    assert_eq!(failures(&stage.ask().await), [("a", Some("overloaded")), ("b", None)]);
    let stage = Stage::new(&[hedged()], &[("a", vec![(5_000, yes())])]);
    assert_eq!(failures(&stage.ask().await), [("a", None)]);
}

#[tokio::test(start_paused = true)]
async fn the_tier_that_was_asked_for_is_first_and_the_others_stand_by() {
    let models = [model("a"), linked("b", |link| link.tier = Tier::Cheap)];
    let turns = || [("a", vec![(1, yes())]), ("b", vec![(1, Err(NoResponse::TimedOut))])];
    for (tier, asked) in [(None, vec!["a"]), (Some(Tier::Strong), vec!["a"]), (Some(Tier::Cheap), vec!["b", "a"])] {
        let stage = Stage::new(&models, &turns());
        assert!(stage.ask_of(tier, &Bottomless).await.answer.is_ok());
        assert_eq!(stage.asked(), asked);
    }
}

/// So much and no more.
struct Purseful(Mutex<i64>);

impl Purse for Purseful {
    fn reserve(&self, most: Nanos, _: Micros) -> Pin<Box<dyn Future<Output = Option<Nanos>> + Send + '_>> {
        let mut left = self.0.lock().unwrap();
        let fits = *left >= most.0;
        *left -= if fits { most.0 } else { 0 };
        Box::pin(std::future::ready(fits.then_some(most)))
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_that_cannot_be_paid_for() {
    let worst = PRICE.cost(Usage::at_most(3_007, 100)).0;
    let turns = || [("a", vec![(1, error(529))]), ("b", vec![(1, yes())])];
    let stage = Stage::new(&[model("a"), model("b")], &turns());
    let answered = stage.ask_of(None, &Purseful(Mutex::new(worst))).await;
    assert_eq!((answered.answer, answered.calls.len()), (Err(Failure::Spent), 1));
    assert_eq!(answered.calls[0].cost, Some(Nanos::ZERO), "what was refused costs nothing");
    let stage = Stage::new(&[model("a"), model("b")], &turns());
    assert!(stage.ask_of(None, &Purseful(Mutex::new(2 * worst))).await.answer.is_ok());
    let stage = Stage::new(&[model("a")], &[]);
    assert_eq!(
        stage.ask_of(None, &Purseful(Mutex::new(0))).await,
        Answered { answer: Err(Failure::Spent), calls: vec![] }
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_price_is_said_and_not_guessed() {
    let stage = Stage::new(&[linked("a", |link| link.price = None)], &[("a", vec![(1, yes())])]);
    let answered = stage.ask().await;
    assert_eq!((answered.calls[0].cost, answered.calls[0].reserved), (None, Nanos::ZERO));
    assert_eq!(answered.calls[0].usage.input_tokens, 1_000);
}
