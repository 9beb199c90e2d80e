//! `agent`: the people who sign in.

use baton_server::{
    Context,
    config::Settings,
    inbox,
    store::{
        StoreError, Urgency,
        agents::{self, Agent},
    },
};
use baton_shared::{Micros, Role};
use clap::{Args, Subcommand};

use super::{
    failure::Failure,
    output::{agrees, explain, say, table},
    settings,
};

#[derive(Debug, Subcommand)]
pub(super) enum Act {
    /// Add somebody, and print the secret that they sign in with once.
    #[command(after_help = "Example:\n  baton-server agent add \"Ana Lima\" --role agent --team repairs")]
    Add(Add),
    /// Show everybody.
    List,
    /// End somebody's sign-ins, and let them sign in no more.
    Disable(Disable),
    /// Print a new secret to sign in with; those before it are worth nothing. Sign-ins stay.
    Secret {
        /// As `agent list` shows it.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// As colleagues see it.
    name: String,
    /// agent: takes and answers. supervisor: also assigns, steals and switches. admin: keeps people
    /// and settings, reads no customers.
    #[arg(long, value_parser = Role::ALL.map(Role::word))]
    role: String,
    /// Only agents of a team see its conversations, if the settings say so; without it, all teams.
    #[arg(long, default_value = "")]
    team: String,
}

#[derive(Debug, Args)]
pub(super) struct Disable {
    /// As `agent list` shows it.
    name: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(settings: Settings, act: Act) -> Result<(), Failure> {
    if let Act::Add(_) = act {
        settings::make_if_missing(&settings).await?;
    }
    let context = settings::open(settings).await?;
    let done = match act {
        Act::Add(new) => add(&context, new).await,
        Act::List => list(&context).await,
        Act::Disable(whom) => disable(&context, whom).await,
        Act::Secret { name } => secret(&context, &name).await,
    };
    context.db.close().await;
    done
}

async fn add(context: &Context, new: Add) -> Result<(), Failure> {
    let role: Role = new.role.parse().map_err(Failure::wrong)?;
    let now = context.clock.now();
    let agent = Agent {
        id: context.ids.next(now),
        name: named("NAME", &new.name)?,
        role,
        team: if new.team.is_empty() { new.team } else { named("--team", &new.team)? },
        created_at: now,
        disabled_at: None,
    };
    let (secret, hash) = new_secret(context);
    let (name, stored) = (agent.name.clone(), agent.clone());
    let job = context.db.write(Urgency::First, move |tx| {
        let (agent, hash) = (stored.clone(), hash.clone());
        Box::pin(async move { agents::insert(tx, &agent, &hash).await })
    });
    match job.await {
        Err(StoreError::Duplicate) => {
            let advice = format!("`baton-server agent secret {name:?}` gives them a new secret");
            return Err(Failure::failed(format!("somebody is called {name:?} already: {advice}")));
        }
        done => done?,
    }
    explain(&format!("{name} can sign in as {}, once, with this secret. It is not shown again:", article(role)));
    hand_over(context, &secret);
    Ok(())
}

async fn secret(context: &Context, name: &str) -> Result<(), Failure> {
    let agent = find(context, name).await?;
    if agent.disabled_at.is_some() {
        return Err(Failure::failed(format!("{} is disabled and cannot sign in", agent.name)));
    }
    let (secret, hash) = new_secret(context);
    let now = context.clock.now();
    let job = context.db.write(Urgency::First, move |tx| {
        let hash = hash.clone();
        Box::pin(async move { agents::new_secret(tx, agent.id, &hash, now).await })
    });
    job.await?;
    explain(&format!("{} can sign in once more with this secret. It is not shown again:", agent.name));
    hand_over(context, &secret);
    Ok(())
}

async fn disable(context: &Context, whom: Disable) -> Result<(), Failure> {
    let agent = find(context, &whom.name).await?;
    if agent.disabled_at.is_some() {
        explain(&format!("{} is disabled already.", agent.name));
        return Ok(());
    }
    let question = format!("Disable {} ({})? All their sign-ins end.", agent.name, agent.role);
    match whom.yes.then_some(true).or_else(|| agrees(&question)) {
        Some(true) => (),
        Some(false) => return Err(Failure::failed("nothing was changed")),
        None => return Err(Failure::wrong("--yes: found no terminal to ask at, expected --yes")),
    }
    let now = context.clock.now();
    let job =
        context.db.write(Urgency::First, move |tx| Box::pin(async move { agents::disable(tx, agent.id, now).await }));
    job.await?;
    explain(&format!("{} is disabled. What they own goes back to the queue after the grace time.", agent.name));
    Ok(())
}

async fn list(context: &Context) -> Result<(), Failure> {
    let mut reader = context.db.reader().await?;
    let agents = agents::every(reader.conn()).await?;
    drop(reader);
    if agents.is_empty() {
        explain("Nobody yet: `baton-server agent add NAME --role agent`.");
        return Ok(());
    }
    let heading = ["NAME", "ROLE", "TEAM", "SINCE", ""].map(str::to_owned).to_vec();
    let rows = agents.into_iter().map(|agent| {
        let state = if agent.disabled_at.is_some() { "disabled" } else { "" };
        vec![agent.name, agent.role.to_string(), agent.team, day(agent.created_at), state.to_owned()]
    });
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    Ok(())
}

async fn find(context: &Context, name: &str) -> Result<Agent, Failure> {
    let mut reader = context.db.reader().await?;
    let found = agents::by_name(reader.conn(), name.trim()).await?;
    found
        .ok_or_else(|| Failure::failed(format!("nobody is called {name:?}: `baton-server agent list` shows everybody")))
}

/// A name that cannot be mistaken for another or do things to a screen.
fn named(key: &str, text: &str) -> Result<String, Failure> {
    const LONGEST: usize = 40;
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= LONGEST;
    if fits && text.chars().all(|c| c.is_alphanumeric() || " -'._".contains(c)) {
        return Ok(text.to_owned());
    }
    Err(Failure::wrong(format!(
        "{key}: found {:?}, expected up to {LONGEST} letters, digits, spaces and - ' . _",
        text.chars().take(LONGEST).collect::<String>()
    )))
}

/// A secret, and what is kept of it.
fn new_secret(context: &Context) -> (String, String) {
    let secret = inbox::new_secret(&context.ids);
    let hash = inbox::secret_hash(&secret);
    (secret, hash)
}

/// The secret alone goes to standard output, for pipes.
fn hand_over(context: &Context, secret: &str) {
    let listen = context.settings.listen;
    let address = if listen.ip().is_loopback() { format!("http://{listen}") } else { "https://YOUR-SERVER".into() };
    say(secret);
    explain(&format!("On their machine: `baton login {address}`, then paste it."));
}

const fn article(role: Role) -> &'static str {
    match role {
        Role::Agent => "an agent",
        Role::Supervisor => "a supervisor",
        Role::Admin => "an admin",
    }
}

fn day(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_only_names() {
        assert_eq!(named("NAME", "  Ana Lúcia d'Or-2 ").unwrap(), "Ana Lúcia d'Or-2");
        for wrong in ["", "  ", "a\u{1b}[2J", "a\nb", "\u{202e}ana", &"a".repeat(41)] {
            let error = named("NAME", wrong).unwrap_err().to_string();
            assert!(error.starts_with("NAME: found ") && !error.chars().any(char::is_control), "{error}");
        }
    }
}
