//! `channel add`: a number is asked for at Meta, then stands in the settings. Its token never goes into the
//! database: it stands in the file, or stays in the environment.

use std::{
    fs::OpenOptions,
    io::{IsTerminal, Read, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use baton_server::{
    config::{Channel, Playbook, Secret, Settings, environment, one_line},
    whatsapp::graph::{CallError, Graph, Transport},
};
use clap::Args;
use http::HeaderName;

use super::super::{
    failure::Failure,
    output::{explain, say},
};

const PATIENCE: Duration = Duration::from_secs(20);

const TOKEN_HELP: &str = "The access token is read from the variable WHATSAPP_ACCESS_TOKEN_NAME (the name in capital \
letters, with _ for -), and stays there; otherwise from standard input, and is written into the file.";

#[derive(Debug, Args)]
#[command(after_help = TOKEN_HELP)]
pub(crate) struct Add {
    /// What it is called here: small letters, digits and hyphens.
    name: String,
    /// The number's id at Meta.
    #[arg(long, value_name = "DIGITS")]
    phone_number_id: String,
    /// The id of its WhatsApp Business account.
    #[arg(long, value_name = "DIGITS")]
    business_account_id: String,
    /// The app of the settings that serves it; may be left out if there is one.
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// Whose agents see its conversations.
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// A provider's address, if it is not Meta's.
    #[arg(long, value_name = "URL")]
    graph_url: Option<String>,
    /// The header that carries the key, if it is not Authorization: Bearer.
    #[arg(long, value_name = "HEADER")]
    key_header: Option<HeaderName>,
    /// Its playbook, if it is not the server's: a path as seen from the settings' folder.
    #[arg(long, value_name = "PATH")]
    playbook: Option<String>,
}

pub(super) async fn run(
    settings: &Settings,
    add: &Add,
    file: &Path,
    transport: Arc<dyn Transport>,
) -> Result<(), Failure> {
    let app = check(settings, add)?;
    check_playbook(add, file)?;
    let variable = format!("WHATSAPP_ACCESS_TOKEN_{}", add.name.to_uppercase().replace('-', "_"));
    let from_environment = environment(&variable).filter(|token| !token.trim().is_empty());
    let is_kept_there = from_environment.is_some();
    let token = match from_environment {
        Some(token) => token.trim().to_owned(),
        None => read_token(&variable)?,
    };
    let channel = Channel {
        name: add.name.clone(),
        app,
        phone_number_id: add.phone_number_id.clone(),
        business_account_id: add.business_account_id.clone(),
        access_token: Secret::new(token.clone()),
        team: add.team.clone().unwrap_or_default(),
        graph_url: add.graph_url.clone().unwrap_or_else(|| settings.whatsapp.graph_url.clone()),
        key_header: add.key_header.clone(),
        book: 0,
    };
    let number = Graph::of(transport, &channel).phone_number(&channel.phone_number_id, PATIENCE).await;
    let number = number.map_err(|error| refused(&error))?;
    let shown = number.display_phone_number.unwrap_or_else(|| "without a shown number".into());
    let name = number.verified_name.unwrap_or_else(|| "without a verified name".into());
    explain(&format!("Meta knows it: {}", one_line(&format!("{name}, {shown}"))));
    let table = table(add, &channel, (!is_kept_there).then_some(token.as_str()));
    match append(file, &table) {
        Ok(()) => say(&format!(
            "{} stands in {} now; restart the server, then: baton-server channel test {}",
            add.name,
            file.display(),
            add.name
        )),
        Err(why) => {
            explain(&format!("{} cannot be written ({why}); put this into it:", file.display()));
            say(&table);
        }
    }
    if is_kept_there {
        explain(&format!("Its token stays in {variable}: the server needs that variable, too."));
    }
    Ok(())
}

/// What can be seen to be wrong without asking anybody; the app's name.
fn check(settings: &Settings, add: &Add) -> Result<String, Failure> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if add.name.is_empty() || add.name.len() > 40 || !add.name.chars().all(fits) {
        return Err(Failure::wrong(format!("name: found {:?}, expected small letters, digits and hyphens", add.name)));
    }
    for (flag, id) in [("phone-number-id", &add.phone_number_id), ("business-account-id", &add.business_account_id)] {
        if id.is_empty() || id.len() > 32 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Failure::wrong(format!("--{flag}: found {id:?}, expected digits only")));
        }
    }
    for known in &settings.whatsapp.channels {
        if known.name == add.name || known.phone_number_id == add.phone_number_id {
            return Err(Failure::wrong(format!(
                "{} is in the settings already, with number {}",
                known.name, known.phone_number_id
            )));
        }
    }
    let names: Vec<&str> = settings.whatsapp.apps.iter().map(|app| app.name.as_str()).collect();
    match (&add.app, names.as_slice()) {
        (Some(app), names) if names.contains(&app.as_str()) => Ok(app.clone()),
        (None, [only]) => Ok((*only).to_owned()),
        (_, []) => Err(Failure::wrong(
            "no app is in the settings yet: fill in app_id, app_secret and verify_token of [whatsapp] first",
        )),
        (_, names) => Err(Failure::wrong(format!(
            "--app: found {:?}, expected one of: {}",
            add.app.as_deref().unwrap_or(""),
            names.join(", ")
        ))),
    }
}

