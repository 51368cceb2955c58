//! `method: password` and `method: inline_credential`.

use exorun::emulator::Options;

use super::components;
use super::desk::{Desk, MFA, NAVIN, PASSWORD, end, options};
use super::program::{requests, shipped};

/// A job by a password in a file.
async fn by_password(desk: &Desk, user: &str, password: &str) -> super::program::Ended {
    std::fs::write(desk.tenant.path("password"), password).unwrap();
    let user = format!("user_principal_name: {user}");
    let job = desk.job(&["method: password", &user, "credential:", "  file: password"]);
    end(desk.unattended(&["run", job.to_str().unwrap(), "--log-level", "trace"])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_signs_in_with_a_loud_warning() {
    let desk = Desk::new(options()).await;
    // Files end with a line end.
    let run = by_password(&desk, NAVIN, &format!("{PASSWORD}\r\n")).await;
    run.assert_code(0);
    let warned = run.stderr.lines().find(|line| line.contains("Microsoft is retiring it")).unwrap();
    assert!(warned.contains("WARN") && warned.contains("multi-factor"), "{warned}");
    desk.tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_cannot_do_is_refused_with_the_reason() {
    let desk = Desk::new(options()).await;
    for (user, password, code, said) in [
        (NAVIN, "wrong", 77, "AADSTS50126"),
        (MFA, PASSWORD, 77, "AADSTS50076"),
        ("gone@contoso.onmicrosoft.com", PASSWORD, 77, "AADSTS50057"),
        ("locked@contoso.onmicrosoft.com", PASSWORD, 77, "AADSTS50053"),
        ("nobody@contoso.onmicrosoft.com", PASSWORD, 77, "AADSTS50034"),
        (NAVIN, " canary with a space", 64, "begins or ends with a space"),
    ] {
        let run = by_password(&desk, user, password).await;
        run.assert_code(code);
        assert!(run.stdout.contains(said), "{user}: {}", run.stdout);
        assert!(!run.stdout.contains("canary") && !run.stderr.contains("canary"), "{}", run.stderr);
    }
    assert_eq!(desk.tenant.emulator.counters().sessions.opened, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_a_federated_account_is_not_sent() {
    let desk = Desk::new(options()).await;
    let run = by_password(&desk, "fed@contoso.onmicrosoft.com", PASSWORD).await;
    run.assert_code(77);
    assert!(
        run.stdout.contains("federated account") && run.stdout.contains("`method: device`"),
        "{}",
        run.stdout
    );
    let counters = desk.tenant.emulator.counters();
    assert_eq!((requests(&counters, "userrealm"), requests(&counters, "token")), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_password_is_not_echoed_and_signs_in() {
    if !components::has("python3", "a_typed_password_is_not_echoed_and_signs_in") {
        return;
    }
    let desk = Desk::new(options()).await;
    let job = desk.job(&["method: inline_credential"]);
    let (name, password) = (format!("{NAVIN}\n"), format!("{PASSWORD}\n"));
    let answers = [("User name", Some(name.as_str())), ("Password of navin", Some(password.as_str()))];
    // `end` looks for the password in all that the terminal showed.
    let run = end(desk.attended(&["run", job.to_str().unwrap()], &answers)).await;
    run.assert_code(0);
    assert!(run.stdout.contains("Microsoft is retiring it"), "{}", run.stdout);
    desk.tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_example_asks_only_for_the_password() {
    if !components::has("python3", "the_shipped_example_asks_only_for_the_password") {
        return;
    }
    let user = "navin@contoso.com";
    let domains = vec!["contoso.com".to_owned()];
    let desk = Desk::new(Options { domains, accounts: vec![user.parse().unwrap()], ..options() }).await;
    let job = shipped("examples/inline-credential.yaml");
    let password = format!("{PASSWORD}\n");
    let answers = [("Password of navin", Some(password.as_str()))];
    let run = end(desk.attended(&["run", job.to_str().unwrap()], &answers)).await;
    run.assert_code(0);
    assert!(run.stdout.contains(&format!("as {user}")), "{}", run.stdout);
    assert!(!run.stdout.contains("User name"), "the job names the user: {}", run.stdout);
    desk.tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nobody_is_asked_and_nothing_hangs() {
    let desk = Desk::new(options()).await;
    let job = desk.job(&["method: inline_credential"]);
    // A session of its own has no terminal, even if the tests were started at one.
    let program = desk.unattended(&["run", job.to_str().unwrap()]);
    let mut command = tokio::process::Command::new("setsid");
    let program = program.as_std();
    command
        .arg("--wait")
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(desk.tenant.folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    // Whoever pipes a password in gets the same answer: it is not read.
    let mut stdin = child.stdin.take().unwrap();
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{PASSWORD}\n").as_bytes()).await;
    let run = super::desk::end_of(child).await;
    drop(stdin);
    run.assert_code(77);
    assert!(run.stdout.contains("asks for the password on a terminal, and there is none"), "{}", run.stdout);
    assert_eq!(desk.tenant.emulator.counters().sessions.opened, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_given_up_leaves_the_terminal_as_it_was() {
    if !components::has("python3", "a_question_that_is_given_up_leaves_the_terminal_as_it_was") {
        return;
    }
    let desk = Desk::new(options()).await;
    let user = format!("user_principal_name: {NAVIN}");
    let job = desk.job(&["method: inline_credential", &user]);
    let stopped = end(desk.attended(&["run", job.to_str().unwrap()], &[("Password of", None)])).await;
    stopped.assert_code(75);
    assert!(!stopped.stdout.contains("ECHO False"), "{}", stopped.stdout);
    let arguments = ["run", job.to_str().unwrap(), "--device-wait", "1s"];
    let waited = end(desk.attended(&arguments, &[])).await;
    waited.assert_code(77);
    assert!(waited.stdout.contains("nothing was typed within `device_wait` (1s)"), "{}", waited.stdout);
    assert!(!waited.stdout.contains("ECHO False"), "{}", waited.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_of_a_password_names_nobody_and_opens_nothing() {
    let desk = Desk::new(options()).await;
    std::fs::write(desk.tenant.path("password"), PASSWORD).unwrap();
    let user = format!("user_principal_name: {NAVIN}");
    let job = desk.job(&["method: password", &user, "credential:", "  file: password"]);
    end(desk.unattended(&["run", job.to_str().unwrap(), "--record", "recorded"])).await.assert_code(0);
    let files = std::fs::read_dir(desk.tenant.path("recorded")).unwrap();
    let texts: Vec<String> =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("\"grant_type\"")), "the sign-in is not recorded");
    for text in texts {
        assert!(!text.contains(PASSWORD) && !text.contains("navin"), "{text}");
    }
}
