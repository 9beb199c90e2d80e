//! The bot's decision for one turn: an answer, a person, or silence by a named rule.
//!
//! What must not fail comes first and needs no model: a plain request, a topic that is a person's,
//! a question with an approved answer. Only then a model is asked, and whatever it does wrong ends
//! with a person.

use std::{sync::Arc, time::Duration};

use baton_shared::content::Source;

use super::{
    chain::{Chain, Purse, Question},
    context::TurnContext,
    intents::Classifier,
    language::guess,
    memory::facts::{self, Proposed},
    model::{Failure, ModelReply, Shape, Usage, reply},
    prompt::{Extent, prompt},
    summary::summary,
    understanding::{Understanding, is_asked_again, understand},
};
use crate::{
    config::{Action, Language, Playbook, Reopen},
    domain::money::{Call, Purpose},
    knowledge::{Library, index::Hit},
};

/// What it takes to decide: the playbook, what was learnt from it, what is written down, and models to ask.
pub struct Brain {
    playbook: Playbook,
    classifier: Classifier,
    chain: Arc<Chain>,
    shape: Shape<ModelReply>,
    knowledge: Option<Library>,
}

/// Passages that a model is given for one question, at most: five find the answer to nearly all questions, and
/// few words more.
const PASSAGES: usize = 5;

/// What the bot does about a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    Reply(Reply),
    Handoff(Handoff),
    /// Nothing is owed, by this rule.
    Quiet {
        rule: &'static str,
        cost: Cost,
    },
}

/// An answer to the customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub text: String,
    /// 0 to 1.
    pub confidence: f32,
    /// The intent whose approved answer it is; the first, if there are several.
    pub intent: Option<String>,
    /// One of the playbook's stages, if a model named it.
    pub stage: Option<String>,
    /// What the customer speaks: to be kept for the next turn.
    pub language: Option<Language>,
    /// `false`: one more turn that solved nothing.
    pub resolved: bool,
    /// What to keep of the customer.
    pub remember: Vec<Proposed>,
    /// The passages that it rests on.
    pub sources: Vec<Source>,
    pub cost: Cost,
}

/// A call for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Handoff {
    pub reason: Reason,
    /// A few lines for the agent.
    pub summary: String,
    /// The customer is told that a person comes.
    pub announced: bool,
    /// A model's answer that was not sure enough to be sent.
    pub suggestion: Option<Suggestion>,
    pub intent: Option<String>,
    pub language: Option<Language>,
    /// What was wrong with the last model asked, if that is why.
    pub failure: Option<Failure>,
    pub cost: Cost,
}

/// A text that waits for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    pub text: String,
    /// 0 to 1.
    pub confidence: f32,
}

/// Why a person is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    AskedForHuman,
    HumanOnlyTopic,
    LowConfidence,
    Unresolved,
    ModelFailed,
    /// A provider declined to answer.
    Declined,
    /// What may be spent on models is spent.
    BudgetSpent,
    /// A picture, a voice message: something without words.
    CannotRead,
    /// It was written long ago, and the playbook leaves that to people.
    Late,
    /// The operator turned the bot off.
    BotOff,
}

/// What a decision has cost, all calls together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The last model that was asked.
    pub model: Option<String>,
    pub usage: Usage,
    pub calls: Vec<Call>,
}

impl Brain {
    /// Learns the playbook's examples: some tenths of a second of work.
    pub fn new(playbook: Playbook, chain: Arc<Chain>) -> Self {
        let shape = reply::shape(&playbook.stages);
        Self { classifier: Classifier::train(&playbook), chain, shape, playbook, knowledge: None }
    }

    /// The same, answering from documents too.
    #[must_use]
    pub fn with_knowledge(self, library: Library) -> Self {
        Self { knowledge: Some(library), ..self }
    }

    pub fn playbook(&self) -> &Playbook {
        &self.playbook
    }

    /// The longest that [`decide`] takes: for how long to lease a turn.
    pub fn longest(&self) -> Duration {
        self.chain.longest()
    }
}

