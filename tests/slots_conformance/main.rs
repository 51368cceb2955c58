//! One suite that every slot store passes: on the files of a host, on Leases of the stand-in for an API server, and on
//! those of a real one where there is one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "the stand-in's clients are real connections")]

#[allow(dead_code, reason = "nothing here is skipped for want of a program")]
#[path = "../support/components.rs"]
mod components;
mod desk;
#[path = "../support/lease_server/mod.rs"]
mod lease_server;
#[path = "../support/real_api.rs"]
mod real_api;
mod stand;
#[path = "../support/still.rs"]
mod still;
mod suite;
#[path = "../support/mod.rs"]
mod support;

/// One module of tests for a place.
macro_rules! conforms {
    ($module:ident, $stand:ty, $paused:literal, [$($test:ident),* $(,)?]) => {
        mod $module {
            use crate::stand::Stand;

            $(
                #[tokio::test(start_paused = $paused)]
                async fn $test() {
                    let test = concat!(stringify!($module), "::", stringify!($test));
                    let Some(stand) = <$stand as Stand>::new(test).await else { return };
                    crate::suite::$test(&stand).await;
                    stand.clean().await;
                }
            )*
        }
    };
}

/// The whole suite for a place.
macro_rules! suite {
    ($module:ident, $stand:ty, $paused:literal) => {
        conforms!(
            $module,
            $stand,
            $paused,
            [
                there_are_as_many_slots_as_the_limit_over_all_stores,
                after_a_refusal_fewer_are_given_out_until_it_is_long_ago,
                a_lease_that_is_dropped_is_quarantined_and_comes_back,
                an_unconfirmed_close_is_quarantined_from_then,
                the_budget_of_opens_is_taken_with_a_slot_only,
                an_attempt_that_is_dropped_gives_its_slot_back_free,
                a_renewal_that_is_dropped_does_not_undo_the_return,
                after_a_renewal_that_is_dropped_later_ones_work,
                who_waits_first_is_served_first,
                who_leaves_the_line_or_falls_silent_holds_nobody_up,
                a_listing_shows_what_is_not_free_and_changes_nothing,
                an_operator_frees_what_is_in_quarantine,
                what_is_not_ours_any_more_is_not_touched,
                many_takers_at_once_never_get_more_than_the_limit,
            ]
        );
    };
}

suite!(local, crate::stand::Local, true);
suite!(leases, crate::stand::Leases, true);
suite!(cluster, crate::stand::Cluster, false);
