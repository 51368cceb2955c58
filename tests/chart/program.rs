//! The real program on what is rendered: it takes the jobs, the settings and the arguments.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::helm::{Chart, helms};
use crate::objects::{self, kind};
use crate::value_sets;

/// The ConfigMaps of these objects as files, where a pod would have them mounted.
fn mounted(objects: &[Value], folder: &Path) -> (PathBuf, PathBuf) {
    let (jobs, connections) = (folder.join("jobs"), folder.join("connections"));
    for map in kind(objects, "ConfigMap") {
        let name = map["metadata"]["name"].as_str().unwrap();
        let folder = match name.split_once('.').unwrap().1 {
            "connections" => &connections,
            "dashboard" => continue,
            _ => &jobs,
        };
        std::fs::create_dir_all(folder).unwrap();
        for (key, text) in map["data"].as_object().unwrap() {
            std::fs::write(folder.join(key), text.as_str().unwrap()).unwrap();
        }
    }
    (jobs, connections)
}

/// The variables of a pod that it has in its text, with paths led to `folder`.
fn variables(pod: &Value, folder: &Path) -> BTreeMap<String, String> {
    let env = objects::exorun(pod)["env"].as_array().unwrap();
    env.iter()
        .filter_map(|entry| {
            let value = entry["value"].as_str()?.replace("/etc/exorun", folder.to_str().unwrap());
            Some((entry["name"].as_str().unwrap().to_owned(), value))
        })
        .collect()
}

fn exorun(arguments: &[String], variables: &BTreeMap<String, String>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_exorun")).args(arguments).env_clear().envs(variables).output().unwrap()
}

/// Errors and warnings, if the program had anything to say.
fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap()
}

#[test]
fn check_takes_the_jobs_with_the_settings_of_the_pods() {
    let Some([_, helm]) = helms("chart::check_takes_the_jobs_with_the_settings_of_the_pods") else { return };
    let chart = Chart::copy();
    let mut checked = 0;
    for set in value_sets() {
        let objects = objects::of(&helm.text(&chart, &set));
        let folder = tempfile::tempdir().unwrap();
        let (jobs, connections) = mounted(&objects, folder.path());
        for (object, pod) in objects::pods(&objects) {
            let variables = variables(pod, folder.path());
            assert_eq!(variables["EXORUN_REQUIRE_CONNECTIONS"], "true");
            assert_eq!(variables["EXORUN_PROFILE"], "production");
            if jobs.is_dir() {
                let paths =
                    ["check".to_owned(), jobs.display().to_string(), connections.display().to_string()];
                let output = exorun(&paths, &variables);
                assert!(output.status.success(), "{} {object}: {}", set.display(), said(&output));
                checked += 1;
            }
            // Every variable is one that the program knows, with a value that it takes.
            let output = exorun(&["settings".to_owned()], &variables);
            assert!(output.status.success(), "{} {object}: {}", set.display(), said(&output));
            let settings = said(&output);
            for name in variables.keys() {
                assert!(settings.contains(name.as_str()), "{name} is no variable of the program");
            }
        }
    }
    assert!(checked >= 8, "{checked}");
}

/// What the pod of `helm test` does, outside of a cluster: there are no Leases here, so its slots are files.
#[test]
fn the_pod_of_helm_test_ends_well() {
    let Some([_, helm]) = helms("chart::the_pod_of_helm_test_ends_well") else { return };
    let chart = Chart::copy();
    for set in value_sets() {
        let objects = objects::of(&helm.text(&chart, &set));
        let folder = tempfile::tempdir().unwrap();
        mounted(&objects, folder.path());
        for (_, pod) in objects::pods(&objects).into_iter().filter(|(name, _)| name == "Pod/exorun.test") {
            let mut variables = variables(pod, folder.path());
            let state = folder.path().join("state");
            let output_dir = folder.path().join("output");
            std::fs::create_dir(&output_dir).unwrap();
            variables.insert("EXORUN_STATE_DIR".to_owned(), state.display().to_string());
            variables.insert("EXORUN_OUTPUT_DIR".to_owned(), output_dir.display().to_string());
            variables.remove("EXORUN_VAULT_CA_FILE");
            let arguments: Vec<String> = objects::arguments(pod)
                .into_iter()
                .map(|argument| argument.replace("/etc/exorun", folder.path().to_str().unwrap()))
                .collect();
            let output = exorun(&arguments, &variables);
            assert!(output.status.success(), "{}: {}", set.display(), said(&output));
            assert!(said(&output).contains("EMULATED"), "{}", said(&output));
        }
    }
}

/// The scheduler's pod, outside of a cluster: it serves, and ends well on SIGTERM.
#[test]
fn the_schedulers_pod_serves() {
    let Some([_, helm]) = helms("chart::the_schedulers_pod_serves") else { return };
    let chart = Chart::copy();
    let set = crate::package().join("charts/exorun/ci/scheduler-values.yaml");
    let objects = objects::of(&helm.text(&chart, &set));
    let folder = tempfile::tempdir().unwrap();
    mounted(&objects, folder.path());
    let pods = objects::pods(&objects);
    let (_, pod) = pods.iter().find(|(name, _)| name == "Deployment/exorun").unwrap();
    let mut variables = variables(pod, folder.path());
    assert_eq!(variables["EXORUN_ADMIN_ADDRESS"], "0.0.0.0:9464");
    assert_eq!(variables["EXORUN_HISTORY"], "/var/lib/exorun/history/history.sqlite");
    let here = |name: &str| folder.path().join(name).display().to_string();
    for (name, value) in [
        ("EXORUN_ADMIN_ADDRESS", "127.0.0.1:0".to_owned()),
        ("EXORUN_HISTORY", here("history.sqlite")),
        ("EXORUN_STATE_DIR", here("state")),
        ("EXORUN_OUTPUT_DIR", folder.path().display().to_string()),
    ] {
        variables.insert(name.to_owned(), value);
    }
    let arguments = objects::arguments(pod)
        .into_iter()
        .map(|argument| argument.replace("/etc/exorun", folder.path().to_str().unwrap()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_exorun"))
        .args(arguments)
        .env_clear()
        .envs(&variables)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut said = Vec::new();
    for line in lines {
        if line.contains("serving") && said.iter().all(|earlier: &String| !earlier.contains("serving")) {
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        }
        said.push(line);
    }
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}: {}", said.join("\n"));
    assert!(said.iter().any(|line| line.contains("serving")), "{}", said.join("\n"));
}
