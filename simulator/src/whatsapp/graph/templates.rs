//! Templates are made, looked at by Meta, changed and taken away.

use baton_shared::Micros;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Answer, GraphError, account::looked_up, number::success, route::Target};
use crate::{
    chance::Chance,
    whatsapp::{Happening, Template, Whatsapp},
};

const CATEGORIES: [&str; 3] = ["AUTHENTICATION", "MARKETING", "UTILITY"];

/// The longest name of a template.
const NAME_LIMIT: usize = 512;

#[derive(Serialize)]
struct Created<'a> {
    id: &'a str,
    status: &'a str,
    category: &'a str,
}

impl Whatsapp {
    /// `POST /<account>/message_templates`; it is approved a little later, and a webhook says so.
    pub(super) fn create_template(
        &mut self,
        now: Micros,
        target: &Target<'_>,
        body: &[u8],
    ) -> Result<Answer, GraphError> {
        let account = self.account(target)?.id.clone();
        let asked = target.parameters(body)?;
        let text = |name: &'static str| asked[name].as_str().ok_or_else(|| GraphError::required(name));
        let (name, language, category) = (text("name")?, text("language")?, text("category")?.to_uppercase());
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > NAME_LIMIT || !name.chars().all(fits) {
            let why = "Param name must consist of lowercase alphanumeric characters and underscores";
            return Err(GraphError::invalid(why));
        }
        if !CATEGORIES.contains(&category.as_str()) {
            return Err(GraphError::invalid(format!("Param category must be one of {{{}}}", CATEGORIES.join(", "))));
        }
        let components = components(&asked)?;
        let known = self.account(target)?.templates.iter();
        if known.clone().any(|known| known.name == name && known.language == language) {
            return Err(GraphError::template_exists(name, language));
        }
        let id = format!("{:016}", self.rng.u64(1_000_000_000_000_000..10_000_000_000_000_000));
        let template = Template {
            id: id.clone(),
            name: name.into(),
            language: language.into(),
            category: category.clone(),
            status: "PENDING".into(),
            body: body_of(&components),
            components: Some(components),
            parameter_format: asked["parameter_format"].as_str().unwrap_or("POSITIONAL").to_uppercase(),
        };
        if let Some(account) = self.config.accounts.iter_mut().find(|known| known.id == account) {
            account.templates.push(template);
        }
        let review = self.rng.within(self.config.pace.review);
        self.at(now.plus(review), Happening::Review(id.clone()));
        Ok(looked_up(&Created { id: &id, status: "PENDING", category: &category }, &account))
    }

    /// `POST /<template>`.
    pub(super) fn change_template(&mut self, target: &Target<'_>, asked: &Json) -> Result<Answer, GraphError> {
        let new = if asked["components"].is_null() { None } else { Some(components(asked)?) };
        let mut all = self.config.accounts.iter_mut().flat_map(|account| {
            let id = account.id.clone();
            account.templates.iter_mut().map(move |template| (id.clone(), template))
        });
        let found = all.find(|(_, template)| template.id == target.id);
        let (account, template) = found.ok_or_else(|| GraphError::no_object(target.method, target.id))?;
        if let Some(category) = asked["category"].as_str() {
            template.category = category.to_uppercase();
        }
        if let Some(new) = new {
            template.body = body_of(&new);
            template.components = Some(new);
        }
        Ok(success(&account))
    }

    /// `DELETE /<account>/message_templates?name=`: every language of it, or the one with `hsm_id`.
    pub(super) fn delete_templates(&mut self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let account = self.account(target)?.id.clone();
        let (name, id) = (target.parameter("name"), target.parameter("hsm_id"));
        if name.is_none() && id.is_none() {
            return Err(GraphError::required("name"));
        }
        let meant = |template: &Template| {
            name.as_deref().is_none_or(|name| template.name == name) && id.as_deref().is_none_or(|id| template.id == id)
        };
        let Some(templates) = self.config.accounts.iter_mut().find(|known| known.id == account) else {
            return Err(GraphError::no_object(target.method, target.id));
        };
        let before = templates.templates.len();
        templates.templates.retain(|template| !meant(template));
        if templates.templates.len() == before {
            return Err(GraphError::template_not_found(name.or(id).as_deref().unwrap_or_default()));
        }
        Ok(success(&account))
    }

    /// Meta's verdict (`APPROVED`, `REJECTED`, `PAUSED`, `DISABLED`...), and the webhook about it; false if
    /// there is no such template.
    pub fn judge_template(&mut self, now: Micros, id: &str, status: &str) -> bool {
        let mut all = self.config.accounts.iter_mut().flat_map(|account| {
            let id = account.id.clone();
            account.templates.iter_mut().map(move |template| (id.clone(), template))
        });
        let Some((account, template)) = all.find(|(_, template)| template.id == id) else { return false };
        template.status = status.into();
        let number: u64 = id.parse().unwrap_or_default();
        let mut value = json!({
            "event": status,
            // A number here, a string in answers.
            "message_template_id": number,
            "message_template_name": template.name,
            "message_template_language": template.language,
            "message_template_category": template.category,
            "reason": if status == "REJECTED" { "INVALID_FORMAT" } else { "NONE" },
        });
        if status == "PAUSED" {
            value["other_info"] = json!({"title": "FIRST_PAUSE", "description": "Many people found it unhelpful."});
        }
        self.announce(now, &account, "message_template_status_update", value);
        true
    }
}

/// With a body among them; a form has them as text.
fn components(asked: &Json) -> Result<Json, GraphError> {
    let components = match &asked["components"] {
        Json::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    };
    let is_body = |one: &Json| one["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("body"));
    match components.as_array() {
        None => Err(GraphError::required("components")),
        Some(all) if !all.iter().any(is_body) => Err(GraphError::invalid("Components must include a BODY.")),
        Some(_) => Ok(components),
    }
}

fn body_of(components: &Json) -> String {
    let mut all = components.as_array().into_iter().flatten();
    let body = all.find(|one| one["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("body")));
    body.and_then(|body| body["text"].as_str()).unwrap_or_default().to_owned()
}
