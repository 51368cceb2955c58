//! 4.1 of the protocol reference: reads by `GET`, as the `Get-EXO*` cmdlets send them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

impl Bench {
    /// A read below the tenant's address: status and JSON.
    async fn read(&self, what: &str) -> (u16, Value) {
        let url = self.url().replace("InvokeCommand", what);
        let answer =
            self.client.get(url).bearer_auth(&self.token).header("connection-id", "c1").send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn values(&self, what: &str) -> Vec<Value> {
        let (status, body) = self.read(what).await;
        assert_eq!(status, 200, "{body}");
        body["value"].as_array().unwrap().clone()
    }

    async fn some_mailbox(&self) -> Value {
        self.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0].clone()
    }
}

#[tokio::test]
async fn sets_show_typed_entities_with_the_smallest_property_set() {
    let bench = start(Options::default()).await;
    let (status, body) = bench.read("Mailbox").await;
    assert_eq!(status, 200);
    assert!(body["@odata.context"].as_str().unwrap().ends_with("/$metadata#Mailbox"));
    let first = body["value"][0].as_object().unwrap();
    assert!(first.contains_key("UserPrincipalName") && !first.contains_key("ProhibitSendQuota"));
    assert!(first.keys().all(|name| !name.contains('@')), "no annotations: {first:?}");
    assert_eq!(body["value"].as_array().unwrap().len(), 50);
    for (set, cmdlet) in
        [("CasMailbox", "Get-CASMailbox"), ("Recipient", "Get-Recipient"), ("User", "Get-User")]
    {
        let classic = bench.call(cmdlet, json!({"ResultSize": "Unlimited"})).await;
        let classic = classic["value"].as_array().unwrap().len();
        assert!(classic >= 50 && bench.values(set).await.len() == classic, "{set}");
    }
    assert!(bench.values("CasMailbox").await[0]["PopEnabled"].is_boolean());
}

#[tokio::test]
async fn property_sets_and_select_add_up() {
    let bench = start(Options::default()).await;
    let quota = &bench.values("Mailbox?$top=1&PropertySet=Minimum,Quota&$select=Office").await[0];
    for name in ["Alias", "ProhibitSendQuota", "Office"] {
        assert!(quota.get(name).is_some(), "{name}");
    }
    let selected = &bench.values("Mailbox?$top=1&$select=guid").await[0];
    assert_eq!(selected.as_object().unwrap().len(), 1);
    let all = &bench.values("Mailbox?$top=1&PropertySet=All").await[0];
    assert!(all.as_object().unwrap().len() > 40);
    assert_eq!(bench.read("Mailbox?PropertySet=Nonsense").await.0, 400);
}

#[tokio::test]
async fn one_entity_is_found_by_its_key_plain_or_encoded() {
    let bench = start(Options::default()).await;
    let mailbox = bench.some_mailbox().await;
    let address = mailbox["PrimarySmtpAddress"].as_str().unwrap();
    let encoded = STANDARD.encode(address).replace('+', "%2B").replace('/', "%2F");
    for what in [format!("Mailbox('{address}')"), format!("mailbox('{encoded}')?isEncoded=true")] {
        let (status, found) = bench.read(&what).await;
        assert_eq!((status, &found["Guid"]), (200, &mailbox["Guid"]), "{what}");
        assert!(found["@odata.context"].as_str().unwrap().ends_with("#Mailbox/$entity"));
    }
    assert_eq!(bench.read("Mailbox('nobody')").await.0, 404);
    assert_eq!(bench.read("Mailbox('%25')?isEncoded=true").await.0, 400);
    let permissions = bench.values(&format!("Mailbox('{address}')/MailboxPermission")).await;
    assert!(permissions.iter().any(|entry| entry["User"] == "NT AUTHORITY\\SELF"));
    let statistics = bench.values(&format!("Mailbox('{address}')/Exchange.GetMailboxStatistics()")).await;
    assert!(statistics[0]["ItemCount"].is_number());
}

#[tokio::test]
async fn filters_are_the_services_and_the_rest_is_refused_by_name() {
    let bench = start(Options::default()).await;
    let shared = bench.values("Mailbox?$filter=RecipientTypeDetails%20eq%20'SharedMailbox'").await;
    let both = "Mailbox?$filter=RecipientTypeDetails%20eq%20'SharedMailbox'%20or%20RecipientTypeDetails%20eq%20'UserMailbox'";
    assert!(!shared.is_empty() && shared.iter().all(|one| one["RecipientTypeDetails"] == "SharedMailbox"));
    assert!(bench.values(both).await.len() > shared.len());
    for beyond in ["Mailbox?$filter=ItemCount%20gt%201", "Mailbox?$orderby=Name", "Mailbox?$count=true"] {
        let (status, body) = bench.read(beyond).await;
        assert!(status == 501 && body.to_string().contains("not emulated"), "{beyond}: {body}");
    }
    assert_eq!(bench.read("Mailbox?$filter=NoSuchThing%20eq%201").await.0, 400);
}

#[tokio::test]
async fn pages_are_followed_by_get() {
    let bench = start(Options::default()).await;
    let mut url = bench.url().replace("InvokeCommand", "Mailbox?$select=Guid");
    let (mut sizes, mut cookie) = (Vec::new(), None);
    loop {
        let mut request =
            bench.client.get(&url).bearer_auth(&bench.token).header("prefer", "odata.maxpagesize=20");
        if let Some(cookie) = &cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        let set = answer.headers().get("set-cookie").map(|set| set.to_str().unwrap().to_owned());
        cookie = cookie.or(set.map(|set| set.split(';').next().unwrap().to_owned()));
        let page: Value = answer.json().await.unwrap();
        sizes.push(page["value"].as_array().unwrap().len());
        match page["@odata.nextLink"].as_str() {
            Some(link) => url = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(sizes, [20, 20, 10]);
    // The last link, with another question: it was made for the first one.
    let other = url.replace("Mailbox?", "Mailbox?$filter=RecipientTypeDetails%20eq%20'SharedMailbox'&");
    let request = bench.client.get(other).bearer_auth(&bench.token).header("cookie", cookie.unwrap());
    assert_eq!(request.send().await.unwrap().status(), 400);
    let top = bench.values("Mailbox?$top=7").await;
    assert_eq!(top.len(), 7);
}

#[tokio::test]
async fn roles_and_methods_hold_here_too() {
    let roles = vec![format!("{CLIENT_ID}=ComplianceAdministrator").parse().unwrap()];
    let bench = start(Options { roles, plan: Plan::Eop, ..Options::default() }).await;
    let (status, body) = bench.read("Mailbox").await;
    assert_eq!((status, &body["error"]["message"]), (401, &json!("User is not allowed to call Get-Mailbox")));
    let url = bench.url().replace("InvokeCommand", "Recipient");
    assert_eq!(bench.client.post(url).bearer_auth(&bench.token).send().await.unwrap().status(), 405);
}
