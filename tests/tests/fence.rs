//! Promises 3 and 4: after control has left the bot none of its words starts on its way, and a
//! conversation has one owner.

use baton_tests::{
    on_both, races,
    store::{TestStore, left_out},
};

on_both!(promise_3_a_take_cancels_what_has_not_started, |store| { races::take_first(store).await });
on_both!(promise_3_a_word_of_an_older_epoch_does_not_start, |store| { races::outdated_word(store).await });
on_both!(promise_3_a_take_names_the_last_word_that_is_out, |store| { races::sending_first(store).await });
on_both!(promise_3_in_whatever_order_they_meet, |store| { races::many_meetings(store).await });
on_both!(promise_4_two_takes_have_one_winner, |store| { races::two_takes(store).await });

// SQLite has one writer: a transaction that pauses there stops all others, and nothing can race.

#[tokio::test]
async fn promise_3_a_sender_waits_for_a_take_between_its_statements() {
    match TestStore::postgres().await {
        Some(store) => races::sender_meets_a_paused_take(store).await,
        None => left_out("promise_3_a_sender_waits_for_a_take_between_its_statements"),
    }
}

#[tokio::test]
async fn promise_3_a_take_waits_for_a_sender_between_its_statements() {
    match TestStore::postgres().await {
        Some(store) => races::take_meets_a_paused_sender(store).await,
        None => left_out("promise_3_a_take_waits_for_a_sender_between_its_statements"),
    }
}
