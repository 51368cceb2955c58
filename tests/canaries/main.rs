//! Canaries: secrets of every kind through a run that succeeds and one that fails, at the finest logs, and then looked for
//! everywhere: output, logs, report, metrics, recording, files, arguments, children, core dump.
//!
//! A kind is a row of the table below and a function that sets its scene.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

mod application;
mod canary;
mod certificates;
#[path = "../support/components.rs"]
mod components;
#[path = "../support/forwarding.rs"]
mod forwarding;
mod gateways;
#[path = "../vault/issuer.rs"]
mod issuer;
mod network;
#[path = "../support/openbao.rs"]
mod openbao;
mod opener;
#[path = "../signin/openssl.rs"]
mod openssl;
mod parameters;
mod people;
#[path = "../support/program.rs"]
mod program;
#[path = "../signin/responder.rs"]
mod responder;
mod scene;
#[path = "../support/scripted_service.rs"]
#[allow(dead_code, reason = "only what it answers matters here")]
mod scripted_service;
mod vault;
mod vault_logins;
mod watch;

use scene::Ends;

/// Each kind of secret: a test, and who sets its scene; `None` skips it, visibly.
macro_rules! kinds {
    ($($name:ident: $scene:path;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                for (ends, format) in [(Ends::Well, "json"), (Ends::Badly, "json"), (Ends::Badly, "human")] {
                    let Some(scene) = $scene(ends).await else { return };
                    scene.hunted(ends, format).await;
                }
            }
        )+
    };
}

kinds! {
    a_client_secret_in_the_environment: application::client_secret_in_the_environment;
    a_client_secret_in_a_file: application::client_secret_in_a_file;
    a_ready_access_token: application::access_token;
    a_federated_token: application::federated_token;
    the_request_token_of_a_workflow: application::request_token_of_a_workflow;
    the_header_of_a_machine: application::header_of_a_machine;
    a_private_key_in_a_file: certificates::key_in_a_file;
    a_private_key_in_the_environment: certificates::key_in_the_environment;
    the_password_of_a_pfx_file: certificates::pfx_password;
    a_refresh_token: people::refresh_token;
    a_kept_refresh_token: people::kept_refresh_token;
    the_password_of_a_user: people::password;
    the_password_of_a_user_in_vault: people::password_in_vault;
    a_typed_password: people::typed_password;
    the_key_of_a_webhook: people::webhook;
    the_password_of_a_proxy_in_a_file: network::proxy_password_in_a_file;
    the_password_of_a_proxy_in_a_variable: network::proxy_password_in_a_variable;
    the_token_of_a_pushgateway: gateways::token;
    the_password_of_a_pushgateway: gateways::password;
    secret_parameters: parameters::secret_parameters;
    a_token_of_vault: vault::token;
    a_secret_of_vault_that_says_what_it_is: vault::declared;
    a_secret_id_of_vault: vault::secret_id;
    a_token_of_a_login_to_vault: vault::token_of_a_login;
    a_jwt_for_vault: vault_logins::jwt;
    a_client_key_for_vault: vault_logins::client_key;
    a_wrapping_token_of_vault: vault_logins::wrapping_token;
}
