//! What is done to a number: registered, deregistered, described.

use serde_json::{Value as Json, json};

use super::{Answer, GraphError, account::looked_up, fields::Fields, route::Target};
use crate::whatsapp::{Number, Whatsapp};

/// What a business profile holds, in the order in which Meta tells it.
const PROFILE: [&str; 7] = ["about", "address", "description", "email", "profile_picture_url", "websites", "vertical"];

impl Whatsapp {
    pub(super) fn register(&mut self, target: &Target<'_>, body: &[u8]) -> Result<Answer, GraphError> {
        let asked = target.parameters(body)?;
        let number = self.number_mut(target)?;
        if asked["messaging_product"] != "whatsapp" {
            return Err(GraphError::required("messaging_product"));
        }
        let pin = pin(&asked)?;
        match &number.pin {
            Some(known) if *known != pin => return Err(GraphError::wrong_pin()),
            _ => number.pin = Some(pin),
        }
        number.registered = true;
        let account = number.account.clone();
        Ok(success(&account))
    }

    pub(super) fn deregister(&mut self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let number = self.number_mut(target)?;
        number.registered = false;
        let account = number.account.clone();
        Ok(success(&account))
    }

    /// `request_code` and `verify_code`: here every code is right.
    pub(super) fn verification_code(&mut self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let account = self.number_mut(target)?.account.clone();
        Ok(success(&account))
    }

    /// `POST` to an id: a number's PIN or webhook, or a template's new words.
    pub(super) fn change_node(&mut self, target: &Target<'_>, body: &[u8]) -> Result<Answer, GraphError> {
        let asked = target.parameters(body)?;
        if self.template_by_id(target.id).is_some() {
            return self.change_template(target, &asked);
        }
        let number = self.number_mut(target)?;
        if !asked["pin"].is_null() {
            number.pin = Some(pin(&asked)?);
        }
        let account = number.account.clone();
        if let Some(url) = asked["webhook_configuration"]["override_callback_uri"].as_str()
            && let Some(app) = self.config.apps.first_mut()
        {
            app.callback_url = Some(url.to_owned()).filter(|url| !url.is_empty());
        }
        Ok(success(&account))
    }

    /// Flat, under `data`, with what is set and `messaging_product`.
    pub(super) fn profile(&self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let number = self.number(target.id).ok_or_else(|| GraphError::no_object(target.method, target.id))?;
        let asked = target.parameter("fields");
        let is_asked = |name: &str| asked.as_deref().is_none_or(|asked| asked.split(',').any(|one| one.trim() == name));
        let names = PROFILE.into_iter().filter(|name| is_asked(name));
        let set = names.filter_map(|name| Some((name, number.profile.get(name)?.clone())));
        let fields = Fields(set.chain([("messaging_product", json!("whatsapp"))]).collect());
        Ok(looked_up(&Profiles { data: [fields] }, &number.account))
    }

    pub(super) fn change_profile(&mut self, target: &Target<'_>, body: &[u8]) -> Result<Answer, GraphError> {
        let asked = target.parameters(body)?;
        let number = self.number_mut(target)?;
        if asked["messaging_product"] != "whatsapp" {
            return Err(GraphError::required("messaging_product"));
        }
        for name in PROFILE {
            match (name, &asked[name]) {
                (_, Json::Null) => {}
                // A form has no lists.
                ("websites", Json::String(text)) => {
                    number.profile.insert(name.into(), serde_json::from_str(text).unwrap_or_else(|_| json!([text])));
                }
                (_, value) => drop(number.profile.insert(name.into(), value.clone())),
            }
        }
        let account = number.account.clone();
        Ok(success(&account))
    }

    fn number_mut(&mut self, target: &Target<'_>) -> Result<&mut Number, GraphError> {
        let number = self.config.numbers.iter_mut().find(|number| number.id == target.id);
        number.ok_or_else(|| GraphError::no_object(target.method, target.id))
    }
}

#[derive(serde::Serialize)]
struct Profiles {
    data: [Fields; 1],
}

pub(super) fn success(account: &str) -> Answer {
    looked_up(&json!({"success": true}), account)
}

fn pin(asked: &Json) -> Result<String, GraphError> {
    let pin = asked["pin"].as_str().map(str::to_owned).or_else(|| asked["pin"].as_u64().map(|pin| pin.to_string()));
    let pin = pin.ok_or_else(|| GraphError::required("pin"))?;
    let fits = pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(pin) } else { Err(GraphError::invalid("Param pin must be a 6 digit number.")) }
}
