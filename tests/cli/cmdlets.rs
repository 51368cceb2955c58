//! `exorun cmdlets`: the catalog, for people and for programs.

use std::path::Path;

use exorun::catalog::ensured::{can_be_ensured, pair};
use exorun::catalog::{self, Required};
use exorun::spec;
use serde_json::{Value, json};

use super::program::{Ended, Tenant, ended};

async fn cmdlets(tenant: &Tenant, arguments: &[&str]) -> Ended {
    tenant.said(&[&["cmdlets"], arguments].concat(), &[]).await
}

async fn page(tenant: &Tenant, arguments: &[&str]) -> String {
    let run = cmdlets(tenant, arguments).await;
    run.assert_code(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_listed_and_patterns_choose() {
    let tenant = Tenant::with(1, &[]).await;
    let all = page(&tenant, &[]).await;
    assert_eq!(all.lines().count(), 941);
    assert_eq!(page(&tenant, &["*"]).await, all);
    assert!(all.lines().all(|line| line.chars().count() <= 80));
    insta::assert_snapshot!(
        page(&tenant, &["*-casmailbox*"]).await + &page(&tenant, &["*-connection*"]).await
    );
    let compliance = page(&tenant, &["--service", "SecurityCompliance"]).await;
    assert!(compliance.lines().all(|line| line.contains("scc")));
    assert_eq!(compliance.lines().count(), all.lines().filter(|line| line.contains("scc")).count());
    assert_eq!(page(&tenant, &["--service", "scc"]).await, compliance);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_what_a_writer_of_a_job_needs() {
    let tenant = Tenant::with(1, &[]).await;
    for (name, snapshot) in [
        ("set-accepteddomain", "a_pair"),
        ("GET-EXOCASMAILBOX", "sent_as_another"),
        ("Get-CASMailbox", "parameters_that_act"),
        ("Get-ConnectionInformation", "no_step"),
    ] {
        insta::assert_snapshot!(snapshot, page(&tenant, &[name]).await);
    }
    for found in catalog::cmdlets().step_by(20).chain(catalog::cmdlet("New-TransportRule")) {
        let page = page(&tenant, &[found.as_str()]).await;
        let widest = page.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(120), "{page}");
        for parameter in found.parameters() {
            assert!(page.contains(&format!("\n| {} ", parameter.name())), "{page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_refused_with_what_is_near() {
    let tenant = Tenant::with(1, &[]).await;
    let mut said = String::new();
    for arguments in [
        &["Get-Mailbxo"][..],
        &["mailboxstatistics"],
        &["xyzzy"],
        &["xyzzy*", "--json"],
        &["*-compliancesearch", "--service", "ExchangeOnline"],
        &["Get-ComplianceSearch", "--service", "ExchangeOnline"],
        &["a\n\u{1b}[31merror"],
    ] {
        let run = cmdlets(&tenant, arguments).await;
        run.assert_code(64);
        assert_eq!(run.stdout, "");
        said.push_str(&run.stderr);
    }
    insta::assert_snapshot!(said);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_every_cmdlet_and_parameter() {
    let tenant = Tenant::with(1, &[]).await;
    let list: Vec<Value> = serde_json::from_str(&page(&tenant, &["--json"]).await).unwrap();
    assert_eq!(list.len(), 941);
    assert!(list.iter().all(|object| object.get("parameters").is_none()));
    for (object, cmdlet) in list.iter().zip(catalog::cmdlets()) {
        assert_eq!(object["name"], cmdlet.as_str());
        assert_eq!(object["only_reads"], cmdlet.is_read());
    }
    let of = |name: &str| list.iter().find(|object| object["name"] == name).unwrap();
    assert_eq!(
        (&of("Set-CASMailbox")["ensure"], &of("New-Mailbox")["ensure"]),
        (&json!("CASMailbox"), &Value::Null)
    );
    let no_steps = list.iter().filter(|object| object["step"] == false).map(|object| &object["name"]);
    assert_eq!(
        no_steps.collect::<Vec<_>>(),
        [
            "Connect-ExchangeOnline",
            "Connect-IPPSSession",
            "Disconnect-ExchangeOnline",
            "Get-ConnectionInformation"
        ]
    );

    // A process for each would take long; that all pages are JSON is seen beside their code.
    for cmdlet in catalog::cmdlets().step_by(15).chain(catalog::cmdlet("Get-CASMailbox")) {
        let one: Value = serde_json::from_str(&page(&tenant, &[cmdlet.as_str(), "--json"]).await).unwrap();
        let mut summary = one.clone();
        let parameters = summary.as_object_mut().unwrap().remove("parameters").unwrap();
        assert_eq!(&summary, of(cmdlet.as_str()));
        let parameters = parameters.as_array().unwrap();
        assert_eq!(parameters.len(), cmdlet.parameters().len());
        for (object, parameter) in parameters.iter().zip(cmdlet.parameters()) {
            assert_eq!(
                (&object["name"], &object["type"]),
                (&json!(parameter.name()), &json!(parameter.type_name()))
            );
            assert_eq!(object["value"], parameter.kind().expects());
        }
    }
}

/// Whether a step can say `ensure: NOUN`, as the list says it.
fn is_ensured(noun: &str) -> bool {
    pair(noun).is_some_and(|(get, set)| can_be_ensured(get, set))
}

#[test]
fn a_noun_is_ensured_exactly_if_the_checker_takes_it() {
    let mut ensured = 0;
    for set in catalog::cmdlets().filter(|cmdlet| cmdlet.as_str().starts_with("Set-")) {
        let service = set.services().next().unwrap();
        let chooses =
            |cmdlet: &str| catalog::cmdlet(cmdlet).is_some_and(|found| found.parameter("Identity").is_some());
        let identity = if chooses(set.as_str()) && chooses(&format!("Get-{}", set.noun())) {
            "identity: x\n    "
        } else {
            ""
        };
        // Everything that is needed is declared, with a value that may be wrong: only what is said of `ensure` counts.
        let needed = set
            .parameters()
            .filter(|parameter| parameter.required() == Required::Always && parameter.name() != "Identity");
        let properties: String = needed.map(|parameter| format!("      {}: x\n", parameter.name())).collect();
        let job = format!(
            "version: 1\nname: x\ntenant: contoso.onmicrosoft.com\nauth: {{method: device}}\nservice: {}\nsteps:\n  \
             - name: a\n    ensure: {}\n    {identity}properties:\n{properties}",
            service.as_str(),
            set.noun()
        );
        let checked = spec::check_text(Path::new("job.yaml"), &job);
        let words = [
            "nothing can be ensured",
            "also needs",
            "cannot be read one by one",
            "cannot be compared",
            "not supported",
        ];
        let refused =
            checked.problems.iter().any(|problem| words.iter().any(|word| problem.title().contains(word)));
        assert_eq!(is_ensured(set.noun()), !refused, "{job}\n{}", checked.problems);
        ensured += usize::from(!refused);
    }
    assert!(ensured > 100, "{ensured}");
    assert!(!is_ensured("EXOMailbox") && is_ensured("casmailbox"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_fine_and_a_full_disk_is_not() {
    let tenant = Tenant::with(1, &[]).await;
    for (script, code) in
        [("exec \"$@\" >/dev/full", 1), ("{ \"$@\" || echo \"$?\" >code; } | true; test ! -e code", 0)]
    {
        let run = ended(tenant.by_shell(script, &["cmdlets"]).spawn().unwrap()).await;
        run.assert_code(code);
    }
}
