//! What a customer is told by rule, and when: the sentences that go with a change of control or with time.

use baton_shared::Control;

use super::control::Step;

/// One of them; each stands in the playbook once a language, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// A person comes.
    Bridge,
    /// It takes longer than was hoped.
    StillWaiting,
    /// Nobody is there now; when somebody is.
    OutOfHours,
    /// A person has come.
    PersonIsHere,
    /// Another person goes on.
    Transferred,
    /// The bot goes on.
    BackToAssistant,
    /// It has taken too long.
    NobodyCame,
    /// All is done.
    Resolved,
}

impl Occasion {
    pub const ALL: [Self; 8] = [
        Self::Bridge,
        Self::StillWaiting,
        Self::OutOfHours,
        Self::PersonIsHere,
        Self::Transferred,
        Self::BackToAssistant,
        Self::NobodyCame,
        Self::Resolved,
    ];

    /// The key in the playbook, and what is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::StillWaiting => "still_waiting",
            Self::OutOfHours => "out_of_hours",
            Self::PersonIsHere => "person_is_here",
            Self::Transferred => "transferred",
            Self::BackToAssistant => "back_to_assistant",
            Self::NobodyCame => "nobody_came",
            Self::Resolved => "resolved",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// How often it is said from the call for a person to the end of their stretch, at the most.
    pub const fn most(self) -> usize {
        match self {
            Self::StillWaiting => 2,
            Self::Bridge
            | Self::OutOfHours
            | Self::PersonIsHere
            | Self::Transferred
            | Self::BackToAssistant
            | Self::NobodyCame
            | Self::Resolved => 1,
        }
    }
}

/// What has been told since a person was called, whether it was sent or had no text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told(Vec<Occasion>);

impl Told {
    /// As it is stored: words with a space between; what is not known any more is left out.
    pub fn parse(words: &str) -> Self {
        Self(words.split_ascii_whitespace().filter_map(Occasion::from_word).collect())
    }

    pub fn times(&self, occasion: Occasion) -> usize {
        self.0.iter().filter(|one| **one == occasion).count()
    }

    pub fn has(&self, occasion: Occasion) -> bool {
        self.times(occasion) > 0
    }

    /// Writes it down; whether it may be said.
    pub fn tell(&mut self, occasion: Occasion) -> bool {
        let may = self.times(occasion) < occasion.most();
        if may {
            self.0.push(occasion);
        }
        may
    }

    pub fn words(&self) -> String {
        self.0.iter().map(|one| one.word()).collect::<Vec<_>>().join(" ")
    }
}

/// What is told with a step that has changed control, in order. `person_had_it`: before or because of it.
pub const fn after(step: Step, before: Control, people_are_there: bool, person_had_it: bool) -> &'static [Occasion] {
    match (step, before) {
        (Step::Escalate, _) if people_are_there => &[Occasion::Bridge],
        (Step::Escalate, _) => &[Occasion::OutOfHours],
        (Step::Assign { .. }, Control::Agent { .. }) => &[Occasion::Transferred],
        (Step::Take { .. } | Step::Assign { .. }, _) => &[Occasion::PersonIsHere],
        (Step::HandBack, _) => &[Occasion::BackToAssistant],
        (Step::Resolve, _) if person_had_it => &[Occasion::Resolved],
        // The phone speaks for itself, another app says its own, and of a release time decides.
        (
            Step::Resolve
            | Step::Release
            | Step::PhoneReply { .. }
            | Step::PauseEnds { .. }
            | Step::GoElsewhere
            | Step::Returned { .. }
            | Step::CustomerWrites { .. },
            _,
        ) => &[],
    }
}

#[cfg(test)]
mod tests {
    use baton_shared::{AgentId, Micros};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_is_one_occasion() {
        for occasion in Occasion::ALL {
            assert_eq!(Occasion::from_word(occasion.word()), Some(occasion));
        }
    }

    #[test]
    fn whoever_calls_outside_of_hours_is_told_so_instead() {
        let bot = Control::Bot;
        assert_eq!(after(Step::Escalate, bot, true, false), [Occasion::Bridge]);
        assert_eq!(after(Step::Escalate, bot, false, false), [Occasion::OutOfHours]);
        assert!(after(Step::Resolve, bot, true, false).is_empty());
        let (agent, since) = (AgentId::from(uuid::Uuid::nil()), Micros::ZERO);
        assert_eq!(after(Step::Assign { to: agent }, Control::Waiting { since }, true, true), [Occasion::PersonIsHere]);
        let theirs = Control::Agent { agent, since };
        assert_eq!(after(Step::Assign { to: agent }, theirs, true, true), [Occasion::Transferred]);
    }

    proptest! {
        /// However often it is asked for, nothing is told more than once, and `still_waiting` twice.
        #[test]
        fn nothing_is_told_too_often(asked in proptest::collection::vec(0..Occasion::ALL.len(), 0..60)) {
            let mut told = Told::default();
            let mut said = 0;
            for place in asked {
                let occasion = Occasion::ALL[place];
                said += usize::from(told.tell(occasion));
                prop_assert!(told.times(occasion) >= 1 && told.times(occasion) <= occasion.most());
                prop_assert_eq!(&Told::parse(&told.words()), &told);
            }
            prop_assert_eq!(said, Occasion::ALL.iter().map(|one| told.times(*one)).sum::<usize>());
        }
    }
}
