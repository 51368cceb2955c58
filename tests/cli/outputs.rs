//! Files a run writes: whole or not at all, where they can be written, and said so where they cannot.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use tokio::process::Command;

use super::program::{Ended, Tenant, ended, shipped};
use super::{HARDENING, components, some_mailboxes};

const NOBODY: &str = "65534";

fn listing_to(path: &Path) -> String {
    format!(
        "  - name: all\n    cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: Unlimited\n    output:\n      \
         path: {}\n      format: ndjson\n",
        path.display()
    )
}

/// The program behind a shell's `prelude`, with the same environment.
async fn in_shell(tenant: &Tenant, prelude: &str, arguments: &[&str]) -> Ended {
    let program = tenant.exorun(arguments);
    let program = program.as_std();
    let mut shell = Command::new("bash");
    shell
        .args(["-c", &format!("{prelude}; exec \"$@\""), "bash"])
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .current_dir(program.get_current_dir().unwrap())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    ended(shell.spawn().unwrap()).await
}

/// Nobody signed in, and no session was opened.
fn assert_nothing_connected(tenant: &Tenant) {
    assert_eq!(tenant.recorded("token").len(), 0);
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
}

/// Nothing half-written is left beside the files.
fn assert_no_litter(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.starts_with('.'), "{name} was left in {}", folder.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_the_place_of_a_file_is_told_before_anything_connects() {
    let tenant = Tenant::with(10, &[]).await;
    std::fs::create_dir(tenant.path("there")).unwrap();
    let run = tenant.run(&tenant.job("", &listing_to(&tenant.path("there"))), &[]).await;
    run.assert_code(64);
    assert!(run.stdout.contains("there: is a folder; name a file in it"), "{}", run.stdout);
    assert_nothing_connected(&tenant);

    let there = tenant.path("there");
    for flag in ["--report", "--metrics-file"] {
        let run = tenant.run(&tenant.job("", &some_mailboxes(1)), &[flag, there.to_str().unwrap()]).await;
        run.assert_code(1);
        assert!(run.stderr.contains("ERROR") && run.stderr.contains("/there: "), "{}", run.stderr);
        assert!(there.is_dir());
    }
    assert_no_litter(tenant.folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_the_run_and_the_sessions_are_closed() {
    let tenant = Tenant::with(50, &[]).await;
    let output = tenant.path("all.ndjson");
    std::fs::write(&output, "of yesterday").unwrap();
    let job = tenant.job("", &listing_to(&output));
    // A limit of the size of files stands for the disk; the signal that comes with it must not end the process.
    let run = in_shell(&tenant, "ulimit -f 16", &["run", job.to_str().unwrap()]).await;
    run.assert_code(1);
    assert!(run.stdout.contains("all.ndjson: File too large"), "{}\n{}", run.stdout, run.stderr);
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "of yesterday");
    tenant.assert_all_closed();
    assert_no_litter(tenant.folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_or_a_pipe_is_written_to_and_not_replaced() {
    // Through links: were a device in /dev replaced by a file, the machine would suffer.
    let tenant = Tenant::with(10, &[]).await;
    for flag in ["--report", "--metrics-file"] {
        let link = tenant.path("full");
        std::os::unix::fs::symlink("/dev/full", &link).unwrap();
        let run = tenant.run(&tenant.job("", &some_mailboxes(1)), &[flag, "full"]).await;
        run.assert_code(1);
        assert!(
            run.stderr.contains("full") && run.stderr.contains("No space left on device"),
            "{flag}: {}",
            run.stderr
        );
        assert!(
            std::fs::metadata(&link).unwrap().file_type().is_char_device(),
            "{flag}: the device was replaced"
        );
        std::fs::remove_file(&link).unwrap();
    }
    let link = tenant.path("full");
    std::os::unix::fs::symlink("/dev/full", &link).unwrap();
    let run = tenant.run(&tenant.job("", &listing_to(&link)), &[]).await;
    run.assert_code(1);
    assert!(run.stdout.contains("No space left on device"), "{}", run.stdout);
    assert!(std::fs::metadata(&link).unwrap().file_type().is_char_device());

    let job = tenant.job("", &some_mailboxes(1));
    let run = in_shell(&tenant, ":", &["run", job.to_str().unwrap(), "--report", "/proc/self/fd/1"]).await;
    run.assert_code(0);
    assert!(
        run.stdout.contains("\"peer\": \"EMULATED\""),
        "the report is on standard output: {}",
        run.stdout
    );
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_and_stays_a_link() {
    let tenant = Tenant::with(10, &[]).await;
    std::fs::create_dir(tenant.path("elsewhere")).unwrap();
    std::fs::write(tenant.path("elsewhere/report.json"), "of yesterday").unwrap();
    std::os::unix::fs::symlink(tenant.path("elsewhere/report.json"), tenant.path("report.json")).unwrap();
    let (run, report) = tenant.reported(&tenant.job("", &some_mailboxes(1)), &[]).await;
    run.assert_code(0);
    assert_eq!(report["outcome"], "done");
    assert!(std::fs::symlink_metadata(tenant.path("report.json")).unwrap().is_symlink());
    let text = std::fs::read_to_string(tenant.path("elsewhere/report.json")).unwrap();
    assert!(text.contains("EMULATED"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_may_not_be_written_is_named() {
    const TEST: &str = "a place that may not be written is named";
    if !rustix::process::geteuid().is_root() {
        return components::skip(TEST, "only root can become somebody else");
    }
    if !components::has("setpriv", TEST) {
        return;
    }
    let tenant = Tenant::with(10, &[]).await;
    // Somebody else must reach the program, the authority and a folder for the slots, and nothing more.
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(tenant.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("", 0o755);
    std::fs::copy(env!("CARGO_BIN_EXE_exorun"), tenant.path("exorun")).unwrap();
    mode("exorun", 0o755);
    std::fs::create_dir(tenant.path("state")).unwrap();
    let nobody: u32 = NOBODY.parse().unwrap();
    std::os::unix::fs::chown(tenant.path("state"), Some(nobody), Some(nobody)).unwrap();
    mode("state", 0o700);
    let as_nobody = async |arguments: &[&str]| {
        let own = tenant.exorun(arguments);
        let own = own.as_std();
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
            .arg(tenant.path("exorun"))
            .args(arguments)
            .env_clear()
            .envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(tenant.folder.path())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true);
        ended(command.spawn().unwrap()).await
    };

    let job = tenant.job("", &listing_to(&tenant.path("all.ndjson")));
    let run = as_nobody(&["run", job.to_str().unwrap()]).await;
    run.assert_code(64);
    assert!(run.stdout.contains("all.ndjson: Permission denied"), "{}", run.stdout);
    assert_nothing_connected(&tenant);

    let job = tenant.job("", &some_mailboxes(1));
    for flag in ["--report", "--metrics-file"] {
        let run = as_nobody(&["run", job.to_str().unwrap(), flag, "new/file"]).await;
        run.assert_code(1);
        assert!(run.stderr.contains("new/file: "), "{}", run.stderr);
    }
    mode("state", 0o500);
    std::os::unix::fs::chown(tenant.path("state"), Some(0), Some(0)).unwrap();
    let opened = tenant.emulator.counters().sessions.opened;
    let run = as_nobody(&["run", job.to_str().unwrap()]).await;
    run.assert_code(64);
    assert!(format!("{}{}", run.stdout, run.stderr).contains("state"), "{}\n{}", run.stdout, run.stderr);
    assert_eq!(tenant.emulator.counters().sessions.opened, opened, "without slots nothing is opened");

    mode("job.yaml", 0o600);
    let run = as_nobody(&["run", job.to_str().unwrap()]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("Permission denied"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_replaced_whole_and_private() {
    let tenant = Tenant::with(10, &[]).await;
    let output = tenant.path("new/folder/all.ndjson");
    for _ in 0..2 {
        tenant.run(&tenant.job("", &listing_to(&output)), &[]).await.assert_code(0);
        let text = std::fs::read_to_string(&output).unwrap();
        assert_eq!(text.lines().count(), 10);
        assert_eq!(std::fs::metadata(&output).unwrap().permissions().mode() & 0o777, 0o600);
        // Replacing must not inherit what an old file allowed.
        std::fs::set_permissions(&output, std::fs::Permissions::from_mode(0o666)).unwrap();
    }
    assert!(shipped(HARDENING).is_file());
    assert_no_litter(output.parent().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_one_json_array_and_a_csv_file_is_for_excel_or_raw() {
    let tenant = Tenant::with(10, &[]).await;
    let step = |name: &str, more: &str, output: &str| {
        format!("  - name: {name}\n    cmdlet: Get-Mailbox\n{more}    output:\n{output}")
    };
    let select = "    select: [DisplayName, PrimarySmtpAddress]\n";
    let none = "    when: false\n";
    let steps = [
        step("all", select, "      path: all.json\n"),
        step("nothing", none, "      path: nothing.json\n"),
        step("marked", select, "      path: marked.csv\n      bom: true\n"),
        step("plain", select, "      path: plain.csv\n      raw: true\n"),
    ];
    tenant.run(&tenant.job("", &steps.concat()), &[]).await.assert_code(0);
    let read = |name: &str| std::fs::read_to_string(tenant.path(name)).unwrap();
    let all: Vec<serde_json::Value> = serde_json::from_str(&read("all.json")).unwrap();
    assert_eq!(all.len(), 10);
    assert!(
        all.iter().all(|item| item["PrimarySmtpAddress"].as_str().is_some_and(|text| text.contains('@')))
    );
    assert_eq!(read("nothing.json"), "[]\n");
    let (marked, plain) = (read("marked.csv"), read("plain.csv"));
    assert_eq!(marked.strip_prefix('\u{feff}').unwrap().lines().count(), 11);
    assert!(plain.starts_with("DisplayName,PrimarySmtpAddress\r\n"), "{plain}");
    assert_no_litter(tenant.folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_stay_in_the_allowed_folder() {
    let tenant = Tenant::with(10, &[]).await;
    let (out, elsewhere) = (tenant.path("out"), tenant.path("elsewhere"));
    std::fs::create_dir(&out).unwrap();
    std::fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, out.join("link")).unwrap();
    let setting = ["--output-dir", out.to_str().unwrap()];
    // What an input says is known before the run as well.
    let input = "inputs:\n  place:\n    type: string\n    default: ../all.ndjson\n";
    for (path, why) in [
        ("../all.ndjson", "a path with `..` may lead out of"),
        ("${{ inputs.place }}", "a path with `..` may lead out of"),
        ("link/all.ndjson", "a symbolic link leads out of"),
        (elsewhere.join("all.ndjson").to_str().unwrap(), "is outside of the folder"),
    ] {
        let run = tenant.run(&tenant.job(input, &listing_to(Path::new(path))), &setting).await;
        run.assert_code(64);
        assert!(run.stdout.contains(why) && run.stdout.contains("`output_dir`"), "{path}: {}", run.stdout);
        assert_nothing_connected(&tenant);
    }
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);

    let run = tenant.run(&tenant.job("", &listing_to(Path::new("new/all.ndjson"))), &setting).await;
    run.assert_code(0);
    assert_eq!(std::fs::read_to_string(out.join("new/all.ndjson")).unwrap().lines().count(), 10);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_earlier_step_in_the_way_ends_a_step_before_its_calls() {
    let tenant = Tenant::with(10, &[]).await;
    let steps = "  - name: first\n    cmdlet: Get-AcceptedDomain\n    output:\n      path: first.json\n  \
                 - name: second\n    cmdlet: Get-Mailbox\n    output:\n      path: first.json/second.json\n";
    let run = tenant.run(&tenant.job("", steps), &[]).await;
    run.assert_code(1);
    assert!(run.stdout.contains("first.json is no folder; name another"), "{}", run.stdout);
    assert_eq!(tenant.recorded("Get-AcceptedDomain").len(), 1);
    assert_eq!(tenant.recorded("Get-Mailbox").len(), 0);
    tenant.assert_all_closed();
}
