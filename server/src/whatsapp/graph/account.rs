//! Looking at the account: what `doctor` asks to see whether a number is set up.

use std::time::Duration;

use baton_shared::Micros;
use serde_json::Value;

use super::{CallError, Graph, answer};
use crate::config::Secret;

/// A business number as Graph describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneNumber {
    pub display_phone_number: Option<String>,
    pub verified_name: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`, ...
    pub quality_rating: Option<String>,
    /// `CONNECTED`, `DISCONNECTED`, `PENDING`, ...
    pub status: Option<String>,
    /// `SANDBOX` or `LIVE`.
    pub account_mode: Option<String>,
    /// `STANDARD`, `HIGH`, ...
    pub throughput: Option<String>,
    /// How many customers the business may write to first in a day: `TIER_2K`, ...
    pub messaging_limit: Option<String>,
    /// Meta's clock.
    pub date: Option<Micros>,
}

/// A message template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pub id: String,
    pub name: String,
    pub language: String,
    pub category: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, ...
    pub status: String,
    /// `GREEN`, `YELLOW`, `RED`, if Meta has judged it.
    pub quality: Option<String>,
    /// The JSON of header, body, footer and buttons.
    pub components: String,
}

/// One page of templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplatePage {
    pub templates: Vec<Template>,
    /// Where the next page begins, if there is one.
    pub after: Option<String>,
}

/// What an app gets webhooks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// `whatsapp_business_account`, ...
    pub object: String,
    pub callback_url: Option<String>,
    pub active: bool,
    pub fields: Vec<String>,
}

/// What Graph says about an access token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    pub is_valid: bool,
    pub app_id: Option<String>,
    /// `None`: it does not expire.
    pub expires_at: Option<Micros>,
    /// Permissions, such as `whatsapp_business_messaging`.
    pub scopes: Vec<String>,
}

const PHONE_NUMBER_FIELDS: &str = "id,display_phone_number,verified_name,quality_rating,status,account_mode,throughput,\
                                   whatsapp_business_manager_messaging_limit";

const TEMPLATE_FIELDS: &str = "id,name,language,category,status,quality_score,components";

impl Graph {
    /// # Errors
    /// As any call: 190 if the token is not accepted, 100 with subcode 33 if it may not see the number.
    pub async fn phone_number(&self, phone_number_id: &str, deadline: Duration) -> Result<PhoneNumber, CallError> {
        let answer = self.get(&[phone_number_id], &[("fields", PHONE_NUMBER_FIELDS)], deadline).await?;
        let text = |key| answer::text(&answer.json, key);
        Ok(PhoneNumber {
            display_phone_number: text("display_phone_number"),
            verified_name: text("verified_name"),
            quality_rating: text("quality_rating"),
            status: text("status"),
            account_mode: text("account_mode"),
            throughput: answer.json.get("throughput").and_then(|throughput| answer::text(throughput, "level")),
            messaging_limit: text("whatsapp_business_manager_messaging_limit"),
            date: answer.date,
        })
    }

    /// A page of the account's templates; `after` is the end of the page before.
    ///
    /// # Errors
    /// As any call.
    pub async fn templates(
        &self,
        business_account_id: &str,
        after: Option<&str>,
        deadline: Duration,
    ) -> Result<TemplatePage, CallError> {
        let mut query = vec![("fields", TEMPLATE_FIELDS), ("limit", "100")];
        query.extend(after.map(|after| ("after", after)));
        let answer = self.get(&[business_account_id, "message_templates"], &query, deadline).await?;
        // A last page has cursors too, but no `next`.
        let more = answer.json.pointer("/paging/next").is_some();
        let after = answer.json.pointer("/paging/cursors/after").and_then(Value::as_str);
        Ok(TemplatePage {
            templates: data(&answer.json).map(template).collect(),
            after: after.filter(|_| more).map(str::to_owned),
        })
    }

    /// The ids of the apps that get this account's webhooks; without ours in it nothing arrives.
    ///
    /// # Errors
    /// As any call.
    pub async fn subscribed_apps(
        &self,
        business_account_id: &str,
        deadline: Duration,
    ) -> Result<Vec<String>, CallError> {
        let answer = self.get(&[business_account_id, "subscribed_apps"], &[], deadline).await?;
        let id = |app: &Value| answer::text(app.get("whatsapp_business_api_data").unwrap_or(app), "id");
        Ok(data(&answer.json).filter_map(id).collect())
    }

    /// The webhook fields that the app is subscribed to, asked in the app's own name.
    ///
    /// # Errors
    /// As any call: 190 if id and secret do not belong together.
    pub async fn subscriptions(
        &self,
        app_id: &str,
        app_secret: &Secret,
        deadline: Duration,
    ) -> Result<Vec<Subscription>, CallError> {
        let token = app_token(app_id, app_secret);
        let answer = self.get_as(token, &[app_id, "subscriptions"], &[], deadline).await?;
        Ok(data(&answer.json).map(subscription).collect())
    }

    /// What Graph says about this client's own token, asked in the app's name.
    ///
    /// # Errors
    /// As any call: 190 if id and secret do not belong together.
    pub async fn token_facts(
        &self,
        app_id: &str,
        app_secret: &Secret,
        deadline: Duration,
    ) -> Result<TokenFacts, CallError> {
        let query = [("input_token", self.token.reveal())];
        let answer = self.get_as(app_token(app_id, app_secret), &["debug_token"], &query, deadline).await?;
        let facts = answer.json.get("data").unwrap_or(&Value::Null);
        Ok(TokenFacts {
            is_valid: facts.get("is_valid").and_then(Value::as_bool).unwrap_or(false),
            app_id: answer::text(facts, "app_id"),
            expires_at: answer::number(facts, "expires_at").filter(|at| *at > 0).map(Micros::from_seconds),
            scopes: words(facts, "scopes"),
        })
    }
}

fn app_token(app_id: &str, app_secret: &Secret) -> Secret {
    Secret::new(format!("{app_id}|{}", app_secret.reveal()))
}

fn data(json: &Value) -> impl Iterator<Item = &Value> {
    json.get("data").and_then(Value::as_array).into_iter().flatten()
}

fn template(json: &Value) -> Template {
    let text = |key| answer::text(json, key).unwrap_or_default();
    Template {
        id: text("id"),
        name: text("name"),
        language: text("language"),
        category: text("category"),
        status: text("status"),
        quality: json.get("quality_score").and_then(|quality| answer::text(quality, "score")),
        components: json.get("components").map_or_else(|| "[]".to_owned(), Value::to_string),
    }
}

fn subscription(json: &Value) -> Subscription {
    Subscription {
        object: answer::text(json, "object").unwrap_or_default(),
        callback_url: answer::text(json, "callback_url"),
        active: json.get("active").and_then(Value::as_bool).unwrap_or(false),
        fields: words(json, "fields"),
    }
}

/// A list of words, each bare or as the `name` of an object.
fn words(json: &Value, key: &str) -> Vec<String> {
    let list = json.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|word| word.as_str().map(str::to_owned).or_else(|| answer::text(word, "name"))).collect()
}
