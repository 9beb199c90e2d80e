//! What is right and what is wrong with an installation, in plain lines that say what to do.

mod meta;
mod place;

use std::sync::Arc;

use baton_shared::Clock;

use crate::{config::Settings, whatsapp::graph::Transport};

/// One line of the examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub mark: Mark,
    /// What was looked at.
    pub about: String,
    /// What was found, and what to do if it is not right.
    pub words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Right,
    /// Worth knowing; nothing fails for it.
    Note,
    Wrong,
}

/// Looks at everything, in the order in which a message meets it. Changes nothing, but for a file that comes and
/// goes where a bucket keeps them.
pub async fn examine(settings: &Settings, clock: Arc<dyn Clock>, transport: Arc<dyn Transport>) -> Vec<Finding> {
    let mut report = Report::default();
    place::settings(&mut report, settings);
    place::server(&mut report, settings, &*transport).await;
    place::database(&mut report, settings, clock.clone()).await;
    place::media(&mut report, settings).await;
    meta::examine(&mut report, settings, &*clock, &transport).await;
    report.0
}

/// Looks at Meta's side alone: of every number of the settings, or of those with this name.
pub async fn examine_numbers(
    settings: &Settings,
    name: Option<&str>,
    clock: &dyn Clock,
    transport: Arc<dyn Transport>,
) -> Vec<Finding> {
    let mut settings = settings.clone();
    let whatsapp = &mut settings.whatsapp;
    whatsapp.channels.retain(|channel| name.is_none_or(|name| channel.name == name));
    let channels = &whatsapp.channels;
    whatsapp.apps.retain(|app| channels.iter().any(|channel| channel.app == app.name));
    let mut report = Report::default();
    meta::examine(&mut report, &settings, clock, &transport).await;
    report.0
}

#[derive(Default)]
struct Report(Vec<Finding>);

impl Report {
    fn right(&mut self, about: impl Into<String>, words: impl Into<String>) {
        self.add(Mark::Right, about, words);
    }

    fn note(&mut self, about: impl Into<String>, words: impl Into<String>) {
        self.add(Mark::Note, about, words);
    }

    fn wrong(&mut self, about: impl Into<String>, words: impl Into<String>) {
        self.add(Mark::Wrong, about, words);
    }

    fn add(&mut self, mark: Mark, about: impl Into<String>, words: impl Into<String>) {
        self.0.push(Finding { mark, about: about.into(), words: words.into() });
    }
}

/// A length of time in its largest unit.
fn age(length: std::time::Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
