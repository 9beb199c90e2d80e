//! Looking things up: numbers, accounts, templates, subscriptions.

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Answer, Done, GraphError, fields::Fields, ids, json as bytes, route::Target};
use crate::whatsapp::{Account, Number, Template, Whatsapp};

#[derive(Serialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) paging: Option<Paging>,
    /// Only for those who ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Json>,
}

#[derive(Serialize)]
pub(super) struct Paging {
    cursors: Cursors,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Cursors {
    before: String,
    after: String,
}

const NUMBER: &str = "WhatsAppBusinessPhoneNumber";
const ACCOUNT: &str = "WhatsAppBusinessAccount";
const TEMPLATE: &str = "WhatsAppMessageTemplate";

/// Fields that exist and have no value here.
const NUMBER_EMPTY: &[&str] = &[
    "certificate",
    "conversational_automation",
    "country_code",
    "country_dial_code",
    "eligibility_for_api_business_global_search",
    "host_platform",
    "is_on_biz_app",
    "is_preverified_number",
    "last_onboarded_time",
    "new_certificate",
    "new_name_status",
    "quality_score",
    "search_visibility",
    "username",
];
const ACCOUNT_EMPTY: &[&str] = &[
    "analytics",
    "auth_international_rate_eligibility",
    "conversation_analytics",
    "creation_time",
    "currency",
    "disable_marketing_messages_on_cloud_api",
    "health_status",
    "is_enabled_for_insights",
    "marketing_messages_lite_api_status",
    "marketing_messages_onboarding_status",
    "on_behalf_of_business_info",
    "owner_business",
    "owner_business_info",
    "pricing_analytics",
    "primary_business_location",
    "primary_funding_id",
    "purchase_order_number",
    "status",
    "subscribed_apps",
    "template_analytics",
];
const TEMPLATE_EMPTY: &[&str] = &[
    "correct_category",
    "cta_url_link_tracking_opted_out",
    "degrees_of_freedom_spec",
    "last_updated_time",
    "library_template_name",
    "message_send_ttl_seconds",
    "previous_category",
    "quality_score",
    "rejected_reason",
    "rejection_reason",
    "sub_category",
];

/// How many templates an account may have that is not verified.
const TEMPLATE_LIMIT: usize = 250;

/// How many templates a page holds if nobody says otherwise.
const PAGE: usize = 25;

impl Whatsapp {
    pub(super) fn node(&self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let asked = target.parameter("fields");
        if let Some(number) = self.number(target.id) {
            let fields = self.number_fields(number).select(asked.as_deref(), 5, NUMBER_EMPTY, NUMBER)?;
            return Ok(looked_up(&fields, &number.account));
        }
        if let Some((account, template)) = self.template_by_id(target.id) {
            let fields = template_fields(template).select(asked.as_deref(), 7, TEMPLATE_EMPTY, TEMPLATE)?;
            return Ok(looked_up(&fields, &account.id));
        }
        let account = self.account(target)?;
        let fields = Fields(vec![
            ("id", json!(account.id)),
            ("name", json!(account.name)),
            ("timezone_id", json!("1")),
            ("message_template_namespace", json!("3d1c8f0a_77b2_4c1e_9a65_2f4e8b7d9c10")),
            ("account_review_status", json!("APPROVED")),
            ("business_verification_status", json!("verified")),
            ("country", json!("US")),
            ("ownership_type", json!("SELF")),
        ]);
        Ok(looked_up(&fields.select(asked.as_deref(), 4, ACCOUNT_EMPTY, ACCOUNT)?, &account.id))
    }

    pub(super) fn phone_numbers(&self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let account = self.account(target)?;
        let asked = target.parameter("fields");
        let numbers = self.config.numbers.iter().filter(|number| number.account == account.id);
        let data = numbers
            .map(|number| self.number_fields(number).select(asked.as_deref(), 5, NUMBER_EMPTY, NUMBER))
            .collect::<Result<Vec<_>, _>>()?;
        let paging = (!data.is_empty()).then(|| Paging { cursors: Cursors::around(0, data.len()), next: None });
        Ok(looked_up(&List { data, paging, summary: None }, &account.id))
    }

    pub(super) fn message_templates(&self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let account = self.account(target)?;
        let limit = match target.parameter("limit").map(|limit| limit.parse::<usize>()) {
            None => PAGE,
            Some(Ok(limit @ 1..)) => limit,
            Some(_) => return Err(GraphError::invalid("Param limit must be an integer greater than 0")),
        };
        let wanted = |template: &&Template| {
            let is = |name, value: &str| target.parameter(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value));
            is("name", &template.name)
                && is("language", &template.language)
                && is("status", &template.status)
                && is("category", &template.category)
        };
        let all: Vec<&Template> = account.templates.iter().filter(wanted).collect();
        let start = match target.parameter("after") {
            None => 0,
            Some(after) => (0..=all.len())
                .find(|offset| ids::cursor(*offset) == after)
                .ok_or_else(|| GraphError::invalid("Invalid cursors values"))?,
        };
        let asked = target.parameter("fields");
        let page = all.iter().skip(start).take(limit);
        let page = page.map(|template| template_fields(template).select(asked.as_deref(), 7, TEMPLATE_EMPTY, TEMPLATE));
        let page = page.collect::<Result<Vec<Fields>, _>>()?;
        let end = start + page.len();
        let paging = (!page.is_empty()).then(|| Paging {
            cursors: Cursors::around(start, end),
            next: (end < all.len()).then(|| self.next_page(&account.id, limit, end)),
        });
        let summary = target.parameter("summary").map(|_| {
            let count = account.templates.len();
            json!({"total_count": all.len(), "message_template_count": count,
                   "message_template_limit": TEMPLATE_LIMIT, "are_translations_complete": true})
        });
        Ok(looked_up(&List { data: page, paging, summary }, &account.id))
    }

