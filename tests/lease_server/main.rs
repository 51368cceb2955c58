//! The stand-in for an API server does what a real one was seen to do, one test a row; where a real one is given
//! (`KUBEBUILDER_ASSETS` or `KUBECONFIG`), the same tests ask it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "the clients are real connections")]

mod asking;
#[allow(dead_code, reason = "nothing here is skipped for want of a program")]
#[path = "../support/components.rs"]
mod components;
#[path = "../support/lease_server/mod.rs"]
mod lease_server;
#[path = "../support/real_api.rs"]
mod real_api;
mod rows;

use exorun::clocks::Clocks;

use asking::Server;
use lease_server::{LeaseServer, NAMESPACE};

/// One test of each row, on the stand-in and on a real API server.
macro_rules! rows {
    ($($row:ident),* $(,)?) => {
        mod stand_in {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $row() {
                    let server = super::LeaseServer::start(super::Clocks::system()).await;
                    for verb in ["patch", "delete"] {
                        server.allow(verb);
                    }
                    let kubeconfig = server.kubeconfig("first-token");
                    super::rows::$row(super::Server::of(&kubeconfig, super::NAMESPACE).await).await;
                }
            )*
        }

        mod real {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $row() {
                    let Some(real) = super::real_api::given(stringify!($row)).await else { return };
                    super::rows::$row(super::Server::of(&real.kubeconfig, &real.namespace).await).await;
                }
            )*
        }
    };
}

rows!(
    a_lease_that_exists_is_not_made_again,
    an_update_of_the_version_that_was_read_is_accepted,
    an_update_of_an_older_version_is_a_conflict,
    an_update_without_a_version_is_invalid,
    a_merge_patch_of_an_older_version_is_a_conflict,
    a_json_patch_whose_test_fails_is_invalid,
    a_lease_of_no_seconds_is_invalid,
    times_have_exactly_six_decimals,
    a_delete_of_an_older_version_is_a_conflict,
    of_twenty_updates_of_one_version_one_is_accepted,
    an_unknown_field_is_refused_if_that_was_asked_for,
    whoever_has_no_token_is_forbidden,
    an_update_of_a_deleted_lease_is_a_conflict,
    a_list_has_what_its_labels_select,
    every_answer_says_when,
);

#[tokio::test]
async fn a_service_account_without_the_verb_is_forbidden() {
    let server = LeaseServer::start(Clocks::system()).await;
    let asking = Server::of(&server.kubeconfig("first-token"), NAMESPACE).await;
    server.forbid("create");
    let answer = asking.create("mine", serde_json::json!({})).await;
    assert_eq!((answer.status, answer.reason()), (403, "Forbidden"));
    assert!(answer.message().contains("cannot create resource \"leases\""), "{}", answer.message());
}

#[tokio::test]
async fn a_token_that_it_does_not_know_is_unauthorized() {
    let server = LeaseServer::start(Clocks::system()).await;
    let asking = Server::of(&server.kubeconfig("another-token"), NAMESPACE).await;
    let answer = asking.get("mine").await;
    assert_eq!((answer.status, answer.reason()), (401, "Unauthorized"));
    server.accept(&["another-token"]);
    assert_eq!(asking.get("mine").await.status, 404);
}
