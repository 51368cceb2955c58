//! Somebody stops `exorun login` or `exorun logout`: what may be the case is said, and nothing hangs.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

use super::desk::{NAVIN, end_of};
use super::vaulted::{Vaulted, options};

/// Less than Vault's answer is waited for.
const SOON: Duration = Duration::from_secs(9);

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_stopped_says_what_may_be_kept() {
    let test = "a_login_that_is_stopped_says_what_may_be_kept";
    let Some(vaulted) = Vaulted::start(test, options()).await else { return };
    let job = vaulted.job("device", &[]);
    let login = || {
        let mut command = vaulted.with_vault(vaulted.desk.unattended(&["login", &job, "--method", "device"]));
        command.env("EXORUN_CLOSE_DEADLINE", "1s").spawn().unwrap()
    };
    let child = login();
    let code = vaulted.desk.user_code().await;
    interrupt(&child);
    let stopped = end_of(child).await;
    stopped.assert_code(75);
    assert!(
        stopped.stderr.contains("stopped before anybody had signed in; nothing was written"),
        "{}",
        stopped.stderr
    );
    vaulted.desk.tenant.control(&format!("device/{code}"), "decline").await;
    let child = login();
    let code = vaulted.desk.user_code().await;
    vaulted.bao.freeze();
    vaulted.desk.tenant.control(&format!("device/{code}"), &format!("approve {NAVIN}")).await;
    let redeemed = async {
        while !vaulted.redeemed() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(super::desk::HANG, redeemed).await.expect("the code is not redeemed");
    interrupt(&child);
    tokio::time::sleep(Duration::from_millis(300)).await;
    interrupt(&child);
    let began = Instant::now();
    let stopped = end_of(child).await;
    vaulted.bao.resume();
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    stopped.assert_code(75);
    let words = "stopped while the sign-in was written: it may be kept at vault:secret/people/navin";
    assert!(stopped.stderr.contains(words), "{}", stopped.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_is_stopped_says_what_may_be_deleted() {
    let test = "a_logout_that_is_stopped_says_what_may_be_deleted";
    let Some(vaulted) = Vaulted::start(test, options()).await else { return };
    let job = vaulted.job("device", &[]);
    vaulted.login(&job, NAVIN).await.assert_code(0);
    vaulted.bao.freeze();
    let mut command = vaulted.with_vault(vaulted.desk.unattended(&["logout", &job, "--yes"]));
    let child = command.env("EXORUN_CLOSE_DEADLINE", "1s").spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    interrupt(&child);
    let began = Instant::now();
    let stopped = end_of(child).await;
    vaulted.bao.resume();
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    stopped.assert_code(75);
    assert!(
        stopped.stderr.contains("it may be revoked or not, and deleted or not; start it again"),
        "{}",
        stopped.stderr
    );
    let logout = vaulted.unattended(&["logout", &job, "--yes"]).await;
    logout.assert_code(0);
    assert!(logout.stdout.contains("is deleted"), "{}", logout.stdout);
}
