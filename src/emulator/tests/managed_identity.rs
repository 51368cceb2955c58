//! The managed identity of a machine and of App Service.

use super::signin::claims;
use super::*;

const RESOURCE: &str = "resource=https://outlook.office365.com/";

/// Status and JSON of a request.
async fn ask(emulator: &Emulator, url: &str, header: Option<(&str, &str)>) -> (u16, Value) {
    let mut request = client(emulator).get(url);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_metadata_service_demands_its_header_and_answers_in_strings() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let path = "metadata/identity/oauth2/token?api-version=2018-02-01";
    let metadata = Some(("Metadata", "true"));
    for at in [emulator.identity_endpoint(), emulator.login_endpoint()] {
        let (status, answer) = ask(&emulator, &format!("{at}/{path}&{RESOURCE}&client_id="), metadata).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["expires_in"], "3599", "a string");
        let expires_on: i64 = answer["expires_on"].as_str().expect("a string").parse().unwrap();
        let token = claims(&answer["access_token"]);
        assert_eq!(token["exp"], expires_on);
        assert_eq!(token["aud"], "https://outlook.office365.com");
        assert_eq!(token["appid"], MANAGED_IDENTITY_CLIENT_ID);
        assert_eq!(
            (answer["token_type"].as_str(), answer["resource"].as_str()),
            (Some("Bearer"), Some("https://outlook.office365.com/"))
        );
        assert_eq!(answer["client_id"], MANAGED_IDENTITY_CLIENT_ID);
    }
    let at = format!("{}/{path}", emulator.identity_endpoint());
    for (url, header, error) in [
        (format!("{at}&{RESOURCE}"), None, "invalid_request"),
        (format!("{at}&{RESOURCE}"), Some(("Metadata", "false")), "invalid_request"),
        (at.clone(), metadata, "invalid_request"),
        (format!("{at}&{RESOURCE}&client_id={CLIENT_ID}"), metadata, "invalid_request"),
        (format!("{at}&{RESOURCE}&msi_res_id=/other"), metadata, "invalid_request"),
        (at.replace("2018-02-01", "2019-08-01") + "&" + RESOURCE, metadata, "invalid_request"),
        (format!("{at}&resource=https://127.0.0.1/"), metadata, "invalid_resource"),
    ] {
        let (status, answer) = ask(&emulator, &url, header).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some(error)), "{url}");
        assert!(answer["error_description"].is_string() && answer["access_token"].is_null());
    }
}

#[tokio::test]
async fn app_service_demands_its_identity_header() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let url = format!("{}/msi/token?api-version=2019-08-01&{RESOURCE}", emulator.identity_endpoint());
    let header = emulator.identity_header();
    let (status, answer) = ask(&emulator, &url, Some(("X-IDENTITY-HEADER", &header))).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["expires_on"].is_string());
    for wrong in [None, Some(("X-IDENTITY-HEADER", "wrong")), Some(("Metadata", "true"))] {
        let (status, answer) = ask(&emulator, &url, wrong).await;
        assert_eq!((status, answer["statusCode"].as_u64()), (403, Some(403)), "{wrong:?}");
        assert!(answer["message"].is_string());
    }
    for name in ["client_id", "principal_id", "object_id", "mi_res_id"] {
        let other = format!("{url}&{name}={CLIENT_ID}");
        let (status, answer) = ask(&emulator, &other, Some(("X-IDENTITY-HEADER", &header))).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some("invalid_request")), "{name}");
    }
    assert!(!emulator.requests().to_string().contains(&header), "a secret is in the record");
}

#[tokio::test]
async fn its_token_opens_exchange_and_faults_meet_it() {
    let mut bench = start(Options::default()).await;
    let at = bench.emulator.identity_endpoint();
    let url = format!("{at}/metadata/identity/oauth2/token?api-version=2018-02-01&{RESOURCE}");
    let (_, answer) = ask(&bench.emulator, &url, Some(("Metadata", "true"))).await;
    bench.token = answer["access_token"].as_str().unwrap().to_owned();
    bench.call("Get-OrganizationConfig", json!({})).await;
    assert_eq!(
        super::signin::control(&bench.emulator, "faults", r#"{"add": ["429:at=token:count=1"]}"#).await,
        200
    );
    let metadata = Some(("Metadata", "true"));
    assert_eq!(ask(&bench.emulator, &url, metadata).await.0, 429);
    assert_eq!(ask(&bench.emulator, &url, metadata).await.0, 200);
}
