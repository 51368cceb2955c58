//! Two users of different uid share the slots of a folder that is their group's.

use std::os::unix::fs::chown;
use std::process::Child;

use super::*;

const GROUP: u32 = 23_000;
const USERS: [u32; 2] = [23_001, 23_002];

/// The child of `super::child_that_holds_a_slot`, as another user.
fn child_of(user: u32, program: &Path, dir: &Path) -> (Child, impl Iterator<Item = String>) {
    let id = user.to_string();
    let mut child = Command::new("setpriv")
        .args(["--reuid", &id, "--regid", &id, "--groups", &GROUP.to_string()])
        .arg(program)
        .args(["--exact", "child_that_holds_a_slot", "--nocapture"])
        .env(CHILD_DIR, dir)
        .current_dir("/")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    (child, lines.filter(|line| line == "holding" || line.starts_with("busy")))
}

#[test]
fn users_of_a_group_share_a_folder_that_is_the_groups() {
    const TEST: &str = "users_of_a_group_share_a_folder_that_is_the_groups";
    if !components::has("setpriv", TEST) {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        components::show(TEST, "only root can run processes of two users");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // Other users cannot reach the folder that this program was built in.
    let program = dir.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let sessions = dir.path().join("sessions");
    std::fs::create_dir(&sessions).unwrap();
    chown(&sessions, None, Some(GROUP)).unwrap();
    std::fs::set_permissions(&sessions, std::fs::Permissions::from_mode(0o2770)).unwrap();

    let (mut first, mut said) = child_of(USERS[0], &program, dir.path());
    assert_eq!(said.next().as_deref(), Some("holding"));
    let (mut second, mut says) = child_of(USERS[1], &program, dir.path());
    assert_eq!(says.next().as_deref(), Some("busy: 1 held, 0 quarantined"));
    first.kill().unwrap();
    first.wait().unwrap();
    // It quarantines what the other has left, and takes it when that is over.
    assert_eq!(says.next().as_deref(), Some("holding"));
    second.kill().unwrap();
    second.wait().unwrap();
    for entry in std::fs::read_dir(folder(dir.path())).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o660, "{}", path.display());
    }
}
