//! What calls for a person without asking any model: a plain request, or the same question again.

use super::fold::{fold, is_word, words};

/// A person, in words that can mean nothing else in a shop's chat. Folded; all languages together.
const PERSON: &str = "\
    human humans person agent operator representative rep advisor adviser employee \
    persona humano humana asesor asesora agente operador operadora ejecutivo ejecutiva \
    pessoa atendente assistente funcionario funcionaria \
    mensch menschen mitarbeiter mitarbeiterin mitarbeitern berater beraterin sachbearbeiter kundenberater \
    humain humaine personne conseiller conseillere operateur operatrice \
    umano umana operatore operatrice consulente \
    mens medewerker persoon";

/// Who may be meant by it, if one wants to speak to them.
const SOMEBODY: &str = "\
    someone somebody anyone anybody people support service team staff manager supervisor boss \
    alguien encargado encargada gerente jefe jefa responsable atencion equipo soporte \
    alguem equipa equipe suporte atendimento responsavel \
    jemand jemandem jemanden kundenservice kundendienst chef chefin vorgesetzten \
    quelqu responsable equipe service \
    qualcuno responsabile assistenza \
    iemand klantenservice leidinggevende";

const BOT: &str = "bot bots robot robots chatbot machine computer ai ia ki maquina robo maschine automat macchina";

const TALK: &str = "\
    talk talking speak speaking chat chatting \
    hablar hablo comunicarme comunicar contactar conversar \
    falar fala conversar \
    sprechen spreche reden rede \
    parler discuter \
    parlare \
    praten spreken";

const WANT: &str = "\
    want need prefer connect transfer give get pass reach contact \
    quiero necesito prefiero deme dame pasame paseme pasenme comuniqueme comunicame conecteme transfierame quisiera \
    quero preciso prefiro passe passa transfira transfere transferir queria gostaria \
    will mochte moechte brauche verbinden verbinde verbindet wunsche geben gebt \
    veux voudrais souhaite besoin passez transferez mettez aimerais \
    voglio vorrei bisogno passatemi passami \
    wil graag nodig verbind";

/// What may stand between the verb and the person.
const BETWEEN: &str = "\
    a an the to with of for me some one your any real actual live like customer please in \
    una un uno el la los las con de del al para algun alguna verdadera real otra su sus un@ por favor cliente \
    um uma o os as ao com para alguma algum seu sua \
    einem einer einen ein eine den der mit dem mich sie mir richtigen echten bitte zu an ihrem eurem einen \
    une le les a avec d du des de vrai vraie vous votre moi en relation l \
    uno il lo con di vero vera \
    een met echte naar te";

const NOT: &str =
    "not don dont doesn didn never nicht kein keine keinen keinem ne pas jamais nunca jamas tampoco niet geen mai";

/// These deny only what follows at once: "no, I want a person" is no refusal.
const NO: &str = "no nao non ni nem";

const POLITE: &str = "please pls hello hi hey now ya ahora favor por hola ola oi agora bitte hallo jetzt svp bonjour maintenant \
     vite s il vous plait ciao per favore alstublieft here is there anybody is hay gibt es being";

/// Whether the text asks for a person: "can I talk to somebody?", "quiero una persona", "human".
/// Made for precision: a wish that is put in a roundabout way is left to the model.
pub fn asks_for_person(text: &str) -> bool {
    let folded = fold(text);
    clauses(&folded).iter().any(|clause| asks(clause) || refuses_bot(clause) || names_person_only(clause))
}

/// Whether two messages of a customer ask much the same.
pub fn is_repeat(earlier: &str, later: &str) -> bool {
    let (earlier, later) = (fold(earlier), fold(later));
    let mut earlier: Vec<&str> = words(&earlier).collect();
    let mut later: Vec<&str> = words(&later).collect();
    for list in [&mut earlier, &mut later] {
        list.sort_unstable();
        list.dedup();
    }
    let shared = later.iter().filter(|word| earlier.binary_search(word).is_ok()).count();
    // Two words in common are a greeting, not a question asked again.
    shared >= 3 && shared * 2 > earlier.len() + later.len() - shared
}

/// The words between two marks. An apostrophe ends no clause: it stands inside a word.
fn clauses(folded: &str) -> Vec<Vec<&str>> {
    let mut clauses = vec![Vec::new()];
    for piece in folded.split(' ').filter(|piece| !matches!(*piece, "'" | "’" | "-")) {
        match clauses.last_mut() {
            Some(clause) if is_word(piece) => clause.push(piece),
            _ => clauses.push(Vec::new()),
        }
    }
    clauses
}

