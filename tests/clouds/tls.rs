//! Peers whose TLS is not good enough.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::program::ended;
use super::{Cloud, job, tenant};

/// A peer that speaks TLS 1.1 at most: its alert `protocol_version`, in the record version of TLS 1.1.
async fn old_peer() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut hello = [0; 4096];
                let _ = stream.read(&mut hello).await;
                let _ = stream.write_all(&[21, 3, 2, 0, 2, 2, 70]).await;
            });
        }
    });
    format!("https://127.0.0.1:{port}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_tls_1_2_is_refused_in_words() {
    let tenant = tenant(Cloud::Worldwide, "contoso.onmicrosoft.com").await;
    let old = old_peer().await;
    let job = job(&tenant, "tenant: contoso.onmicrosoft.com");
    for (setting, code) in [("EXORUN_LOGIN_ENDPOINT", 64), ("EXORUN_EXCHANGE_ENDPOINT", 1)] {
        let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
        let run = ended(command.env(setting, &old).spawn().unwrap()).await;
        run.assert_code(code);
        assert!(run.stdout.contains("TLS 1.2 or later is needed"), "{setting}: {}", run.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_names_the_setting_wherever_it_is_met() {
    let tenant = tenant(Cloud::Worldwide, "contoso.onmicrosoft.com").await;
    let other = tenant_of_another_authority().await;
    let job = job(&tenant, "tenant: contoso.onmicrosoft.com");
    for (setting, endpoint, code) in [
        ("EXORUN_LOGIN_ENDPOINT", other.emulator.login_endpoint(), 64),
        ("EXORUN_EXCHANGE_ENDPOINT", other.emulator.exchange_endpoint(), 1),
    ] {
        let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
        let run = ended(command.env(setting, endpoint).spawn().unwrap()).await;
        run.assert_code(code);
        assert!(run.stdout.contains("a private CA goes into the setting `ca_file`"), "{}", run.stdout);
    }
}

async fn tenant_of_another_authority() -> super::Tenant {
    tenant(Cloud::Worldwide, "contoso.onmicrosoft.com").await
}
