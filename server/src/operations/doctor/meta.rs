//! Meta's side: whether Graph takes our tokens, and sends us what we wait for.

use std::{sync::Arc, time::Duration};

use baton_shared::{Clock, Micros};

use super::{Report, age};
use crate::{
    config::{App, Channel, Settings},
    whatsapp::graph::{CallError, Graph, PhoneNumber, Subscription, TokenFacts, Transport, clock_offset},
};

const PATIENCE: Duration = Duration::from_secs(10);
/// `Date` has whole seconds, and an answer takes its time.
const SKEW_NOTED: Duration = Duration::from_secs(5);
const SKEW_WRONG: Duration = Duration::from_secs(60);
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 24 * 3_600);
/// Without it no message comes.
const NEEDED_FIELD: &str = "messages";
/// What Baton also reads: replies typed on the business's phone, and news of account and number.
const USEFUL_FIELDS: [&str; 5] = [
    "account_alerts",
    "account_update",
    "message_template_status_update",
    "phone_number_quality_update",
    "smb_message_echoes",
];
const NEEDED_SCOPES: [&str; 2] = ["whatsapp_business_management", "whatsapp_business_messaging"];
const ACCOUNTS: &str = "whatsapp_business_account";

pub(super) async fn examine(
    report: &mut Report,
    settings: &Settings,
    clock: &dyn Clock,
    transport: &Arc<dyn Transport>,
) {
    let whatsapp = &settings.whatsapp;
    let mut clock_checked = false;
    for channel in &whatsapp.channels {
        let graph = Graph::of(transport.clone(), channel);
        let asked_at = clock.now();
        let number = graph.phone_number(&channel.phone_number_id, PATIENCE).await;
        let received_at = clock.now();
        match number {
            Err(error) => {
                // Nothing else can be asked with this token.
                report.wrong(about("number", channel), refused(&error, Asked::Number));
                continue;
            }
            Ok(number) => {
                if let Some(date) = number.date.filter(|_| !clock_checked) {
                    clock_checked = true;
                    skew(report, clock_offset(date, asked_at, received_at));
                }
                describe(report, channel, &number);
            }
        }
        if channel.key_header.is_some() {
            // Subscriptions and templates are asked for at the provider's own pages.
            report.note(about("provider", channel), "its key is a provider's: nothing else can be asked with it");
            continue;
        }
        let app = whatsapp.apps.iter().find(|app| app.name == channel.app);
        if let Some(app) = app {
            token(report, channel, app, &graph, clock.now()).await;
            subscribed(report, channel, app, &graph).await;
        }
        templates(report, channel, &graph).await;
    }
    for app in &whatsapp.apps {
        // Asked in the app's own name: any number's client will do.
        let own = |channel: &&Channel| channel.app == app.name && channel.key_header.is_none();
        if let Some(channel) = whatsapp.channels.iter().find(own) {
            let graph = Graph::of(transport.clone(), channel);
            fields(report, app, &graph).await;
        }
    }
}

fn about(what: &str, channel: &Channel) -> String {
    format!("{what} of {}", channel.name)
}

/// What was asked for with the answer that an error is.
#[derive(Clone, Copy)]
enum Asked {
    Number,
    Account,
    App,
}

fn refused(error: &CallError, asked: Asked) -> String {
    let error = match error {
        CallError::Unsent(why) => {
            return format!("Graph cannot be reached ({why}): does this machine reach graph_url?");
        }
        CallError::Unanswered(why) => return format!("Graph gives no answer ({why}): try again, or check graph_url"),
        CallError::Refused(error) => error,
    };
    match (error.code, error.subcode, asked) {
        (190, _, Asked::App) => "Graph does not take app_id and app_secret together: copy both anew from the app's \
                                 settings at developers.facebook.com"
            .into(),
        (190, ..) => "Graph does not accept the access token (190): make one for a system user, without expiry, and \
                      put it into access_token"
            .into(),
        (100, Some(33), Asked::Number) => "the token may not see this number, or phone_number_id is wrong (100/33): \
                                           assign the account to the token's system user"
            .into(),
        (100, Some(33), _) => "the token may not see this account, or business_account_id is wrong (100/33): assign \
                               the account to the token's system user"
            .into(),
        (3 | 10 | 200..=299, ..) => {
            format!("the token lacks a permission ({}): it needs {}", error.code, NEEDED_SCOPES.join(" and "))
        }
        _ => format!("Graph refuses: {}", error.sentence()),
    }
}

fn skew(report: &mut Report, offset: i64) {
    let apart = Duration::from_micros(offset.unsigned_abs());
    let way = if offset > 0 { "behind" } else { "ahead of" };
    let words = format!("this machine is {} {way} Meta: switch on the synchronisation of its clock", age(apart));
    if apart > SKEW_WRONG {
        report.wrong("clock", words);
    } else if apart > SKEW_NOTED {
        report.note("clock", words);
    } else {
        report.right("clock", "as Meta's");
    }
}

