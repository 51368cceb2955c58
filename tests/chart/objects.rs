//! Rendered text as objects, and the pods among them.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The objects of a YAML stream. It is read by the library of kubernetes-validate, which is not ours.
pub(crate) fn of(text: &str) -> Vec<Value> {
    const READ: &str = "import json, sys, yaml\n\
        loader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)\n\
        json.dump([o for o in yaml.load_all(sys.stdin, loader) if o], sys.stdout, default=str)";
    let path = std::env::var_os("PATH").unwrap();
    let python = std::env::split_paths(&path)
        .find(|folder| folder.join("kubernetes-validate").is_file())
        .expect("kubernetes-validate is in PATH")
        .join("python3");
    let mut child =
        Command::new(python).args(["-c", READ]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The objects of this kind.
pub(crate) fn kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// An object as `Kind/name`.
pub(crate) fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// Every specification of a pod, with the object that it is part of.
pub(crate) fn pods(objects: &[Value]) -> Vec<(String, &Value)> {
    let places = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];
    objects
        .iter()
        .filter_map(|object| {
            let spec = match object["kind"].as_str() {
                Some("Pod") => object.get("spec"),
                _ => places.iter().find_map(|place| object.pointer(place)),
            };
            spec.map(|spec| (name(object), spec))
        })
        .collect()
}

/// The containers of a pod, those before the start too.
pub(crate) fn containers(pod: &Value) -> Vec<&Value> {
    ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .filter_map(|list| pod[list].as_array())
        .flatten()
        .collect()
}

/// The container that runs exorun.
pub(crate) fn exorun(pod: &Value) -> &Value {
    containers(pod).into_iter().find(|container| container["name"] == "exorun").unwrap()
}

/// Its arguments.
pub(crate) fn arguments(pod: &Value) -> Vec<String> {
    let arguments = exorun(pod)["args"].as_array().unwrap();
    arguments.iter().map(|argument| argument.as_str().unwrap().to_owned()).collect()
}
