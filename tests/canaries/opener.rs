//! What opens addresses for a person lives on as their browser: it gets the desktop's variables, and no secret.

use exorun::emulator::Options;

use crate::canary::Canary;
use crate::components::has;
use crate::program::{CLIENT_SECRET, ended};
use crate::scene::{Ends, Scene, at_a_terminal};

/// Leaves its environment as it was started with, and its arguments.
const OPENER: &str = "#!/bin/sh\ncat /proc/$$/environ >environment.part && printf '%s' \"$*\" >arguments && \
                      mv environment.part environment\n";

/// Set for the program, and wanted by an opener.
const DESKTOP: [(&str, &str); 6] = [
    ("HOME", "/home/somebody"),
    ("DISPLAY", ":7"),
    ("XAUTHORITY", "/home/somebody/.Xauthority"),
    ("XDG_CURRENT_DESKTOP", "GNOME"),
    ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/1000/bus"),
    ("LC_ALL", "C.UTF-8"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_opener_gets_the_desktops_variables_and_no_secret() {
    use std::os::unix::fs::PermissionsExt as _;
    if !has("python3", "an_opener_gets_the_desktops_variables_and_no_secret") {
        return;
    }
    let mut scene = Scene::new(Ends::Well, Options::default()).await;
    scene.by("{method: browser}");
    scene.canaries.push(Canary::of("the client secret", CLIENT_SECRET));
    scene.variable("CANARY_SECRET", Canary::plain("a client secret in the environment"));
    scene.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", Canary::plain("the request token of a workflow"));
    scene.variable("IDENTITY_HEADER", Canary::plain("the header of a machine"));
    let password = Canary::plain("the password of a proxy");
    scene.variables.push(("https_proxy", format!("http://user:{}@127.0.0.1:1", password.text)));
    scene.canaries.push(password);
    scene.write_job();
    std::fs::create_dir(scene.tenant.path("bin")).unwrap();
    let opener = scene.tenant.path("bin/xdg-open");
    std::fs::write(&opener, OPENER).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    // Nobody signs in: the opener has done its work by then.
    let arguments = ["run", "job.yaml", "--log-level", "trace", "--device-wait", "5s"];
    let mut program = scene.tenant.exorun(&arguments);
    program.envs(scene.variables.iter().map(|(name, value)| (name, value)));
    program.envs(DESKTOP);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(scene.tenant.path("bin")).chain(std::env::split_paths(&path));
    program.env("PATH", std::env::join_paths(folders).unwrap());
    let run = ended(at_a_terminal(&program, &[]).spawn().unwrap()).await;
    run.assert_code(77);
    let environment = std::fs::read(scene.tenant.path("environment")).unwrap();
    scene.clean("the opener's environment", &environment);
    scene.clean("the opener's arguments", &std::fs::read(scene.tenant.path("arguments")).unwrap());
    scene.clean("what the terminal showed", run.stdout.as_bytes());
    let environment = String::from_utf8(environment).unwrap();
    let mut names: Vec<&str> =
        environment.split_terminator('\0').filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    let mut wanted: Vec<&str> = DESKTOP.iter().map(|(name, _)| *name).chain(["PATH"]).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
}
