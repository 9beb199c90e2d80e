//! The WhatsApp side: apps, numbers and their secrets.

use http::HeaderName;

use super::{
    books::Books,
    error::ConfigError,
    secret::Secret,
    source::{Section, filled},
};

/// The apps at Meta and the business numbers they serve.
#[derive(Clone, Debug)]
pub struct WhatsApp {
    /// `WHATSAPP_GRAPH_URL`, with version, without a slash at its end.
    pub graph_url: String,
    pub apps: Vec<App>,
    pub channels: Vec<Channel>,
}

/// An app at Meta: whose webhooks come in at `/webhook/{name}`.
#[derive(Clone, Debug)]
pub struct App {
    /// `default` is also reachable as `/webhook`.
    pub name: String,
    pub id: String,
    /// Signs the webhooks.
    pub secret: Secret,
    /// Still accepted while a new secret is being put in place.
    pub secret_previous: Option<Secret>,
    /// What the handshake of `GET /webhook/{name}` must bring.
    pub verify_token: Secret,
}

/// One business number.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: String,
    /// The name of its app.
    pub app: String,
    pub phone_number_id: String,
    pub business_account_id: String,
    pub access_token: Secret,
    /// Agents of this team see its conversations; empty for everyone.
    pub team: String,
    /// Its own, or that of [`WhatsApp`]: a provider between us and Meta has another.
    pub graph_url: String,
    /// The header that carries the token alone, for example `D360-API-KEY`; `None`: `Authorization: Bearer`.
    pub key_header: Option<HeaderName>,
    /// The place of its playbook among those of the settings; the first is the server's.
    pub book: usize,
}

const APP_KEYS: [&str; 4] = ["app_id", "app_secret", "app_secret_previous", "verify_token"];
const CHANNEL_KEYS: [&str; 4] = ["phone_number_id", "business_account_id", "access_token", "app"];

/// `[whatsapp]` is the app and the channel `default`; `[[app]]` and `[[channel]]` add more.
pub(super) fn read(root: &Section<'_>, books: &mut Books<'_>) -> Result<WhatsApp, ConfigError> {
    let main = root.table("whatsapp")?.with_variables("WHATSAPP_", "");
    let graph_url =
        main.parse("graph_url", GRAPH_URL, url)?.unwrap_or_else(|| "https://graph.facebook.com/v26.0".into());
    let mut apps = Vec::new();
    let mut channels = Vec::new();
    if any(&main, &APP_KEYS)? {
        apps.push(app(&main, "default".into())?);
    }
    for section in root.tables("app")? {
        let (section, name) = named(section)?;
        apps.push(app(&section, name)?);
        section.finish()?;
    }
    let main_name = main.parse("name", NAME, name)?.unwrap_or_else(|| "default".into());
    if any(&main, &CHANNEL_KEYS)? {
        channels.push(channel(&main, main_name, &apps, &graph_url, books)?);
    }
    for section in root.tables("channel")? {
        let (section, name) = named(section)?;
        channels.push(channel(&section, name, &apps, &graph_url, books)?);
        section.finish()?;
    }
    main.finish()?;
    distinct(root, "app", apps.iter().map(|app| app.name.as_str()))?;
    distinct(root, "channel", channels.iter().map(|channel| channel.name.as_str()))?;
    distinct(root, "channel", channels.iter().map(|channel| channel.phone_number_id.as_str()))?;
    Ok(WhatsApp { graph_url, apps, channels })
}

const GRAPH_URL: &str = "an http or https address with Graph's version";

const NAME: &str = "a name of small letters, digits and hyphens";

fn app(section: &Section<'_>, name: String) -> Result<App, ConfigError> {
    Ok(App {
        name,
        id: section.require("app_id", "the app's id, digits only", digits)?,
        secret: section.require("app_secret", "the app secret", secret)?,
        secret_previous: section.parse("app_secret_previous", "the app secret before", secret)?,
        verify_token: section.require("verify_token", "the token you typed into the webhook form", secret)?,
    })
}

fn channel(
    section: &Section<'_>,
    name: String,
    apps: &[App],
    graph_url: &str,
    books: &mut Books<'_>,
) -> Result<Channel, ConfigError> {
    let app = section.parse("app", "the name of an app", |name| apps.iter().find(|app| app.name == name))?;
    let Some(app) = app.or_else(|| apps.first().filter(|app| apps.len() == 1 || app.name == "default")) else {
        return Err(section.missing("app", "the name of the app that serves this number"));
    };
    Ok(Channel {
        name,
        app: app.name.clone(),
        phone_number_id: section.require("phone_number_id", "the number's id, digits only", digits)?,
        business_account_id: section.require("business_account_id", "the account's id, digits only", digits)?,
        access_token: section.require("access_token", "an access token", secret)?,
        team: section.parse("team", "the name of a team, as its agents have it", filled)?.unwrap_or_default(),
        graph_url: section.parse("graph_url", GRAPH_URL, url)?.unwrap_or_else(|| graph_url.to_owned()),
        key_header: section.parse("key_header", "the name of a header, such as D360-API-KEY", header)?,
        book: books.of(section)?.unwrap_or(0),
    })
}

/// Reads the name first: the variables of a named table end with it, `WHATSAPP_ACCESS_TOKEN_SHOP`.
fn named(section: Section<'_>) -> Result<(Section<'_>, String), ConfigError> {
    let name = section.require("name", NAME, name)?;
    let suffix = format!("_{}", name.to_uppercase().replace('-', "_"));
    Ok((section.with_variables("WHATSAPP_", &suffix), name))
}

fn any(section: &Section<'_>, keys: &[&str]) -> Result<bool, ConfigError> {
    for key in keys {
        if section.scalar(key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn distinct<'a>(root: &Section<'_>, key: &str, names: impl Iterator<Item = &'a str>) -> Result<(), ConfigError> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            return Err(root.wrong(key, &format!("`{name}` twice"), "each name and number once"));
        }
        seen.push(name);
    }
    Ok(())
}

/// `previous` is taken: `WHATSAPP_APP_SECRET_PREVIOUS` means the secret before.
fn name(text: &str) -> Option<String> {
    let fits = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    (fits && !text.is_empty() && text.len() <= 40 && text != "previous").then(|| text.to_owned())
}

fn digits(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

fn header(text: &str) -> Option<HeaderName> {
    text.parse().ok()
}

/// What can stand in a header: anything else was pasted with something that does not belong to it.
pub(super) fn secret(text: &str) -> Option<Secret> {
    filled(text).filter(|text| text.chars().all(|c| c.is_ascii_graphic())).map(Secret::new)
}

pub(super) fn url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let fits = !rest.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    fits.then(|| text.trim_end_matches('/').to_owned())
}
