//! Section 9 of the protocol reference, "Batch": at most ten, ids out of order, mixed statuses; and 3.12.

use super::*;

impl Bench {
    fn batch_url(&self) -> String {
        self.url().replace("InvokeCommand", "$batch")
    }

    /// A member with its own headers.
    fn member(&self, id: &str, cmdlet: &str, parameters: Value) -> Value {
        json!({
            "id": id,
            "method": "POST",
            "url": self.url(),
            "headers": {"X-AnchorMailbox": APP, "Content-Type": "application/json"},
            "body": {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}},
        })
    }

    async fn batch(&self, prefer: &str, members: &[Value]) -> reqwest::Result<Response> {
        let request =
            self.client.post(self.batch_url()).bearer_auth(&self.token).header("connection-id", "c1");
        request.header("prefer", prefer).json(&json!({"requests": members})).send().await
    }

    /// The answers of a batch that goes on after errors, as they came.
    async fn answers(&self, members: &[Value]) -> Vec<Value> {
        let answer = self.batch(GO_ON, members).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["responses"].as_array().unwrap().clone()
    }
}

const GO_ON: &str = "odata.continue-on-error";

fn of<'a>(answers: &'a [Value], id: &str) -> &'a Value {
    answers.iter().find(|answer| answer["id"] == id).expect("an answer to each id")
}

#[tokio::test]
async fn ten_members_have_their_own_statuses_in_another_order_and_eleven_are_refused() {
    let bench = start(Options::default()).await;
    let mut members: Vec<Value> =
        (0..8).map(|n| bench.member(&n.to_string(), "Get-TransportConfig", json!({}))).collect();
    members.push(bench.member("gone", "Get-Mailbox", json!({"Identity": "nobody"})));
    members.push(bench.member("unknown", "Get-Nothing", json!({})));
    let answers = bench.answers(&members).await;
    let ids =
        |all: &[Value]| all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_ne!(ids(&answers), ids(&members), "nobody may count on the order");
    assert_eq!(
        (of(&answers, "0")["status"].as_u64(), of(&answers, "gone")["status"].as_u64()),
        (Some(200), Some(404))
    );
    assert_eq!(of(&answers, "0")["body"]["value"].as_array().unwrap().len(), 1);
    assert!(of(&answers, "0")["headers"]["request-id"].is_string());
    assert_eq!(of(&answers, "gone")["body"]["error"]["code"], "NotFound");
    assert_eq!(of(&answers, "unknown")["status"], 403);
    members.push(bench.member("eleventh", "Get-TransportConfig", json!({})));
    assert_eq!(bench.batch(GO_ON, &members).await.unwrap().status(), 400);
    assert_eq!(bench.batch(GO_ON, &[]).await.unwrap().status(), 400);
    assert_eq!(bench.emulator.counters().sessions.opened, 1, "a batch is one session");
}

#[tokio::test]
async fn without_continue_on_error_what_follows_a_failure_is_not_done() {
    let bench = start(Options::default()).await;
    let members = [
        bench.member("first", "Get-TransportConfig", json!({})),
        bench.member("fails", "Get-Mailbox", json!({"Identity": "nobody"})),
        bench.member("write", "Set-TransportConfig", json!({"ClearCategories": false})),
    ];
    let body: Value = bench.batch("", &members).await.unwrap().json().await.unwrap();
    let answers = body["responses"].as_array().unwrap().clone();
    let status = |id: &str| of(&answers, id)["status"].as_u64().unwrap();
    assert_eq!((status("first"), status("fails"), status("write")), (200, 404, 424));
    assert_eq!(bench.emulator.counters().changed_objects, 0);
    let answers = bench.answers(&members).await;
    assert_eq!(of(&answers, "write")["status"], 200);
    assert_eq!(bench.emulator.counters().changed_objects, 1);
}

