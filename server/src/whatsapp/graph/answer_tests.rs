//! Recorded shapes of Graph's answers, and everything that is none.

use proptest::prelude::*;

use super::*;

fn response(status: u16, body: &str) -> Response {
    Response { status, body: body.as_bytes().to_vec(), ..Response::default() }
}

fn refused(status: u16, body: &str) -> GraphError {
    match read(&response(status, body)) {
        Err(CallError::Refused(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_error_is_known_by_its_code_whatever_the_status() {
    let body = r#"{"error":{"message":"(#131056) pair rate limit hit","type":"OAuthException","code":131056,
        "error_data":{"messaging_product":"whatsapp","details":"Too many to this one"},"fbtrace_id":"Ab1"}}"#;
    for status in [200, 400, 403, 429, 500, 503] {
        let error = refused(status, body);
        assert_eq!((error.code, error.details.as_str()), (131_056, "Too many to this one"));
        assert_eq!(error.trace.as_deref(), Some("Ab1"));
        let outcome = CallError::Refused(Box::new(error)).outcome();
        assert_eq!(outcome, Outcome::Refused { retry: Retry::Pair, wait: None });
    }
}

#[test]
fn a_missing_object_is_the_operator_s_matter() {
    let body = r#"{"error":{"message":"Unsupported post request. Object with ID '1' does not exist","code":100,"error_subcode":33}}"#;
    assert!(refused(400, body).advice().alarm_operator);
    assert!(!refused(400, r#"{"error":{"message":"(#100) Invalid parameter","code":"100"}}"#).advice().alarm_operator);
}

#[test]
fn meta_s_word_that_it_will_pass_is_believed_of_codes_nobody_knows() {
    let error = refused(400, r#"{"error":{"message":"?","code":424242,"is_transient":true}}"#);
    assert_eq!(error.advice().retry, Retry::Few);
    let error = refused(400, r#"{"error":{"message":"?","code":190,"is_transient":true}}"#);
    assert_eq!(error.advice().retry, Retry::Never);
}

#[test]
fn promise_5_what_is_not_graph_s_is_no_answer() {
    for (status, body) in [
        (502, "<html>Bad Gateway</html>"),
        (500, "{}"),
        (200, ""),
        (200, "[]"),
        (413, ""),
        (302, "{}"),
        (400, r#"{"error":"invalid_request"}"#),
        (400, r#"{"error":{"message":"no code"}}"#),
    ] {
        let error = read(&response(status, body)).unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unanswered, "{status} {body}");
    }
}

#[test]
fn the_headers_say_when_to_come_back() {
    let body = r#"{"error":{"message":"busy","code":4}}"#;
    let wait = |retry_after: Option<&str>, usage: Option<&str>| {
        let headers = Response {
            date: Some("Mon, 14 Oct 2024 15:22:02 GMT".into()),
            retry_after: retry_after.map(str::to_owned),
            usage: usage.map(str::to_owned),
            ..response(400, body)
        };
        match read(&headers) {
            Err(CallError::Refused(error)) => error.wait.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(wait(None, None), None);
    assert_eq!(wait(Some("7"), None), Some(7));
    assert_eq!(wait(Some("Mon, 14 Oct 2024 15:22:32 GMT"), None), Some(30));
    let gone = r#"{"1":[{"type":"whatsapp","call_count":100,"estimated_time_to_regain_access":2}]}"#;
    let there = r#"{"1":[{"type":"whatsapp","call_count":1,"estimated_time_to_regain_access":0}]}"#;
    assert_eq!(wait(Some("7"), Some(gone)), Some(120));
    assert_eq!(wait(None, Some(there)), None);
    assert_eq!(wait(Some("soon"), Some("[]")), None);
}

#[test]
fn meta_s_clock_is_compared_with_the_middle_of_the_call() {
    let answer = Response { date: Some("Mon, 14 Oct 2024 15:22:02 GMT".into()), ..response(200, "{}") };
    let date = read(&answer).unwrap().date.unwrap();
    assert_eq!(date, Micros::from_seconds(1_728_919_322));
    let ours = |millis: i64| Micros(date.0 + 500_000 - 30_000_000 + millis * 1_000);
    assert_eq!(clock_offset(date, ours(-100), ours(100)), 30_000_000);
}

proptest! {
    #[test]
    fn any_answer_is_survived(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..200), header in ".{0,60}") {
        let headers = Some(header);
        let answer = Response { status, body, date: headers.clone(), retry_after: headers.clone(), usage: headers.clone(), app_usage: headers };
        let _ = read(&answer);
    }

    #[test]
    fn any_error_body_is_survived(
        code in prop::sample::select(vec!["131047", "\"4\"", "1.5", "null", "[]", "9223372036854775808"]),
        rest in prop::sample::select(vec!["", r#","error_data":5"#, r#","error_data":{"details":[]}"#, r#","error_subcode":{}"#, r#","message":7"#]),
    ) {
        let answer = response(400, &format!(r#"{{"error":{{"code":{code}{rest}}}}}"#));
        if let Err(CallError::Refused(error)) = read(&answer) {
            prop_assert!(error.code == 131_047 || error.code == 4);
            prop_assert!(!error.sentence().is_empty());
        }
    }
}
