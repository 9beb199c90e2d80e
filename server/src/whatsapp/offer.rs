//! Offers on Meta's wire: interactive messages, places and cards.

use baton_shared::{
    content::ContactCard,
    offer::{Offer, Section, Words},
};
use serde_json::{Value, json};

/// An offer that was found to fit. `token` comes back with a form's answers.
pub fn payload(offer: &Offer, token: &str) -> Value {
    match offer {
        Offer::Buttons { words, buttons } => {
            let buttons = buttons.iter().zip(1..).map(|(title, number): (_, u32)| {
                json!({"type": "reply", "reply": {"id": number.to_string(), "title": title}})
            });
            interactive("button", words, json!({"buttons": buttons.collect::<Vec<_>>()}))
        }
        Offer::List { words, label, sections } => {
            let sections: Vec<Value> = sections.iter().zip(1..).map(section).collect();
            interactive("list", words, json!({"button": label, "sections": sections}))
        }
        Offer::Link { words, label, url } => {
            let parameters = json!({"display_text": label, "url": url});
            interactive("cta_url", words, json!({"name": "cta_url", "parameters": parameters}))
        }
        Offer::AskPlace { body } => {
            interactive("location_request_message", &only(body), json!({"name": "send_location"}))
        }
        Offer::AskContact { body } => {
            interactive("request_contact_info", &only(body), json!({"name": "request_contact_info"}))
        }
        Offer::Form { words, label, flow, screen } => {
            let mut parameters = json!({
                "flow_message_version": "3", "flow_id": flow, "flow_cta": label, "flow_token": token,
            });
            if !screen.is_empty() {
                parameters["flow_action"] = json!("navigate");
                parameters["flow_action_payload"] = json!({"screen": screen});
            }
            interactive("flow", words, json!({"name": "flow", "parameters": parameters}))
        }
        Offer::Place { latitude, longitude, name, address } => {
            let number = |degrees: &str| degrees.parse::<f64>().unwrap_or_default();
            let mut place = json!({"latitude": number(latitude), "longitude": number(longitude)});
            for (key, text) in [("name", name), ("address", address)] {
                if !text.is_empty() {
                    place[key] = json!(text);
                }
            }
            json!({"type": "location", "location": place})
        }
        Offer::Cards { cards } => json!({"type": "contacts", "contacts": cards.iter().map(card).collect::<Vec<_>>()}),
        Offer::Unknown => json!({}),
    }
}

fn only(body: &str) -> Words {
    Words { body: body.into(), ..Words::default() }
}

fn interactive(kind: &str, words: &Words, action: Value) -> Value {
    let mut object = json!({"type": kind, "body": {"text": words.body}, "action": action});
    if !words.above.is_empty() {
        object["header"] = json!({"type": "text", "text": words.above});
    }
    if !words.below.is_empty() {
        object["footer"] = json!({"text": words.below});
    }
    json!({"type": "interactive", "interactive": object})
}

/// Rows are told apart by the numbers of their section and of themselves.
fn section((section, number): (&Section, u32)) -> Value {
    let rows = section.rows.iter().zip(1..).map(|(row, place): (_, u32)| {
        let mut object = json!({"id": format!("{number}.{place}"), "title": row.title});
        if !row.description.is_empty() {
            object["description"] = json!(row.description);
        }
        object
    });
    let mut object = json!({"rows": rows.collect::<Vec<_>>()});
    if !section.title.is_empty() {
        object["title"] = json!(section.title);
    }
    object
}

/// Meta wants a part of the name beside the whole.
fn card(card: &ContactCard) -> Value {
    let name = card.name.as_deref().unwrap_or_default();
    let mut object = json!({"name": {"formatted_name": name, "first_name": name}});
    if !card.phones.is_empty() {
        object["phones"] = card.phones.iter().map(|phone| json!({"phone": phone, "type": "WORK"})).collect();
    }
    if !card.emails.is_empty() {
        object["emails"] = card.emails.iter().map(|email| json!({"email": email, "type": "WORK"})).collect();
    }
    if let Some(company) = &card.organisation {
        object["org"] = json!({"company": company});
    }
    object
}

#[cfg(test)]
mod tests {
    use baton_shared::offer::Row;

    use super::*;

    #[test]
    fn offers_have_the_shape_of_metas() {
        let words = Words { above: "Lamps".into(), body: "Which one?".into(), below: "Lumen".into() };
        let buttons = Offer::Buttons { words: words.clone(), buttons: vec!["Floor".into(), "Desk".into()] };
        assert_eq!(
            payload(&buttons, "t"),
            json!({"type": "interactive", "interactive": {
                "type": "button", "header": {"type": "text", "text": "Lamps"}, "body": {"text": "Which one?"},
                "footer": {"text": "Lumen"}, "action": {"buttons": [
                    {"type": "reply", "reply": {"id": "1", "title": "Floor"}},
                    {"type": "reply", "reply": {"id": "2", "title": "Desk"}}]}}})
        );
        let row = |title: &str, description: &str| Row { title: title.into(), description: description.into() };
        let rows = vec![row("Floor", "150 cm"), row("Desk", "")];
        let list = Offer::List {
            words: only("Which?"),
            label: "See".into(),
            sections: vec![Section { title: String::new(), rows }],
        };
        assert_eq!(
            payload(&list, "t")["interactive"]["action"],
            json!({"button": "See", "sections": [
                {"rows": [{"id": "1.1", "title": "Floor", "description": "150 cm"}, {"id": "1.2", "title": "Desk"}]}]})
        );
        let form = Offer::Form { words, label: "Open".into(), flow: "77".into(), screen: "START".into() };
        assert_eq!(
            payload(&form, "t")["interactive"]["action"]["parameters"],
            json!({"flow_message_version": "3", "flow_id": "77", "flow_cta": "Open", "flow_token": "t",
                   "flow_action": "navigate", "flow_action_payload": {"screen": "START"}})
        );
        let ask = payload(&Offer::AskContact { body: "Your number?".into() }, "t");
        assert_eq!(ask["interactive"]["action"], json!({"name": "request_contact_info"}));
    }

    #[test]
    fn degrees_are_numbers_and_a_card_has_a_name() {
        let place = Offer::Place {
            latitude: "52.5".into(),
            longitude: "-13.40".into(),
            name: "Shop".into(),
            address: String::new(),
        };
        let sent = json!({"type": "location", "location": {"latitude": 52.5, "longitude": -13.4, "name": "Shop"}});
        assert_eq!(payload(&place, "t"), sent);
        let ana = ContactCard { name: Some("Ana".into()), phones: vec!["+49 30 1".into()], ..ContactCard::default() };
        assert_eq!(
            payload(&Offer::Cards { cards: vec![ana] }, "t")["contacts"],
            json!([{"name": {"formatted_name": "Ana", "first_name": "Ana"},
                    "phones": [{"phone": "+49 30 1", "type": "WORK"}]}])
        );
    }
}
