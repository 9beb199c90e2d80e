//! `baton queue`: who waits, most urgent first.

use std::{io::Write, time::Duration};

use baton_shared::{Role, protocol::Row};

use super::{Format, Output, PipeError, Present};
use crate::{
    state::{
        known::Conversation,
        urgency::{Section, Standing, Viewer, needed_since},
    },
    text::Clean,
    words,
};

/// Prints the queue once.
pub fn queue<W: Write>(present: &Present, patience: Duration, output: &mut Output<W>) -> Result<(), PipeError> {
    let viewer = Viewer { me: Some(present.me), supervises: false, patience };
    let mut rows: Vec<(Standing, &Row, Conversation)> = present
        .rows
        .values()
        .map(|row| {
            let conversation = Conversation::from(row.clone());
            (Standing::of(&conversation, viewer, present.now), row, conversation)
        })
        .collect();
    rows.sort_by_key(|(standing, ..)| *standing);
    for (standing, row, conversation) in &rows {
        match output.format {
            Format::Json => output.json(row)?,
            Format::Text => output.line(&line(present, standing, conversation))?,
        }
    }
    if rows.is_empty() && output.format == Format::Text {
        let is_admin = present.people.get(&present.me).is_some_and(|me| me.role == Role::Admin);
        output.line(if is_admin { words::NOT_FOR_ADMINS } else { "nobody waits" })?;
    }
    Ok(())
}

fn line(present: &Present, standing: &Standing, row: &Conversation) -> String {
    let waited = needed_since(row).map_or_else(|| "-".to_owned(), |since| words::age(present.now.since(since)));
    let window =
        if row.window.is_open(present.now) { words::left(row.window.left(present.now)) } else { "closed".into() };
    let none = Clean::default();
    let columns = [
        Clean::from_static(section(standing.section)).padded(9, &none),
        Clean::line(&waited).padded(7, &none),
        Clean::line(&window).padded(7, &none),
        row.customer.padded(24, &Clean::from_static("..")),
        row.handle.padded(18, &Clean::from_static("..")),
    ];
    let reason = row.reason.as_ref().map(Clean::as_str).unwrap_or_default();
    let columns: Vec<&str> = columns.iter().map(Clean::as_str).collect();
    format!("{}  {}  {reason}", row.id, columns.join("  ")).trim_end().to_owned()
}

const fn section(section: Section) -> &'static str {
    match section {
        Section::Now => "now",
        Section::Mine => "mine",
        Section::Waiting => "waiting",
        Section::Team => "team",
        Section::Bot => "bot",
        Section::Elsewhere => "elsewhere",
        Section::Resolved => "resolved",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::fixture::{ANA, NOW, agent, people, rows};

    fn present() -> Present {
        Present {
            me: agent(ANA),
            now: NOW,
            rows: rows().into_iter().map(|row| (row.conversation, row)).collect(),
            people: people().into_iter().map(|person| (person.id, person)).collect(),
        }
    }

    fn printed(present: &Present, format: Format) -> Vec<String> {
        let mut bytes = Vec::new();
        queue(present, Duration::from_secs(300), &mut Output::new(&mut bytes, format)).unwrap();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_begin_with_the_most_urgent() {
        let lines = printed(&present(), Format::Text);
        assert!(lines[0].contains("now        1h06m    closed "), "{}", lines[0]);
        assert!(
            lines[1]
                .ends_with("now        6:55     21h14m   +44 7700 ***612           +44 7700 ***612     charged twice"),
            "{}",
            lines[1]
        );
        assert!(lines[3].contains("  mine       0:48 "), "{}", lines[3]);
    }

    #[test]
    fn json_lines_are_rows_of_the_protocol() {
        let lines = printed(&present(), Format::Json);
        assert_eq!(lines.len(), 13);
        let first: Row = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(first.customer, "+971 50 ***884");
    }

    #[test]
    fn an_empty_queue_says_so() {
        let empty = Present { rows: HashMap::new(), ..present() };
        assert_eq!(printed(&empty, Format::Text), ["nobody waits"]);
        assert!(printed(&empty, Format::Json).is_empty());
        let mut admin = empty;
        admin.people.get_mut(&agent(ANA)).unwrap().role = Role::Admin;
        assert_eq!(printed(&admin, Format::Text), ["admins do not see customers: sign in as agent or supervisor"]);
    }

    #[test]
    fn a_conversation_is_found_by_what_people_know_of_it() {
        let present = present();
        let marina = rows()[0].conversation;
        for name in [marina.to_string(), marina.to_string()[24..].to_owned(), "marina souza".into()] {
            assert_eq!(present.find(&name).unwrap(), marina, "{name}");
        }
        assert!(matches!(present.find("nobody"), Err(PipeError::NoSuch(_))));
        assert!(matches!(present.find("+55 11 ****-4821"), Err(PipeError::Ambiguous(_))));
        assert!(matches!(present.find(""), Err(PipeError::NoSuch(_))));
    }
}
