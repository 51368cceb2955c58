//! Every cmdlet of the catalog, and the objects of which nothing but parameters is known.

use jiff::Timestamp;

use super::super::cmdlets::{self, Answer, Invocation};
use super::super::directory::{Class, Directory};
use super::super::errors::Failure;
use super::super::mailbox::Tenant;
use super::super::prop::Object;
use super::super::synthesized::{Shape, shape};
use super::*;
use crate::catalog::{self, Required, ValueKind};

fn directory() -> Directory {
    Directory::new(Tenant::new(1, 5, "contoso.onmicrosoft.com"))
}

fn run(directory: &mut Directory, cmdlet: &str, parameters: &Value) -> Result<Answer, Failure> {
    let body = json!({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}).to_string();
    let mut invocation = Invocation::parse(body.as_bytes())?;
    // A few cmdlets are for people only.
    invocation.caller = Some("somebody@contoso.example".to_owned());
    let cmdlet = cmdlets::find(cmdlet).unwrap_or_else(|| panic!("{cmdlet} is there"));
    let wall: Timestamp = "2026-01-31T08:00:00Z".parse().unwrap();
    cmdlets::run(cmdlet, &invocation, directory, 0, wall, None)
}

/// A value that the parameter takes.
fn value(parameter: catalog::Parameter) -> Value {
    let word = parameter.words().next();
    match parameter.kind() {
        ValueKind::Switch | ValueKind::Boolean => json!(true),
        ValueKind::Integer | ValueKind::Number | ValueKind::Unlimited => json!(3),
        ValueKind::Size | ValueKind::UnlimitedSize => json!("5MB"),
        ValueKind::DateTime => json!("2026-01-30T08:00:00"),
        ValueKind::TimeSpan | ValueKind::UnlimitedTimeSpan => json!("3.00:00:00"),
        ValueKind::Guid => json!("6f3f5e1e-3f0c-4d0a-9c52-0c6d9f0f4b11"),
        ValueKind::List => json!([word.unwrap_or("one")]),
        ValueKind::Hashtable => json!({"@odata.type": "#Exchange.GenericHashTable", "a": "b"}),
        ValueKind::HashtableList => json!([{"@odata.type": "#Exchange.GenericHashTable", "a": "b"}]),
        ValueKind::Bytes => json!({"@odata.type": "#Exchange.ByteArrayType", "Data": "AAEC"}),
        ValueKind::String | ValueKind::Enum | ValueKind::Secret | ValueKind::Object => {
            json!(word.unwrap_or("made"))
        }
    }
}

/// What the cmdlet always wants, and nothing else.
fn required(cmdlet: catalog::Cmdlet) -> Value {
    let required = cmdlet.parameters().filter(|parameter| parameter.required() == Required::Always);
    Value::Object(required.map(|parameter| (parameter.name().to_owned(), value(parameter))).collect())
}

/// The cmdlets that the service has, of all that are documented.
fn of_the_service() -> impl Iterator<Item = catalog::Cmdlet> {
    catalog::cmdlets().filter(|cmdlet| cmdlets::find(cmdlet.as_str()).is_some())
}

#[test]
fn every_cmdlet_of_the_catalog_answers_a_call_with_what_it_always_wants() {
    let missing: Vec<&str> = catalog::cmdlets()
        .map(|cmdlet| cmdlet.as_str())
        .filter(|name| cmdlets::find(name).is_none())
        .collect();
    assert!(missing.len() == 13, "only the module's own are not there: {missing:?}");
    let mut synthesized = 0;
    for cmdlet in of_the_service() {
        synthesized += usize::from(cmdlets::find(cmdlet.as_str()).unwrap().is_synthesized());
        if let Err(failure) = run(&mut directory(), cmdlet.as_str(), &required(cmdlet)) {
            assert!(matches!(failure.status, 400 | 404), "{}: {}", cmdlet.as_str(), failure.json());
        }
        let unknown = run(&mut directory(), cmdlet.as_str(), &json!({"NoSuchParameter": 1})).map(|_| ());
        assert!(unknown.is_err_and(|failure| failure.status == 400), "{} takes anything", cmdlet.as_str());
    }
    assert!(synthesized > 500, "{synthesized} are known by their parameters only");
}

