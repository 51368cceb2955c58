//! Any text as the name of a cmdlet and, after a line end, of a parameter.
#![no_main]

use exorun::catalog::{self, CmdletName, nearest, suggest_cmdlet, suggest_parameter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (name, parameter) = text.split_once('\n').unwrap_or((&text, &text));

    let near = suggest_cmdlet(name);
    few_and_different(&near);
    assert!(near.iter().all(|near| catalog::cmdlet(near).is_some_and(|found| found.as_str() == *near)));
    let found = catalog::cmdlet(name);
    assert!(found.is_none() || CmdletName::uncatalogued(name).is_none());
    assert_eq!(CmdletName::known(name), found.map(|found| found.name()));
    if let Some(found) = found {
        assert!(found.as_str().eq_ignore_ascii_case(name), "{name:?}");
        assert_eq!(near.first(), Some(&found.as_str()), "a name is nearest to itself");
    }

    // A name that is near one cmdlet is looked up in that one, so that most inputs reach a cmdlet's parameters.
    let cmdlet = found.or_else(|| near.first().and_then(|near| catalog::cmdlet(near)));
    for cmdlet in cmdlet.into_iter().chain(catalog::cmdlet("Set-Mailbox")) {
        let near = suggest_parameter(&cmdlet, parameter);
        few_and_different(&near);
        assert!(near.iter().all(|near| cmdlet.parameters().any(|parameter| parameter.name() == *near)));
        if let Some(found) = cmdlet.parameter(parameter) {
            let mut names = found.aliases().chain([found.name()]);
            assert!(names.any(|name| name.eq_ignore_ascii_case(parameter)), "{parameter:?}");
        }
    }

    let words: Vec<&str> = parameter.split(' ').collect();
    let near = nearest(name, words.iter().copied());
    assert!(near.len() <= 3 && near.iter().all(|near| words.contains(near)));
    // Longer names are not compared.
    if (1..=128).contains(&name.len()) && words.contains(&name) {
        let wanted = name.to_lowercase();
        assert!(near.first().is_some_and(|near| near.to_lowercase() == wanted), "{name:?}: {near:?}");
    }
});

fn few_and_different(near: &[&str]) {
    assert!(near.len() <= 3, "{near:?}");
    assert!((1..near.len()).all(|at| !near[..at].contains(&near[at])), "{near:?}");
}
