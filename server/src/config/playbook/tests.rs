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
        assert!(shop.bridge.get(*language).is_some_and(|text| text.contains("{wait}")));
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
    assert!(playbook.bridge.is_empty());
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
fn one_question_has_one_meaning() {
    let twice =
        format!("{SMALL}[[intent]]\nname = \"other\"\naction = \"human\"\nexamples = [\"a\", \"b\", \"Are you open\"]");
    refused(&twice, "p.toml:11: intent[2].examples: found \"Are you open\", expected it only once: `hours` has it too");
    let same_name =
        format!("{SMALL}[[intent]]\nname = \"hours\"\naction = \"human\"\nexamples = [\"a\", \"b\", \"c\"]");
    refused(&same_name, "p.toml:9: intent[2].name: found \"hours\" twice, expected a name of its own");
}