fn asks(clause: &[&str]) -> bool {
    (0..clause.len()).any(|at| {
        let talks = among(TALK, clause[at]);
        let goal = clause[at + 1..].iter().find(|word| !among(BETWEEN, word));
        let ahead = goal.is_some_and(|word| among(PERSON, word) || talks && among(SOMEBODY, word));
        (talks || among(WANT, clause[at])) && ahead && !is_denied(clause, at) || asks_backwards(clause, at)
    })
}

/// German and Dutch put the verb last: "mit einem Menschen sprechen".
fn asks_backwards(clause: &[&str], at: usize) -> bool {
    let person = among(PERSON, clause[at]) || among(SOMEBODY, clause[at]);
    let verb = clause[at + 1..].iter().take(2).any(|word| among(TALK, word) || *word == "verbinden");
    let with = clause[..at].iter().rev().take(3).any(|word| matches!(*word, "mit" | "met" | "ik" | "ich"));
    person && verb && with && !is_denied(clause, at)
}

/// "I don't want to talk to a bot" asks for a person, too.
fn refuses_bot(clause: &[&str]) -> bool {
    (0..clause.len()).any(|at| {
        let goal = clause[at + 1..].iter().find(|word| !among(BETWEEN, word));
        let verb = among(TALK, clause[at]) || among(WANT, clause[at]);
        verb && goal.is_some_and(|word| among(BOT, word)) && is_denied(clause, at)
    })
}

/// "Agent please": nothing but the person and courtesy.
fn names_person_only(clause: &[&str]) -> bool {
    let fits = |word: &str| among(PERSON, word) || among(BETWEEN, word) || among(POLITE, word);
    clause.len() <= 6 && clause.iter().any(|word| among(PERSON, word)) && clause.iter().all(|word| fits(word))
}

/// Whether what stands at `at` is denied by a word shortly before it.
fn is_denied(clause: &[&str], at: usize) -> bool {
    let verb = |word: &str| among(TALK, word) || among(WANT, word) || among(PERSON, word);
    let from = at.saturating_sub(4);
    (from..at).any(|i| among(NOT, clause[i]) || among(NO, clause[i]) && verb(clause[i + 1]))
}

fn among(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_is_understood_in_seven_languages() {
        for text in [
            "I want to talk to a human",
            "can I speak to someone please?",
            "Please connect me with a real person!",
            "agent",
            "human please",
            "is there a human here?",
            "No, I want a person",
            "no i want a person",
            "I don't want to talk to a bot",
            "I've had enough. Give me a person.",
            "let me speak with your manager",
            "Quiero hablar con una persona",
            "necesito hablar con alguien de atención al cliente",
            "páseme con un agente por favor",
            "no quiero hablar con un robot",
            "persona",
            "Quero falar com uma pessoa",
            "preciso de falar com um atendente",
            "passa para um humano",
            "pessoa, por favor",
            "Ich möchte mit einem Menschen sprechen",
            "kann ich mit jemandem reden?",
            "Verbinden Sie mich bitte mit einem Mitarbeiter",
            "Mitarbeiter bitte",
            "Mensch",
            "Je voudrais parler à un conseiller",
            "je veux parler à quelqu'un",
            "passez-moi une personne svp",
            "un humain s'il vous plaît",
            "Vorrei parlare con un operatore",
            "Ik wil met een medewerker praten",
            "kan ik iemand spreken",
        ] {
            assert!(asks_for_person(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_request_is_none() {
        for text in [
            "I don't want a human",
            "I don't need to talk to anyone, just tell me the hours",
            "no human please",
            "No quiero hablar con una persona",
            "não quero falar com um atendente",
            "Ich will nicht mit einem Menschen sprechen",
            "je ne veux pas parler à un conseiller",
            "are you a human?",
            "you talk like a bot",
            "where is my order?",
            "I need a gift for a tall person",
            "the delivery person left it at the door",
            "one person told me it was free",
            "quiero devolver una compra para otra persona",
            "do you need my order number",
            "personne ne répond au téléphone du magasin",
            "how many people work in the store",
            "",
            "...",
        ] {
            assert!(!asks_for_person(text), "{text}");
        }
    }

    #[test]
    fn the_shop_has_no_question_that_sounds_like_a_request() {
        for intent in crate::config::Playbook::shop().intents {
            for example in intent.examples {
                assert!(!asks_for_person(&example.text), "{}", example.text);
            }
        }
    }

    #[test]
    fn a_question_asked_again_is_noticed() {
        assert!(is_repeat("where is my order?", "WHERE is my order??"));
        assert!(is_repeat("where is my parcel 10432", "so where is my parcel?"));
        assert!(!is_repeat("where is my order?", "what does shipping cost?"));
        assert!(!is_repeat("hello there", "hello there"));
    }
}