#[tokio::test]
async fn a_members_next_page_comes_by_itself_and_in_a_batch() {
    let bench = start(Options::default()).await;
    let mut member = bench.member("pages", "Get-Mailbox", json!({"ResultSize": "Unlimited"}));
    member["headers"]["Prefer"] = json!("odata.maxpagesize=20;odata.continue-on-error");
    let answer = bench.batch(GO_ON, &[member.clone()]).await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    let first = &body["responses"][0];
    assert_eq!(first["headers"]["preference-applied"], "odata.maxpagesize=20");
    assert_eq!(first["headers"]["set-cookie"], Value::Null, "the cookie is the batch's");
    let link = first["body"]["@odata.nextLink"].as_str().unwrap();
    let page = bench
        .request(link, "Get-Mailbox", &json!({"ResultSize": "Unlimited"}))
        .header("prefer", "odata.maxpagesize=20")
        .header("cookie", &cookie);
    let second: Value = page.send().await.unwrap().json().await.unwrap();
    assert_eq!(second["value"].as_array().unwrap().len(), 20);
    member["url"] = second["@odata.nextLink"].clone();
    let request =
        bench.client.post(bench.batch_url()).bearer_auth(&bench.token).header("connection-id", "c1");
    let body = json!({"requests": [member]});
    let third: Value =
        request.header("cookie", &cookie).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(third["responses"][0]["body"]["value"].as_array().unwrap().len(), 10, "{third}");
}

#[tokio::test]
async fn a_member_that_is_no_cmdlet_of_this_tenant_is_refused_alone() {
    let bench = start(Options::default()).await;
    let good = bench.member("good", "Get-TransportConfig", json!({}));
    let with_url = |id: &str, url: String| {
        let mut member = bench.member(id, "Get-TransportConfig", json!({}));
        member["url"] = json!(url);
        member
    };
    let members = [
        good.clone(),
        with_url("batch", bench.batch_url()),
        with_url("module", bench.url().replace("InvokeCommand", "EXOModuleFile")),
        with_url("tenant", bench.url().replace(&bench.emulator.tenant_id().to_string(), "other.example")),
        with_url("junk", "not a url".to_owned()),
    ];
    let answers = bench.answers(&members).await;
    for id in ["batch", "module", "tenant", "junk"] {
        assert_eq!(of(&answers, id)["status"], 400, "{id}");
    }
    assert_eq!(of(&answers, "good")["status"], 200);
    assert_eq!(bench.batch(GO_ON, &[good.clone(), good]).await.unwrap().status(), 400, "an id twice");
}

#[tokio::test]
async fn a_member_needs_its_own_anchor_and_a_good_token() {
    let bench = start(Options::default()).await;
    let mut bare = bench.member("bare", "Set-TransportConfig", json!({"ClearCategories": false}));
    bare["headers"] = json!({});
    let mut foreign = bench.member("foreign", "Get-TransportConfig", json!({}));
    foreign["headers"]["Authorization"] = json!("Bearer CANARY");
    let answers = bench.answers(&[bare, foreign]).await;
    assert_eq!(of(&answers, "bare")["status"], 403);
    assert_eq!(of(&answers, "foreign")["status"], 401);
    assert!(of(&answers, "foreign")["headers"]["www-authenticate"].is_string());
    let records = bench.emulator.requests();
    assert!(!records.to_string().contains("CANARY"), "a member's token is not kept");
    let members: Vec<&Value> =
        records.as_array().unwrap().iter().filter(|record| record["batch"].is_u64()).collect();
    assert_eq!((members.len(), &members[0]["what"]), (2, &json!("Set-TransportConfig")));
    assert_eq!(members[0]["headers"]["connection-id"], "c1", "the batch's, as the member has none");
}

#[tokio::test]
async fn faults_meet_members_one_by_one_and_a_reset_cuts_the_whole_batch() {
    let bench = faulty(&["429:nth=2:retry_after=0.5", "503:cmdlet=$batch:nth=2"]).await;
    let members: Vec<Value> =
        (0..3).map(|n| bench.member(&n.to_string(), "Get-TransportConfig", json!({}))).collect();
    let answers = bench.answers(&members).await;
    assert_eq!(of(&answers, "1")["status"], 429);
    assert_eq!(of(&answers, "1")["headers"]["retry-after"], "0.5");
    assert!(of(&answers, "1")["body"].is_string(), "plain text");
    assert_eq!(
        (of(&answers, "0")["status"].as_u64(), of(&answers, "2")["status"].as_u64()),
        (Some(200), Some(200))
    );
    assert_eq!(bench.batch(GO_ON, &members).await.unwrap().status(), 503, "the batch as a whole");
    let bench = faulty(&["reset_after_commit:cmdlet=Set-TransportConfig:nth=1"]).await;
    let write = bench.member("write", "Set-TransportConfig", json!({"ClearCategories": false}));
    assert!(bench.batch(GO_ON, &[write]).await.is_err());
    assert_eq!(bench.emulator.counters().changed_objects, 1);
}
