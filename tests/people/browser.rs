//! `method: browser`: the page, the loopback, and the way back. The person's browser is a small one; Chromium has a
//! file of its own.

use exorun::emulator::Options;

use super::components;
use super::desk::{Desk, MFA, NAVIN, PASSWORD, VERIFICATION_CODE, end_of, options};
use super::program::Ended;
use super::walker::Walker;

/// Signs in on the emulator's pages, from the address that was opened to the page of the loopback.
pub(crate) async fn signed_in(desk: &Desk, user: &str, answer: &str) -> Walker {
    let mut browser = Walker::new(Some(desk.tenant.emulator.ca_pem()));
    let opened = desk.opened().await;
    // Every user of the machine sees what an opener is given.
    assert!(opened.starts_with("http://localhost:") && !opened.contains('?'), "{opened}");
    browser.open(&opened).await;
    if browser.html.contains("name=\"loginfmt\"") {
        browser.fill(&[("loginfmt", user)]).await;
    }
    browser.fill(&[("passwd", PASSWORD)]).await;
    if browser.html.contains("name=\"otc\"") {
        browser.fill(&[("otc", VERIFICATION_CODE)]).await;
    }
    browser.fill(&[("answer", answer)]).await;
    browser
}

async fn run(desk: &Desk, job: &std::path::Path, user: &str, answer: &str) -> (Ended, Walker) {
    let child = desk.attended(&["run", job.to_str().unwrap()], &[]).spawn().unwrap();
    let browser = signed_in(desk, user, answer).await;
    (end_of(child).await, browser)
}

fn skipped(test: &str) -> bool {
    !components::has("python3", test)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_with_a_second_factor_signs_in_in_the_browser() {
    if skipped("a_person_with_a_second_factor_signs_in_in_the_browser") {
        return;
    }
    let desk = Desk::new(options()).await;
    let user = format!("user_principal_name: {MFA}");
    let job = desk.job(&["method: browser", &user]);
    let (run, browser) = run(&desk, &job, MFA, "no").await;
    run.assert_code(0);
    assert!(
        run.stdout.contains("open this address in a browser on this machine: https://"),
        "{}",
        run.stdout
    );
    assert!(browser.html.contains("You can close this window"), "{}", browser.html);
    let code = browser.at.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert!(!browser.html.contains(&code) && !run.stdout.contains(&code), "a code is shown");
    let asked = &desk.tenant.emulator.requests().as_array().unwrap().clone();
    let authorize = asked.iter().find(|request| request["what"] == "authorize").unwrap();
    let target = authorize["target"].as_str().unwrap();
    for wanted in [
        "code_challenge_method=S256",
        "state=",
        "nonce=",
        "login_hint=",
        "redirect_uri=http%3A%2F%2Flocalhost%3A",
    ] {
        assert!(target.contains(wanted), "{wanted}: {target}");
    }
    desk.tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cancels_or_is_somebody_else_is_refused() {
    if skipped("who_cancels_or_is_somebody_else_is_refused") {
        return;
    }
    let desk = Desk::new(options()).await;
    let job = desk.job(&["method: browser"]);
    let (cancelled, browser) = run(&desk, &job, NAVIN, "cancel").await;
    cancelled.assert_code(77);
    assert!(
        cancelled.stdout.contains("AADSTS65004") && browser.html.contains("Not signed in"),
        "{}",
        cancelled.stdout
    );

    std::fs::remove_file(desk.tenant.path("opened")).unwrap();
    let job = desk.job(&["method: browser", "user_principal_name: somebody.else@contoso.onmicrosoft.com"]);
    let child = desk.attended(&["run", job.to_str().unwrap()], &[]).spawn().unwrap();
    // The page has the name that the job expects; the person goes back and takes their own.
    let mut browser = Walker::new(Some(desk.tenant.emulator.ca_pem()));
    browser.open(&desk.opened().await).await;
    assert!(browser.html.contains("somebody.else@contoso.onmicrosoft.com"), "{}", browser.html);
    let own = browser.at.as_str().replace("somebody.else", "navin");
    browser.open(&own).await.fill(&[("passwd", PASSWORD)]).await.fill(&[("answer", "no")]).await;
    let refused = end_of(child).await;
    refused.assert_code(77);
    assert!(refused.stdout.contains("signed in, the job expects somebody.else@"), "{}", refused.stdout);
    assert_eq!(desk.tenant.emulator.counters().sessions.opened, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_a_terminal_or_nobody_in_time_fails_clearly() {
    let desk = Desk::new(Options { ..options() }).await;
    let job = desk.job(&["method: browser"]);
    let run = super::desk::end(desk.unattended(&["run", job.to_str().unwrap()])).await;
    run.assert_code(77);
    assert!(
        run.stdout.contains("there is no terminal") && run.stdout.contains("exorun login JOB"),
        "{}",
        run.stdout
    );
    if skipped("nobody_at_a_terminal_or_nobody_in_time_fails_clearly") {
        return;
    }
    let arguments = ["run", job.to_str().unwrap(), "--device-wait", "1s"];
    let run = super::desk::end(desk.attended(&arguments, &[])).await;
    run.assert_code(77);
    assert!(
        run.stdout.contains("nobody signed in in the browser within `device_wait` (1s)"),
        "{}",
        run.stdout
    );
}
