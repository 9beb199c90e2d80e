//! What the simulator is told on its command line.

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};

use crate::whatsapp::{Config, Faults, Number};

/// WhatsApp's Cloud API, simulated on this machine: the Graph API, signed webhooks, and customers
#[derive(Clone, Debug, Parser)]
#[command(name = "whatsapp-simulator", version, after_help = EXAMPLES)]
pub struct Options {
    /// Where the API is served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4010")]
    pub listen: SocketAddr,

    /// Where webhooks are posted: your server's address
    #[arg(long, value_name = "URL")]
    pub callback: Option<String>,

    /// What your server expects as hub.verify_token
    #[arg(long, value_name = "TEXT", default_value = "knock-knock")]
    pub verify_token: String,

    /// The app's id
    #[arg(long, value_name = "ID", default_value = "670843887433847")]
    pub app_id: String,

    /// Signs the webhooks (X-Hub-Signature-256)
    #[arg(long, value_name = "TEXT", default_value = "9f2c4e1b7a6d8053c1f0e9d8b7a69584")]
    pub app_secret: String,

    /// The access token that requests must bring
    #[arg(long, value_name = "TEXT", default_value = "EAAGsimulated0token")]
    pub token: String,

    /// A business number's id; several make several numbers
    #[arg(long, value_name = "ID", default_value = "106853218861066")]
    pub phone_number_id: Vec<String>,

    /// The first number itself, digits with the country code
    #[arg(long, value_name = "DIGITS", default_value = "15550783881")]
    pub phone: String,

    /// The WhatsApp Business account's id
    #[arg(long, value_name = "ID", default_value = "215589313241560883")]
    pub waba_id: String,

    /// The business's name
    #[arg(long, value_name = "TEXT", default_value = "Juniper & Daughters")]
    pub name: String,

    /// What goes wrong at Meta
    #[arg(long, value_enum, default_value_t = Weather::None)]
    pub faults: Weather,

    /// Put `contacts` beside every status, also where Meta leaves them out
    #[arg(long)]
    pub contacts_always: bool,

    /// Which ids, delays and faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// How good a day it is for networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weather {
    /// Nothing goes wrong
    None,
    /// Duplicates, delays, lost answers, errors: everything happens, and most comes through
    Rough,
}

const EXAMPLES: &str = "\
Example:
  whatsapp-simulator --callback http://127.0.0.1:8080/webhook
  curl http://127.0.0.1:4010/simulator/messages -d '{\"from\":\"15550100199\",\"text\":\"Are you open?\"}'

GET /simulator lists what else a customer can do; simulator/README.md explains it.";

/// Every webhook field that Meta has.
const FIELDS: [&str; 29] = [
    "messages",
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
    "account_update",
    "account_review_update",
    "account_alerts",
    "account_settings_update",
    "business_capability_update",
    "business_status_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "flows",
    "calls",
    "history",
    "smb_message_echoes",
    "smb_app_state_sync",
    "user_preferences",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
    "payment_configuration_update",
    "business_username_updates",
    "user_id_update",
    "messaging_handovers",
    "standby",
];

impl Options {
    /// What the world is made from.
    pub fn config(&self) -> Config {
        let mut config = Config::shop();
        (config.alone, config.contacts_always) = (true, self.contacts_always);
        config.tokens = vec![self.token.clone()];
        if let Some(app) = config.apps.first_mut() {
            app.id.clone_from(&self.app_id);
            app.secret.clone_from(&self.app_secret);
            app.verify_token.clone_from(&self.verify_token);
            app.callback_url.clone_from(&self.callback);
            app.fields = FIELDS.map(str::to_owned).into();
        }
        if let Some(account) = config.accounts.first_mut() {
            account.id.clone_from(&self.waba_id);
            account.name.clone_from(&self.name);
            account.subscribed = vec![self.app_id.clone()];
        }
        let usual = config.numbers.remove(0);
        config.numbers = (0_u64..)
            .zip(&self.phone_number_id)
            .map(|(place, id)| Number {
                id: id.clone(),
                phone: next(&self.phone, place),
                verified_name: self.name.clone(),
                account: self.waba_id.clone(),
                ..usual.clone()
            })
            .collect();
        match self.faults {
            Weather::None => config,
            Weather::Rough => config.with_faults(Faults::rough()),
        }
    }
}

/// The second number follows the first.
fn next(phone: &str, place: u64) -> String {
    phone.parse::<u64>().map_or_else(|_| phone.to_owned(), |digits| (digits + place).to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_usual_options_make_the_shop() {
        Options::command().debug_assert();
        let config = Options::parse_from(["whatsapp-simulator"]).config();
        assert_eq!((config.numbers.len(), config.numbers[0].id.as_str()), (1, "106853218861066"));
        assert_eq!(config.numbers[0].phone, Config::shop().numbers[0].phone);
        let two = ["whatsapp-simulator", "--phone-number-id", "1", "--phone-number-id", "2", "--waba-id", "9"];
        let config = Options::parse_from(two).config();
        let numbers: Vec<_> = config.numbers.iter().map(|one| (one.id.as_str(), one.phone.as_str())).collect();
        assert_eq!(numbers, [("1", "15550783881"), ("2", "15550783882")]);
        assert!(config.numbers.iter().all(|number| number.account == "9"));
    }
}
