//! `exorun new` through the real program: what it writes passes `exorun check`, and nothing is replaced.

use std::os::unix::fs::PermissionsExt;

use super::program::Tenant;

#[tokio::test(flavor = "multi_thread")]
async fn what_it_writes_passes_the_check_and_can_be_explained() {
    let tenant = Tenant::with(20, &[]).await;
    let all: [&[&str]; 7] = [
        &[],
        &["--service", "SecurityCompliance"],
        &["--service", "ExchangeOnlineProtection"],
        &["--cmdlet", "set-mailboxautoreplyconfiguration"],
        &["--cmdlet", "New-ComplianceSearch", "--service", "SecurityCompliance"],
        &["--ensure", "CASMailbox"],
        &["--ensure", "TransportConfig"],
    ];
    for (number, arguments) in all.iter().enumerate() {
        let (name, file) = (format!("job-{number}"), format!("{number}.yaml"));
        let run = tenant.said(&[&["new", &name, "-o", &file], *arguments].concat(), &[]).await;
        run.assert_code(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        let mode = std::fs::metadata(tenant.path(&file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        let run = tenant.said(&["check", &file], &[]).await;
        run.assert_code(0);
        assert!(run.stdout.starts_with(&format!("ok: {file}: job {name}, ")), "{}", run.stdout);
        assert_eq!(run.stderr, "");
        tenant.said(&["explain", &file], &[]).await.assert_code(0);
    }
    // As it is, a job over many objects changes none; without its condition it does.
    let path = tenant.path("5.yaml");
    tenant.run(&path, &[]).await.assert_code(0);
    assert_eq!(tenant.writes_seen(), [""; 0]);
    let text = std::fs::read_to_string(&path).unwrap();
    let all: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("when:")).collect();
    std::fs::write(&path, all.join("\n").replace("PopEnabled: true", "PopEnabled: false")).unwrap();
    let run = tenant.run(&path, &["--dry-run"]).await;
    assert!(run.code == Some(2) && run.stdout.contains("PopEnabled"), "{}\n{}", run.stdout, run.stderr);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_output_has_the_same_and_names_the_file_by_the_job() {
    let tenant = Tenant::with(1, &[]).await;
    let run = tenant.said(&["new"], &[]).await;
    run.assert_code(0);
    assert!(run.stdout.starts_with("# yaml-language-server: $schema=exorun.schema.json\n"), "{}", run.stdout);
    tenant.said(&["new", "-o", "my-job.yaml"], &[]).await.assert_code(0);
    assert_eq!(std::fs::read_to_string(tenant.path("my-job.yaml")).unwrap(), run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_stays_and_wrong_names_are_refused() {
    let tenant = Tenant::with(1, &[]).await;
    std::fs::write(tenant.path("there.yaml"), "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", tenant.path("link.yaml")).unwrap();
    for file in ["there.yaml", "link.yaml"] {
        let run = tenant.said(&["new", "-o", file], &[]).await;
        run.assert_code(64);
        assert!(run.stderr.contains(&format!("{file} is there already")), "{}", run.stderr);
    }
    assert_eq!(std::fs::read_to_string(tenant.path("there.yaml")).unwrap(), "mine");
    assert!(!tenant.path("nowhere").exists());
    let run = tenant.said(&["new", "-o", "no/folder.yaml"], &[]).await;
    run.assert_code(1);
    assert!(run.stderr.contains("no/folder.yaml cannot make a file in its folder"), "{}", run.stderr);

    for (arguments, said) in [
        (&["--cmdlet", "Get-Mailbxo"], "did you mean Get-Mailbox?"),
        (&["--ensure", "CASMailbx"], "did you mean CASMailbox?"),
        (&["--cmdlet", "Get-ComplianceSearch"], "it exists in SecurityCompliance"),
    ] {
        let run = tenant.said(&[&["new"], &arguments[..]].concat(), &[]).await;
        run.assert_code(64);
        assert!(run.stderr.contains(said) && run.stdout.is_empty(), "{}", run.stderr);
    }
    tenant.said(&["new", "No Name"], &[]).await.assert_code(64);
    let mut left: Vec<_> =
        std::fs::read_dir(tenant.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["ca.pem", "link.yaml", "there.yaml"], "nothing is left beside them");
}