/// Decides one turn. Touches nothing but the models, and `purse` before each is asked.
pub async fn decide(brain: &Brain, context: &TurnContext, purse: &dyn Purse) -> Decision {
    let turn = Turn::new(brain, context, purse);
    let decision = understood(brain, context, &turn).await;
    let decision = if context.has_met_the_bot() { decision } else { turn.disclosed(decision) };
    let decision = if context.late { turn.late(decision) } else { decision };
    after_a_person(context, decision)
}

/// A person had it all in front of them and gave it back. If the bot can do nothing more about it, the
/// customer is not told a second time that somebody comes: it is settled if that person said so, and
/// waits for the next one otherwise.
fn after_a_person(context: &TurnContext, decision: Decision) -> Decision {
    match decision {
        Decision::Handoff(handoff) if context.is_given_back() && context.settled => {
            Decision::Quiet { rule: "settled_by_a_person", cost: handoff.cost }
        }
        Decision::Handoff(handoff) if context.is_given_back() => {
            Decision::Handoff(Handoff { announced: false, ..handoff })
        }
        other => other,
    }
}

/// The operator turned the bot off: people answer.
pub fn switched_off(context: &TurnContext) -> Decision {
    if context.pending().next().is_none() {
        return Decision::quiet("nothing_said");
    }
    after_a_person(context, Decision::Handoff(Handoff::switched_off(context)))
}

async fn understood(brain: &Brain, context: &TurnContext, turn: &Turn<'_>) -> Decision {
    match understand(&brain.playbook, &brain.classifier, context) {
        Understanding::Nothing => Decision::quiet("nothing_said"),
        Understanding::OnlySigns if context.has_answers() => Decision::quiet("only_signs"),
        Understanding::AsksForPerson => turn.handoff(Reason::AskedForHuman, None),
        Understanding::HumanTopic { intent } => turn.handoff(Reason::HumanOnlyTopic, Some(intent)),
        Understanding::Unreadable { .. } => turn.handoff(Reason::CannotRead, None),
        Understanding::SmallTalk { intent, confidence } => turn.approved(&[intent], confidence),
        _ if context.unresolved_turns >= brain.playbook.thresholds.unresolved_turns => {
            turn.handoff(Reason::Unresolved, None)
        }
        Understanding::OnlySigns => turn.greet(),
        Understanding::Answers { intents, .. } if is_asked_again(context) => {
            turn.ask_models(Reason::Unresolved, intents.first().copied()).await
        }
        Understanding::Answers { intents, confidence } => turn.approved(&intents, confidence),
        Understanding::Unclear { likely } => turn.ask_models(Reason::LowConfidence, likely).await,
    }
}

/// One turn being decided.
struct Turn<'a> {
    brain: &'a Brain,
    context: &'a TurnContext,
    purse: &'a dyn Purse,
    /// What the customer speaks, if that is known.
    heard: Option<Language>,
    /// What is spoken to them.
    spoken: Language,
}

impl<'a> Turn<'a> {
    fn new(brain: &'a Brain, context: &'a TurnContext, purse: &'a dyn Purse) -> Self {
        let heard = guess(&context.question(), context.language);
        Self { brain, context, purse, heard, spoken: heard.unwrap_or_else(|| brain.playbook.language()) }
    }

    /// The approved answers of these intents, as they stand.
    fn approved(&self, intents: &[usize], confidence: f32) -> Decision {
        let texts: Vec<&str> = intents.iter().filter_map(|intent| self.answer(*intent)).collect();
        if texts.is_empty() {
            return self.handoff(Reason::LowConfidence, intents.first().copied());
        }
        Decision::Reply(Reply {
            text: texts.join("\n\n"),
            confidence,
            intent: intents.first().map(|intent| self.brain.playbook.intents[*intent].name.clone()),
            stage: None,
            language: self.heard,
            resolved: true,
            remember: Vec::new(),
            sources: Vec::new(),
            cost: Cost::default(),
        })
    }

