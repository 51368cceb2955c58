//! What deploy/ has for clusters: the plain manifest, and the layouts of Argo CD and Flux.

use std::path::Path;

use serde_json::Value;

use crate::helm::{Chart, helms};
use crate::objects::{kind, name, of, pods};
use crate::pod_security::breaches;
use crate::read;

const ONE_JOB: &str = "deploy/kubernetes/cronjob.yaml";

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Names of the objects of a kind that pods mount, and the objects that the files make.
fn names(objects: &[Value], of_kind: &str) -> Vec<String> {
    kind(objects, of_kind).iter().map(|object| text(&object["metadata"]["name"]).to_owned()).collect()
}

#[test]
fn the_plain_manifest_is_valid_confined_and_whole() {
    if helms("the_plain_manifest_is_valid_confined_and_whole").is_none() {
        return;
    }
    let judged =
        std::process::Command::new("kubernetes-validate").args(["--strict", ONE_JOB]).output().unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
    let objects = of(&read(ONE_JOB));
    let pods = pods(&objects);
    assert_eq!(pods.len(), 1);
    for (name, pod) in pods {
        assert_eq!(breaches(pod), [""; 0], "{name}");
        let mounted = pod["volumes"].as_array().unwrap().iter();
        let mut maps: Vec<&str> = mounted.filter_map(|volume| volume["configMap"]["name"].as_str()).collect();
        maps.sort_unstable();
        assert_eq!(maps, names(&objects, "ConfigMap"), "what is mounted is there");
        assert_eq!(pod["serviceAccountName"], kind(&objects, "ServiceAccount")[0]["metadata"]["name"]);
    }
    // When it runs stands in the job, and once more in the manifest, where nobody fails if they differ.
    let cron_job = &kind(&objects, "CronJob")[0]["spec"];
    let jobs = objects.iter().find(|object| name(object) == "ConfigMap/exorun.jobs").unwrap();
    let job = &of(text(&jobs["data"]["mailbox-domains.yaml"]))[0];
    assert_eq!(job["schedules"][0]["cron"], cron_job["schedule"]);
    assert_eq!(job["schedules"][0]["time_zone"], cron_job["timeZone"]);
}

#[test]
fn argo_cd_renders_the_chart_with_the_values_beside_the_jobs() {
    let Some(helms) = helms("argo_cd_renders_the_chart_with_the_values_beside_the_jobs") else { return };
    let application = &of(&read("deploy/argo-cd/application.yaml"))[0];
    let sources = application["spec"]["sources"].as_array().unwrap();
    assert!(Path::new(text(&sources[0]["path"])).join("Chart.yaml").is_file());
    let beside = format!("${}/", text(&sources[1]["ref"]));
    let values = text(&sources[0]["helm"]["valueFiles"][0]).strip_prefix(&beside).unwrap();
    let values = read(&format!("deploy/argo-cd/{values}"));
    // The jobs that are served come from the same repository.
    assert_eq!(of(&values)[0]["gitSync"]["repo"], sources[1]["repoURL"]);
    for helm in helms {
        let objects = helm.objects(&Chart::copy(), &values);
        assert_eq!(kind(&objects, "Deployment").len(), 1, "{}", helm.0);
    }
}

#[test]
fn flux_mounts_the_config_map_that_it_makes() {
    let Some(helms) = helms("flux_mounts_the_config_map_that_it_makes") else { return };
    let made = &of(&read("deploy/flux/kustomization.yaml"))[0];
    for resource in made["resources"]
        .as_array()
        .unwrap()
        .iter()
        .chain(made["configMapGenerator"][0]["files"].as_array().unwrap())
    {
        assert!(Path::new("deploy/flux").join(text(resource)).is_file(), "{resource}");
    }
    let release = &of(&read("deploy/flux/release.yaml"))[0]["spec"];
    let chart = &of(&read("deploy/flux/chart.yaml"))[0];
    assert_eq!(release["chart"]["spec"]["sourceRef"]["name"], chart["metadata"]["name"]);
    assert!(Path::new(text(&release["chart"]["spec"]["chart"])).join("Chart.yaml").is_file());
    assert_eq!(release["values"]["existingConfigMap"], made["configMapGenerator"][0]["name"]);
    for helm in helms {
        // JSON is YAML.
        let objects = helm.objects(&Chart::copy(), &release["values"].to_string());
        assert_eq!(kind(&objects, "Deployment").len(), 1, "{}", helm.0);
    }
}