/// One that is wrong would be found at the next start, when nothing starts.
fn check_playbook(add: &Add, file: &Path) -> Result<(), Failure> {
    let Some(path) = add.playbook.as_deref().filter(|path| *path != Playbook::SAMPLE) else { return Ok(()) };
    let place = file.parent().unwrap_or(Path::new("")).join(path);
    let text = std::fs::read_to_string(&place).map_err(|why| {
        Failure::wrong(format!("--playbook: found {path:?} ({why}), expected the path of a playbook"))
    })?;
    Playbook::parse(&place.display().to_string(), &text)?;
    Ok(())
}

fn read_token(variable: &str) -> Result<String, Failure> {
    let mut stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        explain("The access token, then Enter and Ctrl-D (it is shown as you type):");
    }
    let mut text = String::new();
    stdin.read_to_string(&mut text).map_err(|why| Failure::failed(format!("standard input: {why}")))?;
    let token = text.trim();
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Failure::wrong(format!("expected an access token in {variable} or on standard input")));
    }
    Ok(token.to_owned())
}

fn refused(error: &CallError) -> Failure {
    Failure::failed(match error {
        CallError::Refused(error) if error.code == 190 => {
            "Meta does not accept the access token (190); nothing was written".to_owned()
        }
        CallError::Refused(error) if (error.code, error.subcode) == (100, Some(33)) => {
            "the token may not see this number, or --phone-number-id is wrong (100/33); nothing was written".to_owned()
        }
        CallError::Refused(error) => format!("Meta refuses: {}; nothing was written", error.sentence()),
        CallError::Unsent(why) | CallError::Unanswered(why) => {
            format!("Meta does not answer ({why}); nothing was written")
        }
    })
}

fn table(add: &Add, channel: &Channel, token: Option<&str>) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut lines = vec!["[[channel]]".to_owned()];
    let mut line = |key: &str, value: &str| lines.push(format!("{key} = {}", quoted(value)));
    line("name", &channel.name);
    line("app", &channel.app);
    line("phone_number_id", &channel.phone_number_id);
    line("business_account_id", &channel.business_account_id);
    let header = add.key_header.as_ref().map(HeaderName::as_str);
    let optional = [
        ("access_token", token),
        ("team", add.team.as_deref()),
        ("graph_url", add.graph_url.as_deref()),
        ("key_header", header),
        ("playbook", add.playbook.as_deref()),
    ];
    for (key, value) in optional.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        line(key, value);
    }
    lines.join("\n")
}

/// At the file's end: a table stands for itself there, and nothing before it changes.
fn append(file: &Path, table: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(file)?;
    write!(file, "\n{table}\n")?;
    file.sync_all()
}
