//! The checker and the schema know the same keys, cmdlets, nouns and parameters: each asked by itself.

use std::collections::BTreeSet;
use std::path::Path;

use exorun::catalog::{Service, cmdlet, cmdlets};
use exorun::spec;
use serde_json::Value;

/// Where each map of the form stands: `HERE` is replaced by `KEY: x` lines at its indentation.
const PLACES: [(&str, &str); 19] = [
    ("Job", "HERE"),
    ("Limits", "limits:\n  HERE"),
    ("Schedule", "schedules:\n  - HERE"),
    ("Dst", "schedules:\n  - cron: '0 2 * * *'\n    dst:\n      HERE"),
    ("RunPolicy", "run_policy:\n  HERE"),
    ("Blackout", "run_policy:\n  blackout:\n    - HERE"),
    ("Input", "inputs:\n  x:\n    HERE"),
    ("Auth", "auth:\n  HERE"),
    ("Credential", "auth:\n  method: client_secret\n  credential:\n    HERE"),
    ("Vault", "auth:\n  method: client_secret\n  credential:\n    vault:\n      HERE"),
    ("Transit", "auth:\n  method: transit\n  transit:\n    HERE"),
    ("Step", "steps:\n  - HERE"),
    ("Retry", "steps:\n  - retry:\n      HERE"),
    ("Output", "steps:\n  - output:\n      HERE"),
    (
        "PSCredential",
        "steps:\n  - cmdlet: New-MigrationEndpoint\n    parameters:\n      Credentials:\n        HERE",
    ),
    (
        "Bytes",
        "steps:\n  - cmdlet: New-ClassificationRuleCollection\n    parameters:\n      FileData:\n        HERE",
    ),
    ("Connections", "kind: Connections\nHERE"),
    ("Connection", "kind: Connections\nconnections:\n  x:\n    HERE"),
    ("PermittedJobs", "kind: Connections\nconnections:\n  x:\n    jobs:\n      - HERE"),
];

/// What the checker says where a secret stands in a place of references.
const SECRET: &str = "a secret is written into the file";

fn titles(text: &str) -> Vec<String> {
    let checked = spec::check_text(Path::new("x.yaml"), text);
    checked.problems.iter().map(|problem| problem.title()).collect()
}

fn keys(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().into_iter().flat_map(|keys| keys.keys().cloned()).collect()
}

#[test]
fn the_schema_has_the_keys_that_the_checker_takes() {
    let schema = spec::schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let is_of_the_form = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase()) && !name.contains('-') && name != "Catalog"
    };
    let objects: BTreeSet<&str> =
        definitions.keys().map(String::as_str).filter(|name| is_of_the_form(name)).collect();
    assert_eq!(objects, PLACES.iter().map(|(name, _)| *name).collect(), "each map has its place above");
    // A key that one of the maps has is tried in all of them.
    let everything: BTreeSet<String> =
        objects.iter().flat_map(|name| keys(&definitions[*name])).chain(["nothing".to_owned()]).collect();
    for (name, place) in PLACES {
        assert_eq!(definitions[name]["additionalProperties"], false, "{name}");
        let known = keys(&definitions[name]);
        for key in &everything {
            // With `connections` the document is no job any more.
            let decides = (name == "Connections" && key == "kind") || (name == "Job" && key == "connections");
            if decides || place.contains(&format!("{key}: ")) {
                continue;
            }
            let refused = titles(&place.replace("HERE", &format!("{key}: x")))
                .iter()
                .any(|title| title.contains(&format!("has no key `{key}`")) || title.contains(SECRET));
            assert_eq!(!refused, known.contains(key), "`{key}` in {name}");
        }
    }
}

/// The definition that a step with this cmdlet or noun meets, found by following the conditions.
fn met<'a>(schema: &'a Value, key: &str, name: &str) -> Option<&'a Value> {
    let definitions = &schema["$defs"];
    let position = if key == "cmdlet" { 0 } else { 1 };
    let mut at = &definitions["Catalog"]["allOf"][position]["then"];
    while let Some(conditions) = at["allOf"].as_array() {
        let mut fits = conditions.iter().filter(|condition| {
            let pattern = condition["if"]["properties"][key]["pattern"].as_str().unwrap();
            regex::Regex::new(pattern).unwrap().is_match(name)
        });
        let next = fits.next()?;
        assert!(fits.next().is_none(), "{name} meets two conditions");
        at = &definitions[next["then"]["$ref"].as_str().unwrap().trim_start_matches("#/$defs/")];
    }
    Some(at)
}

