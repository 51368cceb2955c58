//! Faults, as a client meets them.

use super::*;

async fn status(bench: &Bench) -> u16 {
    bench.send("Get-TransportConfig", json!({})).await.status().as_u16()
}

#[tokio::test]
async fn statuses_bodies_and_headers() {
    let bench = faulty(&[
        "429:nth=1:retry_after=0.5",
        "503:nth=2",
        "html502:nth=3",
        "500:nth=4:exception=DCOverloadedException",
        "401:nth=5",
        "nul403:nth=6",
        "truncate:nth=7",
        "errors:nth=8:text=one is missing",
    ])
    .await;
    let throttled = bench.send("Get-TransportConfig", json!({})).await;
    assert_eq!((throttled.status().as_u16(), &throttled.headers()["retry-after"] == "0.5"), (429, true));
    assert!(throttled.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(status(&bench).await, 503);
    let html = bench.send("Get-TransportConfig", json!({})).await;
    assert_eq!((html.status().as_u16(), &html.headers()["content-type"] == "text/html"), (502, true));
    let (code, text) = bench.fails("Get-TransportConfig", json!({})).await;
    assert!(code == 500 && text.contains(".DCOverloadedException|"), "{text}");
    assert_eq!(status(&bench).await, 401);
    assert_eq!(status(&bench).await, 403);
    let cut = bench.send("Get-TransportConfig", json!({})).await;
    assert_eq!(cut.status(), 200);
    assert!(cut.json::<Value>().await.is_err(), "the JSON ends half way");
    assert_eq!(
        bench.call("Get-TransportConfig", json!({})).await["@adminapi.errors"],
        json!(["one is missing"])
    );
    assert_eq!(status(&bench).await, 200);
}

#[tokio::test]
async fn a_reset_after_the_commit_leaves_the_change() {
    let bench = faulty(&["reset_after_commit:cmdlet=Set-TransportConfig:nth=1"]).await;
    let set = json!({"ClearCategories": false});
    assert!(bench.request(&bench.url(), "Set-TransportConfig", &set).send().await.is_err());
    assert_eq!(bench.call("Get-TransportConfig", json!({})).await["value"][0]["ClearCategories"], false);
}

#[tokio::test]
async fn reads_are_stale_for_a_while_after_a_write() {
    let bench = faulty(&["stale:seconds=0.3"]).await;
    bench.call("Set-TransportConfig", json!({"ClearCategories": false})).await;
    assert_eq!(bench.call("Get-TransportConfig", json!({})).await["value"][0]["ClearCategories"], true);
    Options::default().clocks.sleep(Duration::from_millis(350)).await;
    assert_eq!(bench.call("Get-TransportConfig", json!({})).await["value"][0]["ClearCategories"], false);
}

#[tokio::test]
async fn the_control_endpoint_changes_faults_and_refuses_pages_from_elsewhere() {
    let bench = start(Options::default()).await;
    let url = format!("{}/faults", bench.emulator.control_url());
    let post = async |body: Value| {
        let answer = bench.client.post(&url).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(post(json!({"add": ["503:count=1"]})).await.0, 200);
    assert_eq!((status(&bench).await, status(&bench).await), (503, 200));
    let (code, text) = post(json!({"replace": ["503", "nonsense"]})).await;
    assert!(code == 400 && text.contains("there is no kind `nonsense`"), "{text}");
    assert_eq!(status(&bench).await, 200, "a bad list changes nothing");
    for bad in [json!({}), json!([]), json!({"add": "503"}), json!({"clear": false}), json!({"add": [7]})] {
        assert_eq!(post(bad).await.0, 400);
    }
    assert_eq!(post(json!({"replace": ["503"]})).await.0, 200);
    assert_eq!(status(&bench).await, 503);
    assert_eq!(post(json!({"clear": true})).await.0, 200);
    assert_eq!(status(&bench).await, 200);
    let state = format!("{}/state", bench.emulator.control_url());
    let foreign = bench.client.get(&state).header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    for path in ["nothing", "../state", "device/", "%2e%2e/ca.pem"] {
        let url = format!("{}/{path}", bench.emulator.control_url());
        let code = bench.client.post(url).send().await.unwrap().status().as_u16();
        assert!((400..500).contains(&code), "{path}: {code}");
    }
}

#[tokio::test]
async fn the_sign_in_service_has_faults_too() {
    let bench = faulty(&["503:at=token:nth=2:retry_after=1", "429:at=token:nth=3"]).await;
    for expected in [503, 429, 401] {
        let form = [("grant_type", "client_credentials"), ("client_id", CLIENT_ID)];
        assert_eq!(sign_in(&bench.emulator, &bench.client, &form).await.status(), expected);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let bench = start(Options::default()).await;
    let body = vec![b' '; 5 << 20];
    let answer = bench.client.post(bench.url()).bearer_auth(&bench.token).body(body).send().await;
    assert!(answer.is_err() || answer.unwrap().status() == 413);
    assert_eq!(status(&bench).await, 200);
}

#[tokio::test]
async fn a_slow_answer_can_come_before_or_after_the_commit() {
    let bench = faulty(&["slow:ms=60000:nth=1", "slow_after_commit:ms=60000:nth=3"]).await;
    let clears =
        async || bench.call("Get-TransportConfig", json!({})).await["value"][0]["ClearCategories"].clone();
    for expected in [true, false] {
        let set = bench.request(&bench.url(), "Set-TransportConfig", &json!({"ClearCategories": false}));
        assert!(set.timeout(Duration::from_millis(800)).send().await.is_err());
        assert_eq!(clears().await, expected);
    }
}

#[tokio::test]
async fn latency_is_changed_while_it_runs() {
    let bench = start(Options::default()).await;
    let url = format!("{}/latency", bench.emulator.control_url());
    assert_eq!(bench.client.post(&url).body("60000").send().await.unwrap().status(), 200);
    let late = bench.request(&bench.url(), "Get-TransportConfig", &json!({}));
    assert!(late.timeout(Duration::from_millis(200)).send().await.is_err());
    assert_eq!(bench.client.post(&url).body("soon").send().await.unwrap().status(), 400);
    assert_eq!(bench.client.post(&url).body("0").send().await.unwrap().status(), 200);
    assert_eq!(status(&bench).await, 200);
}
