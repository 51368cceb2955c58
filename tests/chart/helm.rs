//! Helm, and a copy of the chart.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::components::has;
use crate::folder::copy;
use crate::{objects, package};

pub(crate) const VERSIONS: [&str; 2] = ["helm3", "helm4"];

/// A copy that a test may change.
pub(crate) struct Chart {
    folder: tempfile::TempDir,
}

/// Both versions of Helm, or the skip is shown.
pub(crate) fn helms(test: &str) -> Option<[Helm; 2]> {
    let there = VERSIONS.iter().all(|version| has(version, test)) && has("kubernetes-validate", test);
    there.then(|| VERSIONS.map(Helm))
}

#[derive(Clone, Copy)]
pub(crate) struct Helm(pub(crate) &'static str);

impl Chart {
    pub(crate) fn copy() -> Chart {
        let chart = Chart { folder: tempfile::tempdir().unwrap() };
        copy(&package().join("charts/exorun"), &chart.path());
        chart
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("exorun")
    }

    /// A file beside the chart, which is no part of it.
    pub(crate) fn values(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("values.yaml");
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Helm {
    fn run(self, chart: &Chart, arguments: &[&str], values: &Path) -> Output {
        Command::new(self.0)
            .args(arguments)
            .arg(chart.path())
            .arg("--values")
            .arg(values)
            .env("HELM_CACHE_HOME", chart.folder.path().join("helm"))
            .env("HELM_CONFIG_HOME", chart.folder.path().join("helm"))
            .env("HELM_DATA_HOME", chart.folder.path().join("helm"))
            .output()
            .unwrap()
    }

    pub(crate) fn lint(self, chart: &Chart, values: &Path) -> Output {
        self.run(chart, &["lint", "--strict"], values)
    }

    pub(crate) fn template(self, chart: &Chart, values: &Path) -> Output {
        self.run(chart, &["template", "exorun", "--namespace", "exchange"], values)
    }

    /// What is rendered, as text.
    pub(crate) fn text(self, chart: &Chart, values: &Path) -> String {
        let output = self.template(chart, values);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {}: {errors}", self.0, values.display());
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is rendered of these values, as objects.
    pub(crate) fn objects(self, chart: &Chart, values: &str) -> Vec<serde_json::Value> {
        objects::of(&self.text(chart, &chart.values(values)))
    }

    /// Why these values are refused.
    pub(crate) fn refusal(self, chart: &Chart, values: &str) -> String {
        let output = self.template(chart, &chart.values(values));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{} renders {values}", self.0);
        errors
    }
}