fn set(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The names that the checker refuses among those of a step's map.
fn refused_names(text: &str) -> BTreeSet<String> {
    let refusals =
        ["has no parameter", "is not supported", "cannot be given in a job", "is not supported by this"];
    let mut refused = BTreeSet::new();
    for title in titles(text) {
        let named = title.split('`').skip(1).step_by(2);
        if refusals.iter().any(|refusal| title.contains(refusal)) || title.contains("which is not supported")
        {
            refused.extend(named.map(str::to_owned));
        }
    }
    refused
}

#[test]
fn the_schema_has_the_cmdlets_and_parameters_that_the_checker_takes() {
    let schema = spec::schema();
    let names = set(&schema["$defs"]["Catalog"]["properties"]["cmdlet"]["enum"]);
    let mut parameters = 0;
    for known in cmdlets() {
        let name = known.as_str();
        // A parameter may be missing in one of the cmdlet's services; in which one, only the checker knows.
        let lines: String = known
            .parameters()
            .map(|parameter| format!("      {}: ${{{{ run.id }}}}\n", parameter.name()))
            .collect();
        let text = format!("steps:\n  - cmdlet: {name}\n    parameters:\n      Nothing: x\n{lines}");
        let refused = refused_names(&text);
        let Some(definition) = met(&schema, "cmdlet", name) else {
            assert!(!names.contains(name));
            assert!(titles(&text).iter().any(|title| title.contains("is not a step")), "{name}");
            continue;
        };
        assert!(names.contains(name), "{name}");
        let map = &definition["properties"]["parameters"];
        assert_eq!(map["additionalProperties"], false);
        let in_schema = keys(map);
        for parameter in known.parameters() {
            let takes = !refused.contains(parameter.name());
            assert_eq!(
                in_schema.contains(parameter.name()),
                takes,
                "{} of {name}: {refused:?}",
                parameter.name()
            );
            parameters += usize::from(takes);
        }
        assert!(in_schema.iter().all(|key| known.parameter(key).is_some_and(|found| found.name() == key)));
        // What is always needed.
        let service = known.services().next().unwrap_or(Service::ExchangeOnline).as_str();
        let bare = titles(&format!("service: {service}\nsteps:\n  - cmdlet: {name}\n"));
        let needed = |title: &String| {
            Some(title.split_once("needs the parameter `")?.1.trim_end_matches('`').to_owned())
        };
        let needed: BTreeSet<String> = bare.iter().filter_map(needed).collect();
        let required = set(&map["required"]);
        assert!(required.is_subset(&needed), "{name}: {required:?} {needed:?}");
        assert_eq!(required.is_empty(), definition["required"].is_null(), "{name}");
    }
    assert!(names.len() > 930 && parameters > 7_000, "{} cmdlets, {parameters} parameters", names.len());
}

#[test]
fn the_schema_has_the_nouns_that_the_checker_takes() {
    let schema = spec::schema();
    let names = set(&schema["$defs"]["Catalog"]["properties"]["ensure"]["enum"]);
    assert!(names.len() > 150, "{}", names.len());
    for writing in cmdlets().filter(|cmdlet| cmdlet.as_str().starts_with("Set-")) {
        let noun = writing.noun();
        let Some(definition) = met(&schema, "ensure", noun) else {
            assert!(!names.contains(noun), "{noun}");
            let refused = titles(&format!(
                "steps:\n  - ensure: {noun}\n    identity: x\n    properties:\n      X: x\n"
            ));
            let why = ["nothing can be ensured", "also needs", "cannot be read one by one"];
            assert!(
                refused.iter().any(|title| why.iter().any(|why| title.contains(why))),
                "{noun}: {refused:?}"
            );
            continue;
        };
        assert!(names.contains(noun) && cmdlet(&format!("Get-{noun}")).is_some(), "{noun}");
        let takes_identity = definition["properties"]["identity"] != false;
        let required: String = set(&definition["properties"]["properties"]["required"])
            .iter()
            .map(|name| format!("      {name}: ${{{{ run.id }}}}\n"))
            .collect();
        let head = format!("steps:\n  - ensure: {noun}\n    identity: x\n    properties:\n{required}");
        let text = format!("{head}      Nothing: x\n");
        let refuses_identity = titles(&text).iter().any(|title| title.contains("takes no identity"));
        assert_eq!(takes_identity, !refuses_identity, "{noun}");
        let held = keys(&definition["properties"]["properties"]);
        assert!(!held.contains("Identity") && !held.contains("Confirm"), "{noun}");
        for parameter in writing.parameters().filter(|parameter| parameter.name() != "Identity") {
            let name = parameter.name();
            let text = format!("{head}      {name}: ${{{{ run.id }}}}\n");
            let why = ["says how to write", "cannot be compared", "cannot be given", "not supported"];
            let refused = titles(&text).iter().any(|title| {
                title.contains(&format!("`{name}`")) && why.iter().any(|why| title.contains(why))
            });
            assert_eq!(held.contains(name), !refused, "{name} of {noun}: {:?}", titles(&text));
        }
    }
}

/// Whether the checker takes `value` for a password.
fn is_taken(value: &str) -> bool {
    let job = format!(
        "version: 1\nname: x\nconnection: c\nsteps:\n  - name: a\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: x\n      \
         Password: {value}\n"
    );
    !spec::check_text(Path::new("x.yaml"), &job).problems.has_errors()
}

#[test]
fn the_schema_and_the_checker_take_the_same_calls_of_secret() {
    let schema = spec::schema();
    let pattern =
        schema["$defs"]["PSCredential"]["properties"]["password"]["anyOf"][1]["pattern"].as_str().unwrap();
    let pattern = regex::Regex::new(pattern).unwrap();
    for (value, expected) in [
        ("${{ secret(\"kv/exo/contoso#password\") }}", true),
        ("${{secret('kv/a#b')}}", true),
        ("${{ secret(\"kv/a\") }}", false),
        ("${{ secret(\"kv#b\") }}", false),
        ("${{ secret('kv/a#b') | lower }}", false),
        ("${{ secret(inputs.path) }}", false),
        ("x ${{ secret('kv/a#b') }}", false),
        ("secret('kv/a#b')", false),
    ] {
        assert_eq!((pattern.is_match(value), is_taken(value)), (expected, expected), "{value}");
    }
}