    /// Nobody is answered after hours as if it were seconds: with an apology, or by a person.
    fn late(&self, decision: Decision) -> Decision {
        let late = &self.brain.playbook.late;
        match (decision, late.to) {
            (Decision::Reply(reply), Reopen::Waiting) => Decision::Handoff(Handoff {
                suggestion: Some(Suggestion { text: reply.text, confidence: reply.confidence }),
                cost: reply.cost,
                ..self.call(Reason::Late, None)
            }),
            (Decision::Reply(reply), Reopen::Bot) => {
                let apology = late.apology.spoken(self.spoken, self.brain.playbook.language());
                let text = match apology {
                    Some((apology, _)) => format!("{apology}\n\n{}", reply.text),
                    None => reply.text,
                };
                Decision::Reply(Reply { text, ..reply })
            }
            (other, _) => other,
        }
    }

    /// Whoever meets the bot for the first time reads what it is.
    fn disclosed(&self, decision: Decision) -> Decision {
        let playbook = &self.brain.playbook;
        match (decision, playbook.speech.disclosure.spoken(self.spoken, playbook.language())) {
            (Decision::Reply(reply), Some((disclosure, _))) => {
                Decision::Reply(Reply { text: format!("{disclosure}\n\n{}", reply.text), ..reply })
            }
            (other, _) => other,
        }
    }

    fn answer(&self, intent: usize) -> Option<&'a str> {
        let playbook = &self.brain.playbook;
        match &playbook.intents[intent].action {
            Action::Answer(texts) => texts.spoken(self.spoken, playbook.language()).map(|(text, _)| text),
            Action::Human | Action::Model => None,
        }
    }

    /// Somebody's first word is a waving hand.
    fn greet(&self) -> Decision {
        match self.brain.playbook.intents.iter().position(|intent| intent.small_talk) {
            Some(greeting) => self.approved(&[greeting], 1.0),
            None => self.handoff(Reason::CannotRead, None),
        }
    }

    /// Asks one model after the other; `otherwise` is why a person is needed if there is none.
    async fn ask_models(&self, otherwise: Reason, about: Option<usize>) -> Decision {
        let Brain { playbook, chain, shape, .. } = self.brain;
        if chain.is_empty() {
            return self.handoff(otherwise, about);
        }
        let known = self.look_up().await;
        let asked = |extent| prompt(playbook, self.context, self.spoken, &known, extent);
        let (usual, shorter) = (asked(Extent::USUAL), asked(Extent::LITTLE));
        let question =
            Question { prompt: &usual, shorter: Some(&shorter), shape, tier: None, purpose: Purpose::Answer };
        let answered = chain.ask(&question, self.purse).await;
        let cost = Cost::of(answered.calls);
        match answered.answer {
            Ok(answer) => self.judge(answer, &known, about, cost),
            Err(why) => Decision::Handoff(self.left_alone(why, about, cost)),
        }
    }

    /// No model answers. The customer is told that somebody comes; an approved answer that may fit is there for
    /// whoever does.
    fn left_alone(&self, why: Failure, about: Option<usize>, cost: Cost) -> Handoff {
        let reason = match why {
            Failure::Spent => Reason::BudgetSpent,
            Failure::Filtered => Reason::Declined,
            _ => Reason::ModelFailed,
        };
        let approved = about.filter(|_| !is_asked_again(self.context)).and_then(|about| self.answer(about));
        let suggestion = approved.map(|text| Suggestion { text: text.into(), confidence: 0.0 });
        Handoff { suggestion, failure: Some(why), cost, ..self.call(reason, about) }
    }

    /// What the documents say about the question.
    async fn look_up(&self) -> Known {
        let Some(library) = self.brain.knowledge.as_ref().filter(|library| !library.is_empty()) else {
            return Known::default();
        };
        let asked: Vec<&str> = self.context.asked().map(|said| said.text.as_str()).collect();
        let mut passages = library.find(&asked.join("\n"), &self.context.channel, PASSAGES).await;
        passages.retain(|hit| hit.relevant);
        Known { has_documents: true, passages }
    }

    fn judge(&self, answer: ModelReply, known: &Known, about: Option<usize>, cost: Cost) -> Decision {
        let least = self.brain.playbook.thresholds.confidence;
        let reason = match answer.reason.as_deref() {
            _ if !answer.handoff => Reason::LowConfidence,
            Some("asked_for_human") => Reason::AskedForHuman,
            Some("human_only_topic") => Reason::HumanOnlyTopic,
            _ => Reason::LowConfidence,
        };
        let sources = known.sources(answer.sources.as_deref());
        let ModelReply { reply: text, confidence, .. } = answer;
        if answer.handoff || confidence < least {
            let suggestion = (!text.is_empty()).then_some(Suggestion { text, confidence });
            return Decision::Handoff(Handoff { suggestion, cost, ..self.call(reason, about) });
        }
        Decision::Reply(Reply {
            text,
            confidence,
            intent: None,
            stage: answer.stage,
            language: self.heard,
            // Half sure, or the same question again: that counts as not solved.
            remember: facts::kept(&answer.remember, self.context),
            resolved: confidence >= f32::midpoint(least, 1.0) && !is_asked_again(self.context),
            sources,
            cost,
        })
    }

    fn handoff(&self, reason: Reason, about: Option<usize>) -> Decision {
        Decision::Handoff(self.call(reason, about))
    }

    fn call(&self, reason: Reason, about: Option<usize>) -> Handoff {
        let playbook = &self.brain.playbook;
        let intent = about.map(|about| &playbook.intents[about]);
        Handoff {
            reason,
            summary: summary(self.context, &reason, intent.map(|intent| intent.title.as_str())),
            announced: true,
            suggestion: None,
            intent: intent.map(|intent| intent.name.clone()),
            language: self.heard,
            failure: None,
            cost: Cost::default(),
        }
    }
}

