//! What the restricted profile of the Pod Security Standards asks of a pod, baseline included.
//! Source: Kubernetes' page "Pod Security Standards".

use serde_json::{Value, json};

use crate::objects::containers;

/// Kinds of volumes that the profile permits.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

const SYSCTLS: [&str; 10] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
];

fn permitted(value: &Value, words: &[&str]) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| words.contains(&text))
}

/// Every breach of the profile by a pod's specification.
pub(crate) fn breaches(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut wrong = |broken: bool, what: &str| {
        if broken {
            found.push(what.to_owned());
        }
    };
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        wrong(pod[host] == true, host);
    }
    let volumes = pod["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
    for volume in volumes {
        let kinds = volume.as_object().unwrap().keys().filter(|key| *key != "name");
        wrong(!kinds.clone().all(|kind| VOLUMES.contains(&kind.as_str())), "volumes");
    }
    let whole = &pod["securityContext"];
    let sysctls = whole["sysctls"].as_array().map(Vec::as_slice).unwrap_or_default();
    wrong(!sysctls.iter().all(|sysctl| permitted(&sysctl["name"], &SYSCTLS)), "sysctls");
    for container in containers(pod) {
        let own = &container["securityContext"];
        // What a container does not say, its pod says.
        let said = |key: &str| if own[key].is_null() { &whole[key] } else { &own[key] };
        wrong(own["privileged"] == true, "privileged");
        wrong(own["allowPrivilegeEscalation"] != false, "allowPrivilegeEscalation");
        wrong(said("runAsNonRoot") != true, "runAsNonRoot");
        wrong(said("runAsUser") == 0, "runAsUser");
        wrong(
            !["RuntimeDefault", "Localhost"].iter().any(|kind| said("seccompProfile")["type"] == *kind),
            "seccompProfile",
        );
        let capabilities = &own["capabilities"];
        let list = |key: &str| capabilities[key].as_array().cloned().unwrap_or_default();
        wrong(!list("drop").iter().any(|name| name == "ALL"), "capabilities.drop");
        wrong(!list("add").iter().all(|name| name == "NET_BIND_SERVICE"), "capabilities.add");
        let ports = container["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
        wrong(ports.iter().any(|port| !port["hostPort"].is_null() && port["hostPort"] != 0), "hostPort");
        wrong(!permitted(&own["procMount"], &["Default"]), "procMount");
        wrong(
            !permitted(
                &said("seLinuxOptions")["type"],
                &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"],
            ),
            "seLinuxOptions",
        );
        let options = said("seLinuxOptions");
        wrong(!permitted(&options["user"], &[""]) || !permitted(&options["role"], &[""]), "seLinuxOptions");
        wrong(said("windowsOptions")["hostProcess"] == true, "hostProcess");
        wrong(said("appArmorProfile")["type"] == "Unconfined", "appArmorProfile");
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            wrong(!permitted(&container[probe]["httpGet"]["host"], &[""]), "probe host");
        }
    }
    found
}

/// The checker finds each breach, so that a chart without any says something.
#[test]
fn each_breach_is_found() {
    let good = json!({
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "exorun",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "ports": [{"containerPort": 9464}],
        }],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    });
    assert_eq!(breaches(&good), [""; 0]);
    let container = "/containers/0/securityContext";
    for (place, key, value, breach) in [
        ("", "hostNetwork", json!(true), "hostNetwork"),
        ("", "hostPID", json!(true), "hostPID"),
        ("", "hostIPC", json!(true), "hostIPC"),
        ("/volumes/0", "hostPath", json!({"path": "/"}), "volumes"),
        ("/securityContext", "sysctls", json!([{"name": "kernel.msgmax", "value": "1"}]), "sysctls"),
        ("/securityContext", "runAsNonRoot", json!(false), "runAsNonRoot"),
        ("/securityContext", "runAsUser", json!(0), "runAsUser"),
        ("/securityContext", "seccompProfile", json!({"type": "Unconfined"}), "seccompProfile"),
        ("/securityContext", "seLinuxOptions", json!({"type": "spc_t"}), "seLinuxOptions"),
        ("/securityContext", "windowsOptions", json!({"hostProcess": true}), "hostProcess"),
        ("/securityContext", "appArmorProfile", json!({"type": "Unconfined"}), "appArmorProfile"),
        (container, "privileged", json!(true), "privileged"),
        (container, "allowPrivilegeEscalation", json!(null), "allowPrivilegeEscalation"),
        (container, "runAsNonRoot", json!(false), "runAsNonRoot"),
        (container, "procMount", json!("Unmasked"), "procMount"),
        ("/containers/0/securityContext/capabilities", "drop", json!(["NET_RAW"]), "capabilities.drop"),
        ("/containers/0/securityContext/capabilities", "add", json!(["SYS_ADMIN"]), "capabilities.add"),
        ("/containers/0/ports/0", "hostPort", json!(9464), "hostPort"),
        ("/containers/0", "livenessProbe", json!({"httpGet": {"host": "10.0.0.1"}}), "probe host"),
    ] {
        let mut broken = good.clone();
        broken.pointer_mut(place).unwrap()[key] = value;
        assert_eq!(breaches(&broken), [breach], "{place}/{key}");
    }
}