fn objects(answer: Result<Answer, Failure>, directory: &Directory) -> Vec<Object> {
    match answer {
        Ok(Answer::Objects(objects)) => objects,
        Ok(Answer::Listing(listing)) => (0..listing.source.len(directory))
            .filter(|index| listing.passes(directory, *index, 0))
            .filter_map(|index| listing.source.read(directory, index, 0))
            .collect(),
        Ok(_) => Vec::new(),
        Err(failure) => panic!("{}", failure.json()),
    }
}

#[test]
fn what_is_synthesized_can_be_made_read_changed_and_removed() {
    let mut nouns: Vec<&str> = of_the_service()
        .filter(|cmdlet| cmdlets::find(cmdlet.as_str()).unwrap().is_synthesized())
        .map(|cmdlet| cmdlet.noun())
        .filter(|noun| matches!(shape(noun), Shape::Made))
        .collect();
    nouns.sort_unstable();
    nouns.dedup();
    let mut through = 0;
    for noun in nouns {
        let cmdlet = |verb: &str| {
            let found = catalog::cmdlet(&format!("{verb}-{noun}"))?;
            cmdlets::find(found.as_str())?.is_synthesized().then_some(found)
        };
        let (Some(new), Some(get), Some(set), Some(remove)) =
            (cmdlet("New"), cmdlet("Get"), cmdlet("Set"), cmdlet("Remove"))
        else {
            continue;
        };
        let mut directory = directory();
        let answer = run(&mut directory, new.as_str(), &required(new));
        let made = objects(answer, &directory);
        assert_eq!(made.len(), 1, "{noun}");
        let identity = made[0].text("Identity").into_owned();
        let naming = |cmdlet: catalog::Cmdlet| {
            let mut parameters = required(cmdlet);
            if cmdlet.parameter("Identity").is_some() {
                parameters["Identity"] = json!(identity);
            }
            parameters
        };
        let read = objects(run(&mut directory, get.as_str(), &naming(get)), &directory);
        assert!(read.iter().any(|object| object.text("Identity") == identity), "{noun}: {identity}");

        let changed = set.parameters().find(|parameter| {
            parameter.required() == Required::No
                && matches!(parameter.kind(), ValueKind::Boolean | ValueKind::String)
                && !["Name", "Confirm", "Identity", "DomainController"].contains(&parameter.name())
                && made[0].get(parameter.name()).is_some()
        });
        if let Some(changed) = changed {
            let mut parameters = naming(set);
            parameters[changed.name()] = value(changed);
            let done = run(&mut directory, set.as_str(), &parameters);
            assert!(done.is_ok(), "{noun}: {}", done.map(|_| ()).unwrap_err().json());
            let read = objects(run(&mut directory, get.as_str(), &naming(get)), &directory);
            let shown = read
                .iter()
                .find(|object| object.text("Identity") == identity)
                .unwrap()
                .text(changed.name())
                .into_owned();
            assert!(shown == "True" || shown == "made", "{noun} {}: {shown}", changed.name());
        }
        let removed = run(&mut directory, remove.as_str(), &naming(remove));
        assert!(removed.is_ok(), "{noun}: {}", removed.map(|_| ()).unwrap_err().json());
        match run(&mut directory, get.as_str(), &naming(get)) {
            Err(failure) => assert_eq!(failure.status, 404, "{noun}: {}", failure.json()),
            gone => {
                let shown = objects(gone, &directory);
                assert!(
                    shown.iter().all(|object| object.text("Identity") != identity),
                    "{noun} is still there"
                );
            }
        }
        through += 1;
    }
    assert!(through > 50, "{through} nouns went all the way");
}