/// What was found in the documents for one question.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Whether there are documents at all.
    pub has_documents: bool,
    /// The best first; none: no document says anything about it.
    pub passages: Vec<Hit>,
}

impl Known {
    /// The passages that a model names, each once; all that it was given if it names none at all.
    fn sources(&self, named: Option<&[usize]>) -> Vec<Source> {
        let is_named = |number: usize| named.is_none_or(|named| named.contains(&number));
        let named = (1..).zip(&self.passages).filter(|(number, _)| is_named(*number));
        let mut sources: Vec<Source> = Vec::new();
        for (_, hit) in named {
            let source = Source { document: hit.name.clone(), heading: hit.heading.clone() };
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }
}

impl Reason {
    pub const ALL: [Self; 10] = [
        Self::AskedForHuman,
        Self::HumanOnlyTopic,
        Self::LowConfidence,
        Self::Unresolved,
        Self::ModelFailed,
        Self::Declined,
        Self::BudgetSpent,
        Self::CannotRead,
        Self::Late,
        Self::BotOff,
    ];

    /// The code in SQL, events and frames.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AskedForHuman => "asked_for_human",
            Self::HumanOnlyTopic => "human_only_topic",
            Self::LowConfidence => "low_confidence",
            Self::Unresolved => "unresolved",
            Self::ModelFailed => "model_failed",
            Self::Declined => "declined",
            Self::BudgetSpent => "budget_spent",
            Self::CannotRead => "cannot_read",
            Self::Late => "late",
            Self::BotOff => "bot_off",
        }
    }
}

impl Handoff {
    /// The customer is told nothing by the bot.
    fn switched_off(context: &TurnContext) -> Self {
        let reason = Reason::BotOff;
        Self {
            reason,
            summary: summary(context, &reason, None),
            announced: false,
            suggestion: None,
            intent: None,
            language: None,
            failure: None,
            cost: Cost::default(),
        }
    }
}

impl Cost {
    fn of(calls: Vec<Call>) -> Self {
        Self {
            model: calls.last().map(|call| call.model.clone()),
            usage: calls.iter().fold(Usage::default(), |usage, call| usage.plus(call.usage)),
            calls,
        }
    }
}

impl Decision {
    pub fn quiet(rule: &'static str) -> Self {
        Self::Quiet { rule, cost: Cost::default() }
    }

    /// What it has cost.
    pub fn cost(&self) -> Cost {
        match self {
            Self::Reply(reply) => reply.cost.clone(),
            Self::Handoff(handoff) => handoff.cost.clone(),
            Self::Quiet { cost, .. } => cost.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
