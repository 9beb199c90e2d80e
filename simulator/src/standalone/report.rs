//! What happened, as JSON and as lines for a person.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::whatsapp::{Done, Ledger, Person, PersonId, Request, Whatsapp};

pub(super) fn person(person: &Person) -> Value {
    json!({
        "phone": person.phone, "user_id": person.user_id, "name": person.name, "username": person.username,
        "shares_phone": person.shares_phone, "read_receipts": person.read_receipts, "reachable": person.reachable,
    })
}

/// What was taken, where it is, and what was reported of it.
pub(super) fn messages(whatsapp: &Whatsapp, to: Option<&str>) -> Value {
    let ledger = whatsapp.ledger();
    let mut statuses = BTreeMap::<&str, Vec<&str>>::new();
    for signed in ledger.signed().iter().filter(|signed| signed.duplicate_of.is_none()) {
        for (wamid, state) in &signed.statuses {
            statuses.entry(wamid).or_default().push(state);
        }
    }
    let reached: BTreeMap<&str, _> = ledger.reached().iter().map(|one| (one.wamid.as_str(), one)).collect();
    let is_meant = |request: &Request| to.is_none_or(|to| request.recipient.as_deref() == Some(to));
    let taken = ledger.accepted().filter(|(request, _)| is_meant(request));
    taken
        .map(|(request, wamid)| {
            json!({
                "id": wamid,
                "to": request.recipient,
                "number": request.number,
                "text": reached.get(wamid).map(|one| one.text.as_str()).or(request.text.as_deref()),
                "arrived": reached.contains_key(wamid),
                "statuses": statuses.get(wamid).cloned().unwrap_or_default(),
                "request": whatsapp.sent(wamid),
            })
        })
        .collect()
}

pub(super) fn ledger(whatsapp: &Whatsapp) -> Value {
    let ledger = whatsapp.ledger();
    let said = ledger
        .said()
        .iter()
        .map(|said| json!({"at": said.at.seconds(), "id": said.wamid, "type": said.kind, "to": said.number}));
    let requests = ledger.requests().iter().map(|request| {
        json!({
            "at": request.at.seconds(), "method": request.method, "path": request.path, "to": request.recipient,
            "status": request.status, "done": done(&request.done), "fault": request.fault.map(|fault| format!("{fault:?}")),
        })
    });
    let webhooks = ledger.signed().iter().map(|signed| {
        json!({
            "app": signed.app, "bytes": signed.bytes, "sha256": signed.hash, "messages": signed.messages,
            "statuses": signed.statuses, "answers": signed.attempts.iter().map(|one| one.status).collect::<Vec<_>>(),
            "given_up": signed.given_up,
        })
    });
    json!({
        "said": said.collect::<Vec<_>>(), "requests": requests.collect::<Vec<_>>(),
        "webhooks": webhooks.collect::<Vec<_>>(),
    })
}

fn done(done: &Done) -> String {
    match done {
        Done::Accepted { wamid } => format!("accepted as {wamid}"),
        Done::ReadMark { wamid, typing: false } => format!("marked {wamid} as read"),
        Done::ReadMark { wamid, typing: true } => format!("marked {wamid} as read, typing"),
        Done::Answered => "answered".into(),
        Done::Refused { code } => format!("refused with {code}"),
        Done::Nothing => "nothing".into(),
    }
}

fn who(whatsapp: &Whatsapp, person: PersonId) -> &str {
    let person = &whatsapp.people()[person.0];
    if person.phone.is_empty() { &person.user_id } else { &person.phone }
}

/// How much of a ledger was told already.
#[derive(Default)]
pub(super) struct Told {
    said: usize,
    requests: usize,
    reached: usize,
    /// Attempts with an answer, of each webhook.
    webhooks: Vec<usize>,
}

impl Told {
    /// A line for everything that is new.
    pub(super) fn news(&mut self, whatsapp: &Whatsapp) -> Vec<String> {
        let ledger = whatsapp.ledger();
        let mut lines = Vec::new();
        for said in &ledger.said()[self.said..] {
            lines.push(format!("{} says something ({}): {}", who(whatsapp, said.person), said.kind, said.wamid));
        }
        for request in &ledger.requests()[self.requests..] {
            let status = request.status.map_or_else(|| "no answer".into(), |status| status.to_string());
            let to = request.recipient.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
            let text = request.text.as_deref().map(|text| format!(": {text:?}")).unwrap_or_default();
            let done = done(&request.done);
            lines.push(format!("{} {}{to} -> {status}, {done}{text}", request.method, request.path));
        }
        for reached in &ledger.reached()[self.reached..] {
            let who = who(whatsapp, reached.person);
            lines.push(format!("{who} has a {} on the phone: {:?}, {}", reached.kind, reached.text, reached.wamid));
        }
        self.webhooks(ledger, &mut lines);
        (self.said, self.requests, self.reached) =
            (ledger.said().len(), ledger.requests().len(), ledger.reached().len());
        lines
    }

    fn webhooks(&mut self, ledger: &Ledger, lines: &mut Vec<String>) {
        self.webhooks.resize(ledger.signed().len(), 0);
        for (signed, told) in ledger.signed().iter().zip(&mut self.webhooks) {
            for attempt in signed.attempts.iter().skip(*told).take_while(|attempt| attempt.answered_at.is_some()) {
                *told += 1;
                let answer = attempt.status.map_or_else(|| "no answer".into(), |status| status.to_string());
                let statuses = signed.statuses.iter().map(|(_, state)| *state);
                let messages = signed.messages.iter().map(|_| "message");
                let inside: Vec<&str> = messages.chain(statuses).collect();
                let inside = if inside.is_empty() { "news".into() } else { inside.join(", ") };
                let again = if *told > 1 { format!(" (attempt {told})") } else { String::new() };
                lines.push(format!("webhook with {inside} -> {answer}{again}"));
            }
        }
    }
}