#[test]
fn entries_are_added_once_and_removed_once() {
    let mut through = 0;
    for add in of_the_service().filter(|cmdlet| cmdlet.as_str().starts_with("Add-")) {
        let noun = add.noun();
        let cmdlet = |verb: &str| catalog::cmdlet(&format!("{verb}-{noun}"));
        let synthesized = cmdlets::find(add.as_str()).unwrap().is_synthesized();
        let (true, Some(get), Some(remove)) = (synthesized, cmdlet("Get"), cmdlet("Remove")) else {
            continue;
        };
        if shape(noun) != Shape::Added || !cmdlets::find(get.as_str()).unwrap().is_synthesized() {
            continue;
        }
        let mut entry = required(add);
        if add.parameter("Identity").is_some() {
            entry["Identity"] = json!("made");
        }
        let mut directory = directory();
        let shown = |directory: &mut Directory| {
            let answer = run(directory, get.as_str(), &required(get));
            objects(answer, directory).len()
        };
        let answer = run(&mut directory, add.as_str(), &entry);
        let added = objects(answer, &directory);
        assert_eq!(added.len(), 1, "{noun}");
        assert_eq!(shown(&mut directory), 1, "{noun}");
        let again = run(&mut directory, add.as_str(), &entry).map(|_| ());
        assert!(again.is_err_and(|failure| failure.status == 400), "{noun} twice");
        let mut naming = required(remove);
        if remove.parameter("Identity").is_some() {
            naming["Identity"] = json!(added[0].text("Identity"));
        }
        let removed = run(&mut directory, remove.as_str(), &naming);
        assert!(removed.is_ok(), "{noun}: {}", removed.map(|_| ()).unwrap_err().json());
        assert_eq!(shown(&mut directory), 0, "{noun}");
        let again = run(&mut directory, remove.as_str(), &naming).map(|_| ());
        assert!(again.is_err_and(|failure| failure.status == 404), "{noun} is gone");
        through += 1;
    }
    assert!(through > 3, "{through} nouns have entries");
}

#[test]
fn each_mailbox_has_settings_of_its_own() {
    let mut directory = directory();
    let id = |index| directory_id(index);
    let set = json!({"Identity": id(1), "ReminderSoundEnabled": true, "WorkDays": "Weekdays"});
    assert!(run(&mut directory, "Set-MailboxCalendarConfiguration", &set).is_ok());
    let shown = |directory: &mut Directory, index| {
        let answer = run(directory, "Get-MailboxCalendarConfiguration", &json!({"Identity": id(index)}));
        objects(answer, directory)[0].text("ReminderSoundEnabled").into_owned()
    };
    assert_eq!((shown(&mut directory, 1), shown(&mut directory, 2)), ("True".to_owned(), "False".to_owned()));
    let nobody = run(&mut directory, "Get-MailboxCalendarConfiguration", &json!({"Identity": "nobody"}));
    assert!(nobody.is_err_and(|failure| failure.status == 404));
}

fn directory_id(index: u64) -> String {
    directory().current(Class::Mailbox, index).text("Guid").into_owned()
}

#[tokio::test]
async fn what_is_synthesized_says_so_and_does_not_claim_what_it_did_not_do() {
    let bench = start(Options::default()).await;
    let mark =
        |answer: &Response| answer.headers().get("x-exorun-synthesized").is_some_and(|mark| mark == "1");
    assert!(mark(
        &bench.send("New-OrganizationRelationship", json!({"Name": "x", "DomainNames": ["x.example"]})).await
    ));
    assert!(
        mark(&bench.send("Get-OrganizationRelationship", json!({"Identity": "y"})).await),
        "a refusal says so too"
    );
    assert!(!mark(&bench.send("Get-TransportRule", json!({})).await), "more is known of this one");
    assert!(!mark(&bench.send("Get-Mailbox", json!({"ResultSize": 1})).await));
    let done = bench.call("Start-MigrationBatch", json!({"Identity": "b", "Confirm": false})).await;
    assert!(done["@adminapi.warnings"][0].as_str().unwrap().contains("nothing was done"), "{done}");
    let failure = bench
        .fails(
            "New-OrganizationRelationship",
            json!({"Name": "z", "DomainNames": ["z.example"], "FreeBusyAccessLevel": "Some"}),
        )
        .await;
    assert!(failure.0 == 400 && failure.1.contains("AvailabilityOnly"), "{failure:?}");
}
