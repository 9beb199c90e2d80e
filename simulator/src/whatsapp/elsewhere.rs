//! Another app of the business's, which may have a thread instead of the one under test. Whoever does not have it
//! gets copies, and is told when it changes hands.

use baton_shared::Micros;
use serde_json::json;

use super::{PersonId, Whatsapp, ids, ids::Way};

/// Of the other app.
const APP: &str = "390000000000001";

impl Whatsapp {
    /// The other app takes the thread, as the business's own agent of Meta's may at any time.
    pub fn take_elsewhere(&mut self, now: Micros, number: usize, person: PersonId) {
        self.people[person.0].is_elsewhere = true;
        self.hand_over(now, number, person, "control_taken", ("escalation", "ai_agent"), "");
    }

    /// The other app passes the thread here, and says why.
    pub fn pass_here(&mut self, now: Micros, number: usize, person: PersonId, why: &str) {
        self.people[person.0].is_elsewhere = false;
        self.hand_over(now, number, person, "control_passed", ("ai_agent", "escalation"), why);
    }

    /// The other app answers the customer; the message's id.
    pub fn answer_elsewhere(&mut self, now: Micros, number: usize, person: PersonId, text: &str) -> String {
        let wamid = ids::wamid(&mut self.rng, Way::ToCustomer, self.people[person.0].digits());
        let message = json!({"to": self.people[person.0].phone, "type": "text", "text": {"body": text}});
        let echo = json!({"id": wamid, "timestamp": self.meta_time(now).seconds().to_string(), "message": message});
        let number = &self.config.numbers[number];
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": number.phone, "phone_number_id": number.id},
            "standby": {"message_echoes": [echo]},
        });
        let account = number.account.clone();
        self.announce(now, &account, "standby", value);
        wamid
    }

    fn hand_over(
        &mut self,
        now: Micros,
        number: usize,
        person: PersonId,
        kind: &str,
        (from, to): (&str, &str),
        why: &str,
    ) {
        let (number, person) = (&self.config.numbers[number], &self.people[person.0]);
        let mut sender = json!({});
        if person.shares_phone {
            sender["wa_id"] = json!(person.phone);
        }
        if person.shares_user_id {
            sender["user_id"] = json!(person.user_id);
        }
        let value = json!({
            "messaging_product": "whatsapp",
            "recipient": {"phone_number_id": number.id, "display_phone_number": number.phone},
            "sender": sender,
            "timestamp": self.meta_time(now).seconds().to_string(),
            "type": kind,
            kind: {
                "previous_owner_role": from,
                "new_owner_role": to,
                "previous_owner_app_id": APP,
                "metadata": why,
            },
        });
        let account = number.account.clone();
        self.announce(now, &account, "messaging_handovers", value);
    }
}
