//! Every command that makes an `App` ends it, so that no token of Vault outlives its process by mistake.

use std::path::Path;

#[test]
fn every_command_that_can_log_in_to_vault_gives_its_tokens_back() {
    let mut commands = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            if ["start::ready(", "App::new("].iter().any(|made| text.contains(made))
                && !path.ends_with("start.rs")
            {
                commands.push((path, text.contains(".end().await")));
            }
        }
    }
    assert!(commands.len() >= 3, "commands are not found any more: {commands:?}");
    let left: Vec<_> = commands.iter().filter(|(_, ends)| !ends).map(|(path, _)| path).collect();
    assert!(left.is_empty(), "these make an App and never call `app.end().await`: {left:?}");
}
