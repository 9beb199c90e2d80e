use super::*;

const SMALL: &str = r#"business = "B"
languages = ["en", "es"]
[[intent]]
name = "hours"
action = "answer"
answer = "From nine to five."
examples = ["when do you open", "are you open", "opening hours"]
"#;

#[track_caller]
fn refused(text: &str, line: &str) {
    assert_eq!(Playbook::parse("p.toml", text).expect_err("refused").to_string(), line);
}

#[test]
fn the_shop_speaks_all_its_languages() {
    let shop = Playbook::shop();
    assert!(shop.intents.len() >= 12);
    for language in &shop.languages {
        for intent in &shop.intents {
            let examples = intent.examples.iter().filter(|example| example.language == Some(*language)).count();
            assert!(examples >= 5, "{} has {examples} in {language}", intent.name);
            if let Action::Answer(answers) = &intent.action {
                assert!(answers.get(*language).is_some(), "{} in {language}", intent.name);
            }
        }
    }
    assert!(shop.intents.iter().filter(|intent| intent.action == Action::Human).count() >= 4);
}

#[test]
fn a_small_playbook_has_sensible_defaults() {
    let playbook = Playbook::parse("p.toml", SMALL).unwrap();
    assert_eq!(playbook.thresholds.unresolved_turns, 3);
    assert_eq!(playbook.reopen, Reopen::Bot);
    assert_eq!(playbook.speech, Speech::default());
    assert_eq!(playbook.patience.deadline, Duration::from_secs(1_800));
    let Action::Answer(answers) = &playbook.intents[0].action else { panic!("{:?}", playbook.intents[0].action) };
    assert_eq!(answers.spoken(Language::SPANISH, playbook.language()), Some(("From nine to five.", Language::ENGLISH)));
}

#[test]
fn mistakes_are_named_with_their_line_and_a_hint() {
    refused(
        &SMALL.replace("action = \"answer\"", "action = \"anwser\""),
        "p.toml:5: intent[1].action: found \"anwser\", expected `answer`, `human` or `model`",
    );
    refused(
        &SMALL.replace("action = \"answer\"", "acton = \"answer\""),
        "p.toml:5: intent[1].acton: found a key that does not exist, expected `action`",
    );
    refused(
        &SMALL.replace("answer = \"From nine to five.\"", "answer.fr = \"Oui.\""),
        "p.toml:6: intent[1].answer.fr: found a language that the playbook does not list, expected one of en, es",
    );
    refused(
        &SMALL.replace("answer = \"From nine to five.\"", "answer.es = \"Hoy.\""),
        "p.toml:6: intent[1].answer: found no text in en, expected one, for en is the default",
    );
    refused(
        &SMALL.replace(", \"opening hours\"", ""),
        "p.toml:7: intent[1].examples: found 2 of them, expected 3 to 2000; twenty and more work well",
    );
    refused(
        &SMALL.replace("[\"en\", \"es\"]", "[\"english\"]"),
        "p.toml:2: languages: found \"english\", expected a language's two letters, such as \"en\"",
    );
    refused(
        &format!("{SMALL}colour = \"red\""),
        "p.toml:8: intent[1].colour: found a key that does not exist, expected one of action, answer, examples, name, small_talk, title",
    );
    refused("languages = [\"en\"]", "p.toml: business: found nothing, expected the business's name");
}

#[test]
fn hours_are_read_and_their_mistakes_are_named() {
    let hours = |text: &str| Playbook::parse("p.toml", &format!("{SMALL}[hours]\n{text}"));
    let read = hours(
        "zone = \"Europe/Lisbon\"\nmonday = \"9:00-18:00\"\nfriday = [\"9:00-13:00\", \"14:00-24:00\"]\n\
         holidays = [\"2026-12-25\"]\n[hours.days]\n\"2026-12-24\" = [\"9:00-12:00\"]",
    );
    let read = read.unwrap().hours.unwrap();
    assert_eq!(read.week.each_ref().map(Vec::len), [1, 0, 0, 0, 2, 0, 0]);
    assert_eq!(read.days.values().map(Vec::len).collect::<Vec<_>>(), [1, 0]);
    assert!(Playbook::parse("p.toml", SMALL).unwrap().hours.is_none());
    let zone = "zone = \"UTC\"\n";
    for (text, line) in [
        (
            "monday = \"9:00-18:00\"",
            "p.toml:8: hours.zone: found nothing, expected a time zone such as \"Europe/Lisbon\"",
        ),
        (
            "zone = \"Europe/Lisbonn\"",
            "p.toml:9: hours.zone: found \"Europe/Lisbonn\", expected a time zone such as \"Europe/Lisbon\"",
        ),
        (
            &format!("{zone}monday = \"18:00-9:00\""),
            "p.toml:10: hours.monday: found \"18:00-9:00\", expected spans such as [\"9:00-13:00\", \"14:00-18:00\"], or [] for none",
        ),
        (
            &format!("{zone}monday = [\"9:00-13:00\", \"12:00-18:00\"]"),
            "p.toml:10: hours.monday: found \"12:00-18:00\" after a span that ends later, expected spans in order that do not overlap",
        ),
        (
            &format!("{zone}moonday = \"9:00-18:00\"\nfriday = \"9:00-18:00\""),
            "p.toml:10: hours.moonday: found a key that does not exist, expected `monday`",
        ),
        (zone, "p.toml:8: hours.monday: found no hour at all, expected one span on one day at least, or no [hours]"),
        (
            &format!("{zone}friday = \"9:00-18:00\"\nholidays = [\"2026-02-30\"]"),
            "p.toml:11: hours.holidays: found \"2026-02-30\", expected a day such as \"2026-12-25\"",
        ),
        (
            &format!("{zone}friday = \"9:00-18:00\"\nholidays = [\"2026-02-03\", \"2026-02-03\"]"),
            "p.toml:11: hours.holidays: found \"2026-02-03\" twice, expected each day once",
        ),
        (
            &format!("{zone}friday = \"9:00-18:00\"\n[hours.days]\nxmas = []"),
            "p.toml:12: hours.days.xmas: found no day of a calendar, expected a day such as \"2026-12-25\"",
        ),
    ] {
        assert_eq!(hours(text).expect_err("refused").to_string(), line);
    }
}

#[test]
fn one_question_has_one_meaning() {
    let twice =
        format!("{SMALL}[[intent]]\nname = \"other\"\naction = \"human\"\nexamples = [\"a\", \"b\", \"Are you open\"]");
    refused(&twice, "p.toml:11: intent[2].examples: found \"Are you open\", expected it only once: `hours` has it too");
    let same_name =
        format!("{SMALL}[[intent]]\nname = \"hours\"\naction = \"human\"\nexamples = [\"a\", \"b\", \"c\"]");
    refused(&same_name, "p.toml:9: intent[2].name: found \"hours\" twice, expected a name of its own");
}
