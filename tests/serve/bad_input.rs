//! What does not let a server start, and what must not bring it down.

use exorun::emulator::Options;

use crate::program::{Tenant, ended};
use crate::server::{Server, command, job, occurrences, write};

async fn tenant() -> Tenant {
    Tenant::start(Options { mailboxes: 20, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_one_job_it_does_not_start_and_says_why() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "cron: \"0 2 30 2 *\"\n    time_zone: UTC", ""));
    write(&tenant, "b.yaml", &job("b", "cron: \"0 2 * * *\"\n    time_zone: Europe/Berlim", ""));
    let run = ended(command(&tenant, &[]).spawn().unwrap()).await;
    run.assert_code(64);
    for words in ["a.yaml", "never due", "b.yaml", "did you mean `Europe/Berlin`?"] {
        assert!(run.stderr.contains(words), "{words}:\n{}", run.stderr);
    }
    let run =
        ended(tenant.exorun(&["serve", "nowhere"]).env("EXORUN_ADMIN_ADDRESS", "off").spawn().unwrap()).await;
    run.assert_code(64);
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_wants_inputs_cannot_be_scheduled_and_others_are() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    write(&tenant, "b.yaml", &job("b", "every: 1s", "inputs:\n  who:\n    type: string\n"));
    write(&tenant, "c.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &[]));
    server.says("needs a default").await;
    server.says("is also in jobs/a.yaml").await;
    tenant.calls("Get-Mailbox", 1).await;
    let (_, said) = server.stopped().await;
    assert_eq!(said.matches("job loaded").count(), 1, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_do_not_share_a_history() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &[]));
    server.says("serving").await;
    let run = ended(command(&tenant, &[]).spawn().unwrap()).await;
    run.assert_code(64);
    assert!(run.stderr.contains("history.sqlite"), "{}", run.stderr);
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_named() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = ended(command(&tenant, &[]).env("EXORUN_ADMIN_ADDRESS", &address).spawn().unwrap()).await;
    run.assert_code(64);
    assert!(run.stderr.contains(&address) && run.stderr.contains("admin_address"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_forbids_the_job_fails_its_occurrences_by_policy() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &["--require-connections"]));
    server.says("run ended before it began").await;
    let (_, said) = server.stopped().await;
    assert!(
        said.contains("outcome=\"refused_by_policy\"") || said.contains("outcome=refused_by_policy"),
        "{said}"
    );
    let occurrences = occurrences(&tenant);
    assert!(
        occurrences.iter().all(|one| one.reason.as_deref() == Some("refused_by_policy")),
        "{occurrences:?}"
    );
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_somebody_else_writes_ends_the_server_with_its_sessions_closed() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &[]));
    tenant.calls("Get-Mailbox", 1).await;
    let far: jiff::Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let mut book = exorun::history::Book::open_to_add(&tenant.path("history.sqlite")).unwrap();
    let jobs = [exorun::history::Registering { name: "a", schedules: &["every 1s".to_owned()] }];
    let registered = book.register(&jobs, far).unwrap();
    let (schedule, _) = registered[0].schedules[0];
    let skipped = exorun::history::Write::Skipped {
        job: registered[0].job,
        schedule,
        first: far,
        last: far,
        count: 1,
        reason: exorun::rules::occurrences::SkipReason::Missed,
        from: exorun::history::From::Fresh,
        at: far,
    };
    book.commit(&[skipped]).unwrap();
    let (code, said) = server.ended().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot be trusted any more"), "{said}");
    tenant.assert_all_closed();
}
