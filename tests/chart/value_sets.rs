//! Six value sets, each linted, rendered and judged, by Helm 3 and by Helm 4.

use std::process::Command;

use serde_json::Value;

use crate::helm::{Chart, helms};
use crate::objects::{self, kind, name};
use crate::{pod_security, value_sets};

/// What Kubernetes itself has no form of: the Prometheus operator's.
fn is_an_operators(object: &Value) -> bool {
    object["apiVersion"] == "monitoring.coreos.com/v1"
}

#[test]
fn every_set_is_what_kubernetes_takes() {
    let Some(helms) = helms("chart::every_set_is_what_kubernetes_takes") else { return };
    let chart = Chart::copy();
    // As it comes, too, so that others may build upon it.
    for helm in helms {
        let lint = helm.lint(&chart, &chart.values("{}"));
        assert!(lint.status.success(), "{}: {}", helm.0, String::from_utf8_lossy(&lint.stdout));
    }
    for set in value_sets() {
        let mut rendered = Vec::new();
        for helm in helms {
            let lint = helm.lint(&chart, &set);
            assert!(lint.status.success(), "{}: {}", helm.0, String::from_utf8_lossy(&lint.stdout));
            rendered.push(helm.text(&chart, &set));
        }
        let [by_three, by_four] = [0, 1].map(|index| objects::of(&rendered[index]));
        let names = |objects: &[Value]| objects.iter().map(name).collect::<Vec<_>>();
        assert_eq!(names(&by_three), names(&by_four), "{}", set.display());
        assert_eq!(by_three, by_four, "Helm 3 and Helm 4 differ");

        // kubernetes-validate passes over a file whose name it does not like, so it says what it looked at.
        let file = chart.path().join("../rendered.yaml");
        std::fs::write(&file, &rendered[1]).unwrap();
        let judged = Command::new("kubernetes-validate").args(["--strict"]).arg(&file).output().unwrap();
        let said = String::from_utf8([judged.stdout, judged.stderr].concat()).unwrap();
        assert!(judged.status.success(), "{}: {said}", set.display());
        let passed = said.lines().filter(|line| line.contains("passed for resource")).count();
        let own = by_four.iter().filter(|object| !is_an_operators(object)).count();
        assert_eq!(passed, own, "{}: {said}", set.display());
    }
}

#[test]
fn every_pod_keeps_to_the_restricted_profile() {
    let Some([_, helm]) = helms("chart::every_pod_keeps_to_the_restricted_profile") else { return };
    let chart = Chart::copy();
    for set in value_sets() {
        let objects = objects::of(&helm.text(&chart, &set));
        let pods = objects::pods(&objects);
        assert!(!pods.is_empty(), "{}", set.display());
        for (object, pod) in pods {
            assert_eq!(pod_security::breaches(pod), [""; 0], "{}: {object}", set.display());
            // Beyond the profile: nothing is written to the image, and the grace is longer than ours.
            let exorun = objects::exorun(pod);
            assert_eq!(exorun["securityContext"]["readOnlyRootFilesystem"], true);
            assert!(pod["terminationGracePeriodSeconds"].as_i64().unwrap() > 40);
        }
    }
    // The check is no formality: a chart that forgets one line of it is noticed.
    let template = chart.path().join("templates/_pod.tpl");
    let text = std::fs::read_to_string(&template).unwrap();
    let broken = text.replace("  allowPrivilegeEscalation: false\n", "");
    assert_ne!(text, broken);
    std::fs::write(&template, broken).unwrap();
    for set in value_sets() {
        let objects = objects::of(&helm.text(&chart, &set));
        let pods = objects::pods(&objects);
        assert!(pods.iter().all(|(_, pod)| !pod_security::breaches(pod).is_empty()), "{}", set.display());
    }
}

#[test]
fn only_the_pod_of_helm_test_is_emulated() {
    let Some([_, helm]) = helms("chart::only_the_pod_of_helm_test_is_emulated") else { return };
    let chart = Chart::copy();
    let mut tests = 0;
    for set in value_sets() {
        let objects = objects::of(&helm.text(&chart, &set));
        for (object, pod) in objects::pods(&objects) {
            let emulated = objects::arguments(pod).contains(&"--emulate".to_owned());
            assert_eq!(emulated, object == "Pod/exorun.test", "{}: {object}", set.display());
            tests += usize::from(emulated);
        }
    }
    assert_eq!(tests, 4, "the sets whose jobs Helm can read");
}

/// The service account may do what slots need, and nothing else.
#[test]
fn the_rights_are_those_to_leases() {
    let Some([_, helm]) = helms("chart::the_rights_are_those_to_leases") else { return };
    let chart = Chart::copy();
    for set in value_sets() {
        let objects = objects::of(&helm.text(&chart, &set));
        for role in kind(&objects, "Role") {
            assert_eq!(
                role["rules"],
                serde_json::json!([{
                    "apiGroups": ["coordination.k8s.io"],
                    "resources": ["leases"],
                    "verbs": ["create", "get", "list", "update", "delete"],
                }])
            );
        }
        assert!(kind(&objects, "ClusterRole").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_api_server_takes_every_object() {
    let test = "chart::a_real_api_server_takes_every_object";
    let Some([_, helm]) = helms(test) else { return };
    if !crate::components::has("kubectl", test) {
        return;
    }
    let Some(api) = crate::real_api::given(test).await else { return };
    let chart = Chart::copy();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, &api.kubeconfig).unwrap();
    for set in value_sets() {
        // Into one namespace, because a dry run makes none.
        let objects: Vec<Value> = objects::of(&helm.text(&chart, &set))
            .into_iter()
            .filter(|object| !is_an_operators(object))
            .map(|mut object| {
                object["metadata"]["namespace"] = Value::String(api.namespace.clone());
                object
            })
            .collect();
        let file = folder.path().join("objects.json");
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
        std::fs::write(&file, list.to_string()).unwrap();
        let output = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["apply", "--dry-run=server", "--filename"])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{}: {said}", set.display());
        assert!(!said.contains("Warning"), "{}: {said}", set.display());
    }
}
