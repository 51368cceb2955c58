//! Section 9 of the protocol reference, "Discovery": what a caller may run, and the key for secret parameters; 3.1, 3.6, 3.13.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

use super::*;

impl Bench {
    async fn get(&self, operation: &str, command_name: Option<&str>) -> Response {
        let url = self.url().replace("/beta/", "/v1.0/").replace("InvokeCommand", operation);
        let mut request = self.client.get(url).bearer_auth(&self.token);
        if let Some(names) = command_name {
            request = request.header("CommandName", names);
        }
        request.send().await.unwrap()
    }

    async fn module(&self, command_name: Option<&str>) -> Value {
        self.get("EXOModuleFile?Version=3.9.2", command_name).await.json::<Value>().await.unwrap()["value"][0]
            .clone()
    }

    /// A text encrypted for the key that the module shows.
    pub(super) async fn encrypted(&self, text: &str) -> String {
        let module = self.module(None).await["moduleFile"].as_str().unwrap().to_owned();
        let (_, key) = module.rsplit_once("$PublicKey = '").expect("a key near the end");
        let between = |tag: &str| {
            let (_, rest) = key.split_once(&format!("<{tag}>")).expect("an element");
            let value = rest.split_once("</").expect("its end").0;
            BigUint::from_bytes_be(&STANDARD.decode(value).unwrap())
        };
        let padding = 256 - 3 - text.len();
        let mut block = vec![0, 2];
        block.extend((0..padding).map(|n| (n % 255 + 1) as u8));
        block.push(0);
        block.extend(text.as_bytes());
        let sealed = BigUint::from_bytes_be(&block).modpow(&between("Exponent"), &between("Modulus"));
        let mut bytes = sealed.to_bytes_be();
        while bytes.len() < 256 {
            bytes.insert(0, 0);
        }
        STANDARD.encode(bytes)
    }

    async fn rotate_key(&self) {
        let url = format!("{}/rotate-key", self.emulator.control_url());
        assert_eq!(self.client.post(url).send().await.unwrap().status(), 204);
    }
}

fn names(module: &Value) -> Vec<&str> {
    module["exportedCmdlets"].as_str().unwrap().split(',').collect()
}

#[tokio::test]
async fn the_module_file_lists_what_the_caller_may_run() {
    let bench = start(Options::default()).await;
    let all = bench.module(Some("*")).await;
    assert!(names(&all).contains(&"Set-Mailbox") && names(&all).contains(&"Get-Mailbox"));
    assert_eq!(bench.module(None).await["exportedCmdlets"], all["exportedCmdlets"]);
    let some = bench.module(Some("get-mailbox, Set-Mailbox,Get-Nothing")).await;
    assert_eq!(names(&some).len(), 2);
    let roles = vec![format!("{CLIENT_ID}=GlobalReader").parse().unwrap()];
    let reader = start(Options { roles, ..Options::default() }).await;
    let module = reader.module(None).await;
    let reads = |name: &&str| crate::catalog::cmdlet(name).is_some_and(|cmdlet| cmdlet.is_read());
    assert!(names(&module).contains(&"Get-Mailbox") && names(&module).iter().all(reads));
    let url = bench.url().replace("InvokeCommand", "EXOModuleFile");
    assert_eq!(bench.client.post(url).bearer_auth(&bench.token).send().await.unwrap().status(), 405);
    assert_eq!(bench.get("EXOBanner('AutogenSession')?Version=3.9.2", None).await.status(), 200);
}

#[tokio::test]
async fn secret_parameters_are_encrypted_for_the_key_of_the_module() {
    let bench = start(Options::default()).await;
    let identity = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0]["Guid"].clone();
    let set = |password: &str| json!({"Identity": identity, "Password": password});
    let refused = async |password: &str| {
        let (status, text) = bench.fails("Set-Mailbox", set(password)).await;
        (status == 400 && text.contains("cannot be decrypted")).then_some(text)
    };
    let text = refused("Plain-CANARY").await.expect("plain text is refused");
    assert!(text.contains("'Password'") && !text.contains("CANARY"), "{text}");
    let old = bench.encrypted("Kennwort-1").await;
    assert_eq!(refused(&old).await, None);
    assert_eq!(refused("").await, None, "empty stays empty");
    bench.rotate_key().await;
    let new = bench.encrypted("Kennwort-1").await;
    assert_ne!(new, old);
    assert_eq!((refused(&old).await, refused(&new).await), (None, None), "the last key stays good");
}

#[tokio::test]
async fn a_credential_is_json_inside_the_same_encryption() {
    let bench = start(Options::default()).await;
    let refused = async |credential: String| {
        let (status, text) = bench
            .fails("Get-MailboxPermission", json!({"Identity": "nobody", "Credential": credential}))
            .await;
        (status == 400 && text.contains("cannot be decrypted")).then_some(text)
    };
    let not_json = bench.encrypted("Kennwort-1").await;
    assert!(refused(not_json).await.expect("a refusal").contains("UserName and Password"));
    let good = bench.encrypted(&json!({"UserName": "a@contoso.example", "Password": "x"}).to_string()).await;
    assert_eq!(refused(good).await, None);
}

#[tokio::test]
async fn the_service_document_and_its_metadata_describe_the_action() {
    let bench = start(Options::default()).await;
    let document: Value = bench.get("", None).await.json().await.unwrap();
    assert!(document["@odata.context"].as_str().unwrap().ends_with("/$metadata"));
    assert!(document["value"].is_array());
    let answer = bench.get("$metadata", None).await;
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/xml"));
    let text = answer.text().await.unwrap();
    assert!(text.contains("<Action Name=\"InvokeCommand\">") && text.contains("Namespace=\"Exchange\""));
}