fn describe(report: &mut Report, channel: &Channel, number: &PhoneNumber) {
    let shown = number.display_phone_number.as_deref().unwrap_or("without a shown number");
    let name = number.verified_name.as_deref().unwrap_or("without a verified name");
    let status = number.status.as_deref().unwrap_or("UNKNOWN");
    let who = format!("{name}, {shown}");
    match status {
        "CONNECTED" => report.right(about("number", channel), format!("{who}, connected; the token is accepted")),
        "UNKNOWN" => {
            report.note(about("number", channel), format!("{who}; Graph does not say whether it is connected"))
        }
        other => report.wrong(
            about("number", channel),
            format!("{who}: its status is {other}, expected CONNECTED; register it in WhatsApp Manager"),
        ),
    }
    match number.quality_rating.as_deref() {
        Some("GREEN") => report.right(about("quality", channel), "green"),
        None | Some("UNKNOWN" | "NA") => report.note(about("quality", channel), "not rated yet"),
        Some(rating @ "YELLOW") => report.note(about("quality", channel), low(rating)),
        Some(rating) => report.wrong(about("quality", channel), low(rating)),
    }
}

fn low(rating: &str) -> String {
    format!("{}: customers block or report what comes from it; send fewer templates", rating.to_lowercase())
}

async fn token(report: &mut Report, channel: &Channel, app: &App, graph: &Graph, now: Micros) {
    let about = about("token", channel);
    let facts = match graph.token_facts(&app.id, &app.secret, PATIENCE).await {
        Ok(facts) => facts,
        Err(CallError::Refused(error)) if error.code == 190 => {
            return report.wrong(about, refused(&CallError::Refused(error), Asked::App));
        }
        Err(_) => return report.note(about, "Graph does not say when it expires"),
    };
    let TokenFacts { is_valid, app_id, expires_at, scopes } = facts;
    let missing: Vec<&str> = NEEDED_SCOPES.into_iter().filter(|scope| !scopes.iter().any(|s| s == scope)).collect();
    if !is_valid {
        report.wrong(about, "Graph says that it is not valid: make a new one for a system user");
    } else if !missing.is_empty() {
        report.wrong(about, format!("it lacks the permission {}: make a new one with it", missing.join(" and ")));
    } else if app_id.is_some_and(|id| id != app.id) {
        report.wrong(about, format!("it belongs to another app than {}: statuses of its messages go there", app.id));
    } else if let Some(at) = expires_at.filter(|at| at.since(now) < EXPIRES_SOON) {
        report.wrong(about, format!("it expires in {}: make one without expiry for a system user", age(at.since(now))));
    } else {
        report.right(about, if expires_at.is_some() { "valid for weeks" } else { "valid, without expiry" });
    }
}

async fn subscribed(report: &mut Report, channel: &Channel, app: &App, graph: &Graph) {
    let about = about("subscription", channel);
    match graph.subscribed_apps(&channel.business_account_id, PATIENCE).await {
        Ok(apps) if apps.contains(&app.id) => report.right(about, "its account sends webhooks to our app"),
        Ok(_) => report.wrong(
            about,
            format!(
                "its account does not send webhooks to app {}: POST {}/subscribed_apps with the token, once",
                app.id, channel.business_account_id
            ),
        ),
        Err(error) => report.wrong(about, refused(&error, Asked::Account)),
    }
}

async fn templates(report: &mut Report, channel: &Channel, graph: &Graph) {
    let about = about("templates", channel);
    let page = match graph.templates(&channel.business_account_id, None, PATIENCE).await {
        Ok(page) => page,
        Err(error) => return report.wrong(about, refused(&error, Asked::Account)),
    };
    let approved = page.templates.iter().filter(|template| template.status == "APPROVED").count();
    let more = if page.after.is_some() { " and more" } else { "" };
    match approved {
        0 => report.note(about, "none approved: 24 hours after a customer's last word nothing can be sent"),
        _ => report.right(about, format!("{approved}{more} approved")),
    }
}

/// Whether the app is called for what Baton reads, at the right path.
async fn fields(report: &mut Report, app: &App, graph: &Graph) {
    let about = format!("webhook of app {}", app.name);
    let all = match graph.subscriptions(&app.id, &app.secret, PATIENCE).await {
        Ok(all) => all,
        Err(error) => return report.wrong(about, refused(&error, Asked::App)),
    };
    let path = if app.name == "default" { "/webhook".to_owned() } else { format!("/webhook/{}", app.name) };
    let Some(Subscription { callback_url, active, fields, .. }) = all.into_iter().find(|one| one.object == ACCOUNTS)
    else {
        return report.wrong(about, format!(
            "none: in the app's dashboard, WhatsApp > Configuration, enter https://YOUR-SERVER{path} and verify_token"
        ));
    };
    let url = callback_url.unwrap_or_default();
    if !active {
        report.wrong(about, "it is not active: verify the address again in the app's dashboard");
    } else if !fields.iter().any(|field| field == NEEDED_FIELD) {
        report.wrong(about, format!("it is not subscribed to `{NEEDED_FIELD}`: no message comes without it"));
    } else if !url.trim_end_matches('/').ends_with(&path) && !url.ends_with(&format!("/webhook/{}", app.name)) {
        report.wrong(about, format!("it goes to {url}, expected a path that ends with {path}"));
    } else {
        report.right(about, format!("{url}, subscribed to {NEEDED_FIELD}"));
    }
    let missing: Vec<&str> = USEFUL_FIELDS.into_iter().filter(|field| !fields.iter().any(|f| f == field)).collect();
    if !missing.is_empty() {
        report.note(format!("fields of app {}", app.name), format!("also useful: {}", missing.join(", ")));
    }
}
