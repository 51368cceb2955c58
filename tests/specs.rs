//! Job files as people write them: the shipped ones are right, and the bad ones get a message that can be mended by.

use std::path::{Path, PathBuf};

use exorun::spec;
use proptest::prelude::*;

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

#[test]
fn shipped_jobs_are_right() {
    let files = files("jobs");
    assert!(files.len() >= 3);
    for file in files {
        let checked = spec::check_file(&file);
        assert!(checked.problems.is_empty(), "{}", checked.problems);
        assert_eq!(checked.jobs.len(), 1);
        let text = std::fs::read_to_string(&file).expect("can be read");
        assert!(
            text.starts_with("# yaml-language-server: $schema=exorun.schema.json\n"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn bad_specs_get_messages_that_can_be_mended_by() {
    let files = files("tests/bad-specs");
    assert!(files.len() >= 14);
    for file in files {
        let checked = spec::check_file(&file);
        let name = file.file_stem().expect("has a name").to_string_lossy().into_owned();
        assert!(!checked.problems.is_empty(), "{name} is taken for right");
        for problem in checked.problems.iter() {
            assert!(!problem.title().is_empty());
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, checked.problems.render_plain());
        });
    }
}

#[test]
fn no_secret_of_a_bad_spec_is_shown() {
    for file in files("tests/bad-specs") {
        let checked = spec::check_file(&file);
        for rendered in [
            checked.problems.render_plain(),
            checked.problems.render_coloured(),
            format!("{:?}", checked.problems),
        ] {
            assert!(!rendered.contains("canary"), "{}: {rendered}", file.display());
        }
    }
}

#[test]
fn a_job_is_what_its_file_says() {
    let jobs = spec::read_jobs(Path::new("jobs/shared-mailbox-hardening.yaml")).expect("is right");
    insta::assert_snapshot!(format!("{:#?}", jobs[0]).replace(&jobs[0].hash, "HASH"));
}

fn check(text: &str) -> spec::Checked {
    spec::check_text(Path::new("job.yaml"), text)
}

fn shipped(name: &str) -> String {
    std::fs::read_to_string(format!("jobs/{name}.yaml")).expect("can be read")
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_fine() {
    let unix = shipped("smtp-auth-off-except");
    let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
    let checked = check(&windows);
    assert!(checked.problems.is_empty(), "{}", checked.problems);
    let (one, other) = (&checked.jobs[0], &check(&unix).jobs[0]);
    assert_eq!(format!("{:?}", one.steps), format!("{:?}", other.steps));
    assert_ne!(one.hash, other.hash);
}

#[test]
fn problems_have_their_place() {
    let text = shipped("shared-mailbox-hardening").replace("PopEnabled: false", "PopEnabled: no");
    let checked = check(&text);
    let problem = checked.problems.iter().next().expect("there is one");
    let line = text.lines().position(|line| line.contains("PopEnabled: no")).expect("is there") + 1;
    assert_eq!(checked.problems.place(problem), Some((line, 19)));
    assert_eq!(problem.title(), "`PopEnabled` is true or false, found `no`");
}

#[test]
fn documents_are_jobs_of_their_own() {
    let one = shipped("shared-mailbox-hardening");
    let two = one.replace("name: shared-mailbox-hardening", "name: second");
    let checked = check(&format!("{one}---\n{two}---\n# nothing more\n"));
    assert!(checked.problems.is_empty(), "{}", checked.problems);
    let names: Vec<&str> = checked.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["shared-mailbox-hardening", "second"]);
    assert_ne!(checked.jobs[0].hash, checked.jobs[1].hash);
    let twice = check(&format!("{one}---\n{one}"));
    assert!(twice.problems.to_string().contains("two jobs of this file are called"));
}

#[test]
fn what_later_steps_name_is_kept() {
    let keeps = |name: &str| -> Vec<String> {
        check(&shipped(name)).jobs[0]
            .steps
            .iter()
            .map(|step| format!("{}: {:?}", step.name, step.keep))
            .collect()
    };
    insta::assert_snapshot!(keeps("external-forwarding-report").join("\n"), @r#"
    domains: Properties(["DomainName"])
    forwarding: Properties(["ForwardingSmtpAddress", "ExternalDirectoryObjectId"])
    external: Properties(["DisplayName", "PrimarySmtpAddress", "ForwardingSmtpAddress", "DeliverToMailboxAndForward"])
    "#);
    insta::assert_snapshot!(keeps("smtp-auth-off-except").join("\n"), @r#"
    mailboxes: Properties(["ExternalDirectoryObjectId", "PrimarySmtpAddress"])
    deny: Properties([])
    allow: Properties([])
    "#);
}

#[test]
fn a_report_only_reads() {
    let reads = |name: &str| check(&shipped(name)).jobs[0].steps.iter().all(|step| step.action.only_reads());
    assert!(reads("external-forwarding-report"));
    assert!(!reads("shared-mailbox-hardening") && !reads("smtp-auth-off-except"));
}

#[test]
fn an_unknown_cmdlet_counts_as_one_that_writes() {
    let step =
        "  - name: new\n    cmdlet: Get-BrandNewThing\n    parameters:\n      Since: 012\n      Deep: true\n";
    let head = shipped("external-forwarding-report");
    let head = &head[..head.find("steps:").expect("has steps")];
    let refused = check(&format!("{head}steps:\n{step}"));
    assert!(refused.problems.has_errors());
    let allowed = check(&format!("{head}unknown: allow\nsteps:\n{step}"));
    assert!(!allowed.problems.has_errors(), "{}", allowed.problems);
    let action = &allowed.jobs[0].steps[0].action;
    assert!(!action.only_reads());
    insta::assert_compact_debug_snapshot!(action, @r#"Cmdlet { cmdlet: CmdletName("Get-BrandNewThing"), parameters: [("Since", Literal(String("012"))), ("Deep", Literal(Bool(true)))] }"#);
}

#[test]
fn a_file_that_is_too_big_is_refused_unread() {
    let checked = check(&"x".repeat(1024 * 1024 + 1));
    assert!(checked.problems.to_string().contains("FILE_BYTES_MAX"));
    let many = "---\na: b\n".repeat(100);
    assert!(check(&many).problems.iter().any(|problem| problem.title().contains("DOCUMENTS_MAX")));
    let long = format!("version: 1\nname: '{}'\n", "x".repeat(70_000));
    assert!(check(&long).problems.to_string().contains("SCALAR_BYTES_MAX"));
    let keys: String = (0..2_000).map(|key| format!("k{key}: x\n")).collect();
    assert!(check(&keys).problems.iter().any(|problem| problem.title().contains("MAP_KEYS_MAX")));
    let nodes = format!("version: 1\nsteps: [{}]\n", "a, ".repeat(60_000));
    assert!(check(&nodes).problems.to_string().contains("NODES_MAX"));
}

/// Files that would be slow in a reader that goes over them once for each of their lines.
#[test]
fn hostile_files_are_read_in_one_go() {
    let head = shipped("shared-mailbox-hardening");
    let fill = |line: &str| line.repeat(1_000_000 / line.len());
    for text in [
        fill("secret: x\n"),
        fill("- ${{ nothing }}\n"),
        format!("{head}labels:\n{}", fill("  - &a x\n")),
        format!("x: {}", fill("[")),
        format!("x: {}", fill("- ")),
        format!("x: '{}", fill("a\n\n")),
        format!("version: 1\nsteps:\n{}", fill("- {cmdlet: Get-Mailboxs}\n")),
        format!("{head}# {}", fill("${{ ")),
        fill("%\n"),
        fill("!a "),
        fill("a: |\n b\n"),
        fill("? "),
    ] {
        assert!(!check(&text[..text.len().min(1_000_000)]).problems.render_plain().contains('\u{1b}'));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        let _ = check(&text).problems.render_plain();
    }

    #[test]
    fn any_yaml_like_text_is_read_without_a_panic(
        text in "([a-z]{1,6}: |- |\n|\n  |\n    |\t|[&*!|>'\"{}\\[\\],#%@`?:-]|\\$\\{\\{ | \\}\\}|steps|cmdlet: Get-Mailbox|\u{feff}|ä|---\n){0,60}"
    ) {
        let _ = check(&text).problems.render_plain();
    }

    #[test]
    fn a_damaged_job_is_read_without_a_panic(
        file in prop::sample::select(vec!["shared-mailbox-hardening", "smtp-auth-off-except", "external-forwarding-report"]),
        at in 0.0..1.0f64,
        length in 0usize..40,
        instead in "[\\PC\n\t]{0,6}",
    ) {
        let characters: Vec<char> = shipped(file).chars().collect();
        let start = (at * characters.len() as f64) as usize;
        let end = (start + length).min(characters.len());
        let text: String = characters[..start].iter().copied().chain(instead.chars()).chain(characters[end..].iter().copied()).collect();
        let checked = check(&text);
        let _ = checked.problems.render_plain();
        prop_assert!(checked.problems.has_errors() || !checked.jobs.is_empty());
    }
}