    pub(super) fn subscribed_apps(&self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let account = self.account(target)?;
        let data = account
            .subscribed
            .iter()
            .map(|id| json!({"whatsapp_business_api_data": {"id": id, "name": account.name, "link": format!("https://www.facebook.com/games/?app_id={id}")}}))
            .collect::<Vec<Json>>();
        Ok(looked_up(&List { data, paging: None, summary: None }, &account.id))
    }

    /// Subscribes the caller's app; with one token for all there is one app to mean.
    pub(super) fn subscribe_app(&mut self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let id = self.account(target)?.id.clone();
        let app = self.config.apps.first().map(|app| app.id.clone());
        let account = self.config.accounts.iter_mut().find(|account| account.id == id);
        if let (Some(account), Some(app)) = (account, app)
            && !account.subscribed.contains(&app)
        {
            account.subscribed.push(app);
        }
        Ok(looked_up(&json!({"success": true}), &id))
    }

    pub(super) fn no_such_edge(&self, target: &Target<'_>) -> GraphError {
        let node = match (self.number(target.id), self.account(target)) {
            (Some(_), _) => NUMBER,
            (None, Ok(_)) => ACCOUNT,
            (None, Err(error)) => return error,
        };
        match target.edge {
            Some(edge) if *target.method == http::Method::GET => GraphError::no_field(edge, node),
            _ => GraphError::no_object(target.method, target.id),
        }
    }

    pub(super) fn template_by_id(&self, id: &str) -> Option<(&Account, &Template)> {
        let all =
            self.config.accounts.iter().flat_map(|account| account.templates.iter().map(move |one| (account, one)));
        all.into_iter().find(|(_, template)| template.id == id)
    }

    pub(super) fn number(&self, id: &str) -> Option<&Number> {
        self.config.numbers.iter().find(|number| number.id == id)
    }

    pub(super) fn account(&self, target: &Target<'_>) -> Result<&Account, GraphError> {
        let account = self.config.accounts.iter().find(|account| account.id == target.id);
        account.ok_or_else(|| GraphError::no_object(target.method, target.id))
    }

    fn number_fields(&self, number: &Number) -> Fields {
        let callback = self.config.apps.iter().find_map(|app| app.callback_url.as_deref());
        Fields(vec![
            ("verified_name", json!(number.verified_name)),
            ("code_verification_status", json!("VERIFIED")),
            ("display_phone_number", json!(displayed(&number.phone))),
            ("quality_rating", json!("GREEN")),
            ("id", json!(number.id)),
            ("account_mode", json!("LIVE")),
            ("status", json!(if number.registered { "CONNECTED" } else { "DISCONNECTED" })),
            ("name_status", json!("APPROVED")),
            ("is_official_business_account", json!(false)),
            ("is_pin_enabled", json!(number.pin.is_some())),
            ("platform_type", json!(if number.registered { "CLOUD_API" } else { "NOT_APPLICABLE" })),
            ("throughput", json!({"level": if self.config.limits.throughput > 80 { "HIGH" } else { "STANDARD" }})),
            ("webhook_configuration", json!({"application": callback})),
            ("health_status", json!({"can_send_message": if number.registered { "AVAILABLE" } else { "BLOCKED" }})),
            ("messaging_limit_tier", json!("TIER_2K")),
            ("whatsapp_business_manager_messaging_limit", json!("TIER_2K")),
        ])
    }

    fn next_page(&self, account: &str, limit: usize, offset: usize) -> String {
        let (base, version) = (&self.config.base_url, &self.config.version);
        format!("{base}/{version}/{account}/message_templates?limit={limit}&after={}", ids::cursor(offset))
    }
}

impl Cursors {
    fn around(start: usize, end: usize) -> Self {
        Self { before: ids::cursor(start), after: ids::cursor(end) }
    }
}

fn template_fields(template: &Template) -> Fields {
    let just_the_body = || {
        let mut body = json!({"type": "BODY", "text": template.body});
        let examples: Vec<String> = (1..template.body.split("{{").count()).map(|n| format!("example {n}")).collect();
        if !examples.is_empty() {
            body["example"] = json!({"body_text": [examples]});
        }
        json!([body])
    };
    Fields(vec![
        ("name", json!(template.name)),
        ("parameter_format", json!(template.parameter_format)),
        ("components", template.components.clone().unwrap_or_else(just_the_body)),
        ("language", json!(template.language)),
        ("status", json!(template.status)),
        ("category", json!(template.category)),
        ("id", json!(template.id)),
    ])
}

pub(super) fn looked_up(body: &impl Serialize, account: &str) -> Answer {
    let usage = Some((account.to_owned(), "whatsapp_business_management"));
    Answer { body: bytes::graph(body), done: Done::Answered, usage }
}

/// As REST shows a number: `+1 555-078-3881`; webhooks have the bare digits.
fn displayed(digits: &str) -> String {
    match (digits.strip_prefix('1'), digits.len()) {
        (Some(rest), 11) => format!("+1 {}-{}-{}", &rest[..3], &rest[3..6], &rest[6..]),
        _ => format!("+{digits}"),
    }
}
