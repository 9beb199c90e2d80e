use std::sync::LazyLock;

use super::*;

static SHOP: LazyLock<(Playbook, Classifier)> = LazyLock::new(|| {
    let playbook = Playbook::shop();
    let classifier = Classifier::train(&playbook);
    (playbook, classifier)
});

fn meant(text: &str) -> Option<&'static str> {
    let (playbook, classifier) = &*SHOP;
    let guess = classifier.guess(text).filter(|guess| guess.accepted)?;
    Some(&playbook.intents[guess.intent].name)
}

#[test]
fn what_was_never_said_before_is_understood() {
    let questions = [
        ("what time does the shop open tomorrow?", "opening_hours"),
        ("wher is my pacel?", "order_status"),
        ("how do i send shoes back", "return_policy"),
        ("do you accept visa", "payment_methods"),
        ("a que hora abre la tienda", "opening_hours"),
        ("mi paquete no ha llegado todavia", "order_status"),
        ("quanto é o frete?", "shipping_cost"),
        ("was kostet die Lieferung", "shipping_cost"),
        ("wo bleibt meine bestellung??", "order_status"),
        ("je voudrais renvoyer mes chaussures", "return_policy"),
        ("my lawyer will contact you", "legal"),
        ("borren todos mis datos personales", "data_protection"),
        ("ich möchte die Bestellung stornieren", "change_order"),
        ("the shirt you sent has a hole", "damaged_or_wrong_item"),
    ];
    let right = questions.iter().filter(|(text, intent)| meant(text) == Some(*intent)).count();
    let missed: Vec<_> = questions.iter().filter(|(text, intent)| meant(text) != Some(*intent)).collect();
    assert!(right >= questions.len() - 1, "{missed:?}");
}

#[test]
fn what_is_none_of_these_is_not_accepted() {
    for text in [
        "how tall is the Eiffel tower",
        "my cat likes to sleep on the sofa",
        "¿quién pintó las Meninas?",
        "kannst du Klavier spielen",
        "j'aime bien le chocolat",
        "zxcv qwer",
        "",
        "🙂🙂🙂",
    ] {
        assert_eq!(meant(text), None, "{text}");
    }
}

#[test]
fn the_same_examples_give_the_same_classifier() {
    let again = Classifier::train(&SHOP.0);
    for text in ["when do you open", "hola", "something else entirely"] {
        assert_eq!(again.guess(text), SHOP.1.guess(text));
    }
}

#[test]
fn a_playbook_without_intents_knows_none() {
    let playbook = Playbook { intents: Vec::new(), ..Playbook::shop() };
    assert_eq!(Classifier::train(&playbook).guess("when do you open"), None);
}

#[test]
fn the_longest_message_is_read_without_harm() {
    for text in ["a ".repeat(40_000), "\u{301}".repeat(60_000), "é".repeat(60_000)] {
        assert!(SHOP.1.guess(&text).is_none_or(|guess| guess.confidence <= 1.0));
    }
}
