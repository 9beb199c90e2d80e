//! `intents`: how well the playbook's examples teach what customers want.

use std::path::{Path, PathBuf};

use baton_server::{
    bot::intents::Classifier,
    config::{Playbook, Settings},
    eval::{
        gate::{Gate, Passage},
        intents::{Case, Report, measure, strangers},
    },
};
use serde_json::json;

use super::{
    failure::Failure,
    output::{explain, say, table},
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Act {
    /// Ask the classifier about sentences that it has not learnt, and count what it gets right.
    #[command(after_help = "\
FILE is JSON, one object a line, or CSV with a heading: `text` and `intent`; an empty intent means that
the sentence is none of the playbook's business.

Examples:
  baton-server intents test sentences.jsonl
  baton-server intents test sentences.csv --json
  baton-server intents test sentences.jsonl --gate precision=0.95 --gate oos_recall=0.9

Exit codes: 0 all gates met, 1 one was missed, 2 the file or an argument is wrong.")]
    Test(Test),
}

#[derive(Debug, clap::Args)]
pub(super) struct Test {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The number whose playbook is asked; otherwise the server's.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// One JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// What must be reached: precision, coverage, oos_recall or accuracy, such as `precision=0.95`.
    #[arg(long = "gate", value_name = "FIGURE=BOUND")]
    gates: Vec<Gate>,
}

/// Confusions that the table shows.
const SHOWN: usize = 15;

fn playbook<'a>(settings: &'a Settings, channel: Option<&str>) -> Result<&'a Playbook, Failure> {
    let Some(name) = channel else { return Ok(&settings.books[0].playbook) };
    let channels = &settings.whatsapp.channels;
    if let Some(channel) = channels.iter().find(|channel| channel.name == name) {
        return Ok(&settings.books[channel.book].playbook);
    }
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    Err(Failure::wrong(format!("--channel: found {name:?}, expected one of: {}", names.join(", "))))
}

pub(super) fn run(settings: &Settings, act: &Act) -> Result<(), Failure> {
    let Act::Test(test) = act;
    let playbook = playbook(settings, test.channel.as_deref())?;
    let cases = read(&test.file)?;
    if let [stranger, ..] = strangers(playbook, &cases)[..] {
        let known: Vec<&str> = playbook.intents.iter().map(|intent| intent.name.as_str()).collect();
        return Err(wrong(&test.file, &format!("found the intent {stranger:?}, expected one of {}", known.join(", "))));
    }
    let report = measure(playbook, &Classifier::train(playbook), &cases);
    let figures = report.figures();
    if let Some(gate) = test.gates.iter().find(|gate| figures.iter().all(|(name, _)| *name != gate.name)) {
        let names: Vec<&str> = figures.iter().map(|(name, _)| *name).collect();
        return Err(Failure::wrong(format!("--gate: found {:?}, expected one of {}", gate.name, names.join(", "))));
    }
    let passages: Vec<Passage> = test.gates.iter().map(|gate| gate.pass(&figures)).collect();
    if test.json {
        let gates: Vec<_> = passages
            .iter()
            .map(|passage| {
                json!({"name": passage.gate.name, "bound": passage.gate.bound, "found": passage.found, "met": passage.is_open()})
            })
            .collect();
        say(&json!({"report": report, "gates": gates}).to_string());
    } else {
        show(&report);
        passages.iter().for_each(|passage| say(&passage.to_string()));
    }
    match passages.iter().filter(|passage| !passage.is_open()).count() {
        0 => Ok(()),
        missed => Err(Failure::failed(format!("{missed} of {} gates missed", passages.len()))),
    }
}

/// By the file's ending: CSV with a heading, or else JSON lines.
fn read(file: &Path) -> Result<Vec<Case>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|why| wrong(file, &why.to_string()))?;
    let cases = if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        csv(&text)
    } else {
        json_lines(&text)
    };
    let cases = cases.map_err(|(line, why)| wrong(file, &format!("line {line}: {why}")))?;
    if cases.is_empty() {
        return Err(wrong(file, "found nothing, expected sentences"));
    }
    Ok(cases)
}

fn csv(text: &str) -> Result<Vec<Case>, (u64, String)> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let cases = reader
        .deserialize()
        .map(|case| case.map_err(|why: csv::Error| (why.position().map_or(1, csv::Position::line), why.to_string())));
    cases.collect()
}

fn json_lines(text: &str) -> Result<Vec<Case>, (u64, String)> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| serde_json::from_str(line).map_err(|why| (number, why.to_string()))).collect()
}

fn wrong(file: &Path, what: &str) -> Failure {
    Failure::wrong(format!("{}: {what}", file.display()))
}

fn show(report: &Report) {
    let percent = |share: Option<f64>| share.map_or_else(|| "-".into(), |share| format!("{:.1} %", 100.0 * share));
    let explained = [
        ("precision", "of what was accepted, right"),
        ("coverage", "of what is in scope, accepted"),
        ("oos_recall", "of what is out of scope, turned down"),
        ("accuracy", "of what is in scope, best guessed"),
    ];
    say(&format!("{} sentences, {} of them out of scope", report.cases, report.out_of_scope));
    let rows: Vec<Vec<String>> = report
        .figures()
        .iter()
        .zip(explained)
        .map(|((name, figure), (_, what))| vec![(*name).to_owned(), percent(*figure), what.to_owned()])
        .collect();
    table(&rows);
    if !report.confusions.is_empty() {
        say("\nTaken for something else:");
        let heading = ["MEANT", "FOUND", "TIMES", "SUCH AS"].map(str::to_owned).to_vec();
        let rows = report.confusions.iter().take(SHOWN).map(|one| {
            let meant = one.expected.clone().unwrap_or_else(|| "(none)".into());
            vec![meant, one.found.clone(), one.cases.to_string(), one.text.chars().take(60).collect()]
        });
        table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    }
    let needy: Vec<Vec<String>> = report
        .intents
        .iter()
        .filter(|intent| intent.needs_examples)
        .map(|one| vec![one.name.clone(), percent(one.recognised), one.cases.to_string(), one.examples.to_string()])
        .collect();
    if !needy.is_empty() {
        say("\nNeed more examples:");
        let heading = ["INTENT", "RECOGNISED", "CASES", "EXAMPLES"].map(str::to_owned).to_vec();
        table(&std::iter::once(heading).chain(needy).collect::<Vec<_>>());
        explain("Twenty examples of an intent and more in each language work well: as customers really write them.");
    }
}
