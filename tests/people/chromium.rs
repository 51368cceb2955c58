//! Chromium walks through the emulator's pages, as a person would: the real browser, driven by its own driver.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// Pages come from this machine; what takes longer hangs.
const HANG: Duration = Duration::from_secs(60);

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A headless Chromium with one tab.
pub(crate) struct Chromium {
    _driver: Child,
    session: String,
    client: reqwest::Client,
}

impl Chromium {
    /// Starts driver and browser. The browser's own files go below `folder`.
    pub(crate) async fn start(folder: &Path) -> Chromium {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(HANG).build().unwrap();
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", &profile];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            // The emulator has a certificate authority of its own.
            "acceptInsecureCerts": true,
            "goog:chromeOptions": {"args": arguments},
        }}});
        let base = format!("http://127.0.0.1:{port}/session");
        let begun = tokio::time::timeout(HANG, async {
            loop {
                match client.post(&base).json(&wanted).send().await {
                    Ok(answer) => return answer.json::<Value>().await.unwrap(),
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        let begun = begun.await.expect("the driver does not answer");
        let id = begun["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{begun}"));
        Chromium { _driver: driver, session: format!("{base}/{id}"), client }
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let answer = self.client.post(format!("{}/{path}", self.session)).json(&body).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["value"].clone()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}/{path}", self.session)).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["value"].clone()
    }

    pub(crate) async fn open(&self, address: &str) {
        let answer = self.ask("url", json!({ "url": address })).await;
        assert_eq!(answer, Value::Null, "{address}");
    }

    /// The element, waited for.
    async fn element(&self, css: &str) -> String {
        let found = tokio::time::timeout(HANG, async {
            loop {
                let found = self.ask("element", json!({"using": "css selector", "value": css})).await;
                if let Some(id) = found[ELEMENT].as_str() {
                    return id.to_owned();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        match found.await {
            Ok(id) => id,
            Err(_) => panic!("no {css} at {}: {}", self.get("url").await, self.get("source").await),
        }
    }

    /// Types into a field and sends its form.
    pub(crate) async fn enter(&self, name: &str, text: &str) {
        let field = self.element(&format!("input[name={name}]")).await;
        let typed = format!("{text}\n");
        let answer = self.ask(&format!("element/{field}/value"), json!({ "text": typed })).await;
        assert_eq!(answer, Value::Null, "{name}");
    }

    pub(crate) async fn click(&self, css: &str) {
        let button = self.element(css).await;
        let answer = self.ask(&format!("element/{button}/click"), json!({})).await;
        assert_eq!(answer, Value::Null, "{css}");
    }

    /// Waits until the page has this heading.
    pub(crate) async fn heading(&self, wanted: &str) {
        let seen = tokio::time::timeout(HANG, async {
            loop {
                let heading = self.element("h1").await;
                let text = self.get(&format!("element/{heading}/text")).await;
                if text == wanted {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(seen.await.is_ok(), "no {wanted}: {}", self.get("source").await);
    }

    /// A picture of the page, for who wants to see it: only where `EXORUN_TEST_PICTURES` names a folder.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("EXORUN_TEST_PICTURES") else { return };
        let picture = self.get("screenshot").await;
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap()).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }

    /// Ends browser and driver.
    pub(crate) async fn end(self) {
        let _ = self.client.delete(&self.session).send().await;
    }
}

mod tests {
    use exorun::emulator::Emulator;

    use super::super::components;
    use super::super::desk::{Desk, MFA, NAVIN, PASSWORD, VERIFICATION_CODE, end_of, options};
    use super::super::program::shipped;
    use super::super::vaulted::Vaulted;
    use super::Chromium;

    /// Chromium, its driver and a terminal, or a visible skip.
    fn skipped(test: &str) -> bool {
        !["chromium", "chromedriver", "python3"].iter().all(|program| components::has(program, test))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn chromium_signs_in_navin_for_a_login() {
        if skipped("chromium_signs_in_navin_for_a_login") {
            return;
        }
        let Some(vaulted) = Vaulted::start("chromium_signs_in_navin_for_a_login", options()).await else {
            return;
        };
        let desk = &vaulted.desk;
        let job = vaulted.job("browser", &[]);
        let child =
            vaulted.with_vault(desk.attended(&["login", &job, "--method", "browser"], &[])).spawn().unwrap();
        let chromium = Chromium::start(desk.tenant.folder.path()).await;
        chromium.open(&desk.opened().await).await;
        chromium.heading("Sign in").await;
        chromium.picture("sign-in").await;
        chromium.enter("loginfmt", NAVIN).await;
        chromium.heading("Enter password").await;
        chromium.enter("passwd", "wrong").await;
        chromium.click(".wrong").await;
        chromium.picture("wrong-password").await;
        chromium.enter("passwd", PASSWORD).await;
        chromium.heading("Stay signed in?").await;
        chromium.picture("stay-signed-in").await;
        chromium.click("button[value=no]").await;
        chromium.heading("Signed in").await;
        chromium.picture("signed-in").await;
        let login = end_of(child).await;
        chromium.end().await;
        login.assert_code(0);
        assert!(login.stdout.contains(&format!("{NAVIN} is signed in")), "{}", login.stdout);
        vaulted.unattended(&["run", &job]).await.assert_code(0);
        desk.tenant.assert_all_closed();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn chromium_signs_in_navin_for_the_shipped_example() {
        if skipped("chromium_signs_in_navin_for_the_shipped_example") {
            return;
        }
        let desk = Desk::new(options()).await;
        let job = shipped("examples/browser.yaml");
        let child = desk.attended(&["run", job.to_str().unwrap()], &[]).spawn().unwrap();
        let chromium = Chromium::start(desk.tenant.folder.path()).await;
        chromium.open(&desk.opened().await).await;
        // The job names the user, so that only the password is asked for.
        chromium.heading("Enter password").await;
        chromium.enter("passwd", PASSWORD).await;
        chromium.heading("Stay signed in?").await;
        chromium.click("button[value=no]").await;
        chromium.heading("Signed in").await;
        let run = end_of(child).await;
        chromium.end().await;
        run.assert_code(0);
        assert!(run.stdout.contains(&format!("as {NAVIN}")), "{}", run.stdout);
        desk.tenant.assert_all_closed();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn chromium_confirms_a_device_code_with_a_second_factor() {
        if skipped("chromium_confirms_a_device_code_with_a_second_factor") {
            return;
        }
        let desk = Desk::new(options()).await;
        let user = format!("user_principal_name: {MFA}");
        let job = desk.job(&["method: device", &user]);
        let child = desk.attended(&["run", job.to_str().unwrap()], &[]).spawn().unwrap();
        let chromium = Chromium::start(desk.tenant.folder.path()).await;
        let code = desk.user_code().await;
        chromium.open(&page(&desk.tenant.emulator)).await;
        chromium.picture("device-code").await;
        chromium.enter("otc", &code).await;
        chromium.enter("loginfmt", MFA).await;
        chromium.enter("passwd", PASSWORD).await;
        chromium.heading("Enter code").await;
        chromium.picture("second-factor").await;
        chromium.enter("otc", VERIFICATION_CODE).await;
        chromium.heading("Are you trying to sign in?").await;
        chromium.picture("device-confirm").await;
        chromium.click("button[value=continue]").await;
        chromium.heading("Signed in").await;
        let run = end_of(child).await;
        chromium.end().await;
        run.assert_code(0);
        assert!(run.stdout.contains(&format!("and enter the code {code}")), "{}", run.stdout);
        desk.tenant.assert_all_closed();
    }

    fn page(emulator: &Emulator) -> String {
        format!("{}/devicelogin", emulator.login_endpoint())
    }
}
