//! Three hundred jobs.

use std::fmt::Write;

use serde_json::Value;

use crate::helm::{Chart, helms};
use crate::objects::{self, kind};

const JOBS: usize = 300;
/// What a ConfigMap holds at most, and Kubernetes counts keys too.
const MEBIBYTE: usize = 1_048_576;

/// A job of a good 8 KiB, most of it description.
fn job(index: usize) -> String {
    format!(
        "version: 1\nname: job-{index:03}\ndescription: {}\nconnection: contoso\nschedules: [{{cron: '{} 3 * * *', time_zone: UTC}}]\n\
         steps: [{{name: domains, cmdlet: Get-AcceptedDomain}}]\n",
        "ä ".repeat(2800),
        index % 60,
    )
}

fn size(map: &Value) -> usize {
    map["data"].as_object().unwrap().iter().map(|(key, text)| key.len() + text.as_str().unwrap().len()).sum()
}

#[test]
fn three_hundred_jobs_fill_several_config_maps() {
    let Some(helms) = helms("chart::three_hundred_jobs_fill_several_config_maps") else { return };
    let chart = Chart::copy();
    let mut values = String::from("connectionsConfigMap: {name: connections}\njobs:\n");
    for index in 0..JOBS {
        let indented = job(index).lines().map(|line| format!("      {line}\n")).collect::<String>();
        write!(values, "  job-{index:03}:\n    spec: |\n{indented}").unwrap();
    }
    for helm in helms {
        let objects = helm.objects(&chart, &values);
        let maps: Vec<_> = kind(&objects, "ConfigMap");
        assert_eq!(maps.len(), 3, "300 jobs of 8.5 KB");
        assert!(maps.iter().all(|map| size(map) < MEBIBYTE), "{:?}", maps.iter().map(|map| size(map)));
        let files: usize = maps.iter().map(|map| map["data"].as_object().unwrap().len()).sum();
        assert_eq!(files, JOBS);
        let jobs = kind(&objects, "CronJob");
        assert_eq!(jobs.len(), JOBS);
        for job in jobs {
            // The file is in the ConfigMap that the pod mounts.
            let volume = &job.pointer("/spec/jobTemplate/spec/template/spec/volumes/0/configMap").unwrap();
            let map = maps.iter().find(|map| map["metadata"]["name"] == volume["name"]).unwrap();
            let key = volume["items"][0]["key"].as_str().unwrap();
            assert!(map["data"][key].is_string(), "{key}");
        }
        let objects = helm.objects(&chart, &format!("mode: scheduler\n{values}"));
        let (_, pod) =
            objects::pods(&objects).into_iter().find(|(name, _)| name == "Deployment/exorun").unwrap();
        let sources = pod["volumes"][0]["projected"]["sources"].as_array().unwrap();
        assert_eq!(sources.len(), 3, "a scheduler sees all of them in one folder");
    }
}

#[test]
fn a_file_that_no_config_map_holds_is_refused() {
    let Some(helms) = helms("chart::a_file_that_no_config_map_holds_is_refused") else { return };
    let chart = Chart::copy();
    std::fs::write(chart.path().join("ci/jobs/large.yaml"), "# much\n".repeat(150_000)).unwrap();
    let values = "jobFiles: ci/jobs/*.yaml\nconnectionsConfigMap: {name: connections}\n";
    for helm in helms {
        let why = helm.refusal(&chart, values);
        let says = "ci/jobs/large.yaml has 1050010 bytes, a ConfigMap takes 1000000: split it, or use mode scheduler with gitSync";
        assert!(why.contains(says), "{why}");
    }
}
